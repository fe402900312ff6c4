"""Growing the model, its surrogate adapters, the schedule, and what changes a clip."""

import json
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast, Qwen2AudioForConditionalGeneration

from tools.mini.model import surrogates
from tools.mini.model.architecture import MAX_FRAMES, build, configuration, grow
from tools.mini.model.batches import MixRecipe, audio_token, warp
from tools.mini.model.forward import hear, think
from tools.mini.model.instructions import Material
from tools.mini.model.materials import draw, from_row, surroundings
from tools.mini.model.schedule import Schedule
from tools.mini.model.tokenizer import train_tokenizer

COMMAND = Material("en", "wake me at seven", "alarm", "set", (("time", "seven"),))


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["turn off the light", "schalte das licht aus"] * 4, 320)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerFast) -> Qwen2AudioForConditionalGeneration:
    return build(tokenizer)


def shallower(tokenizer: PreTrainedTokenizerFast, layers: int = 2) -> Qwen2AudioForConditionalGeneration:
    plan = configuration(tokenizer)
    audio: Any = plan.audio_config
    audio.encoder_layers = layers
    torch.manual_seed(7)
    return Qwen2AudioForConditionalGeneration(plan)


def test_a_grown_model_hears_what_the_smaller_one_heard(tokenizer: PreTrainedTokenizerFast) -> None:
    small, large = shallower(tokenizer), build(tokenizer, seed=1)
    mels, frames = torch.randn(2, 80, 63), torch.tensor([60, 50])
    with torch.no_grad():
        before = hear(large, mels, frames).embeddings
        grow(large, small)
        after, wanted = hear(large, mels, frames).embeddings, hear(small, mels, frames).embeddings
    assert not torch.allclose(before, wanted, atol=1e-3)
    torch.testing.assert_close(after, wanted)


def test_a_model_of_another_shape_cannot_be_grown(tokenizer: PreTrainedTokenizerFast) -> None:
    deeper = shallower(tokenizer, layers=9)
    with pytest.raises(RuntimeError, match="more than encoder layers"):
        grow(build(tokenizer), deeper)


def test_an_invented_task_never_uses_a_name_for_what_it_means(
    model: Qwen2AudioForConditionalGeneration,
) -> None:
    around = surroundings()
    for seed in range(20):
        surrogate = surrogates.invent(model, around, Random(seed))
        assert set(surrogate.names) == set(surrogate.names.values()) == set(around.labels)
        assert all(name != stands_for for name, stands_for in surrogate.names.items())
        reply = json.loads(surrogate.ask(COMMAND).answer)
        assert not {"scenario", "action", "entities"} & set(reply)
        assert reply[surrogate.keys[2]] == [{surrogate.names["time"]: "seven"}]


def test_a_new_surrogate_changes_nothing_and_a_taught_one_answers_better(
    model: Qwen2AudioForConditionalGeneration,
    tokenizer: PreTrainedTokenizerFast,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(surrogates, "STEPS", 12)
    monkeypatch.setattr(surrogates, "BATCH", 4)
    recipe = MixRecipe(tokenizer, "", surroundings(), from_row, draw)
    audio, pad = audio_token(tokenizer), int(tokenizer.pad_token_id)
    embeddings = torch.randn(1, 9, 192)
    new = surrogates.invent(model, recipe.around, Random(3))
    with torch.no_grad():
        torch.testing.assert_close(think(model, embeddings, new.adapters).last, think(model, embeddings).last)
    weights = [parameter.detach().clone() for parameter in model.parameters()]
    taught = surrogates.teach(model, recipe, Random(3), audio, pad)
    assert all(torch.equal(a, b) for a, b in zip(weights, model.parameters(), strict=True))
    assert not any(half.requires_grad for pair in taught.adapters.values() for half in pair)
    questions = recipe.laid([(COMMAND.text, taught.ask(COMMAND))])
    with torch.no_grad():
        losses = [float(surrogates._loss(model, s, questions, audio, pad)) for s in (new, taught)]
    assert taught.names == new.names
    assert losses[1] < losses[0] - 0.5


def test_the_schedule_hears_then_joins_then_yields_to_surrogates() -> None:
    schedule = Schedule(steps=1000, warmup=10, joins=0.2, settles=0.5, yields=0.7, falls=0.5)
    assert not any(schedule.joined(step) for step in range(200))
    assert sum(schedule.joined(step) for step in range(200, 500)) == 100
    assert all(schedule.joined(step) for step in range(500, 1000))
    assert all(schedule.surrogate(step) is None for step in range(700))
    under = [step for step in range(700, 1000) if schedule.surrogate(step) is not None]
    assert len(under) == 120
    assert {schedule.surrogate(step) for step in under} == {2, 3}
    assert schedule.rate_at(0) == pytest.approx(schedule.rate / 10)
    assert schedule.rate_at(400) == schedule.rate
    assert schedule.rate_at(999) < 0.011 * schedule.rate


def test_a_warped_clip_keeps_its_bins_and_the_window() -> None:
    rng, lengths = Random(0), set()
    mels = np.random.default_rng(0).standard_normal((MAX_FRAMES - 4, 80)).astype(np.float32)
    for _ in range(40):
        warped = warp(mels, rng)
        assert warped.shape[1] == 80
        assert 0.89 * len(mels) <= len(warped) <= MAX_FRAMES
        assert mels.min() <= warped.min()
        assert warped.max() <= mels.max()
        lengths.add(len(warped))
    assert len(mels) in lengths
    assert min(lengths) < len(mels) < max(lengths)
