"""An update's gradient: on the reply alone, weighted, and the same in whatever micro-batches."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from slubench.data.clips import ClipStore
from slubench.domain.prompt import render
from slubench.errors import DataError, DeclarationError, MissingError
from slubench.train.batches import IGNORED, arrange
from slubench.train.learner import Learner
from slubench.train.micro_batches import MicroBatches
from slubench.train.read_examples import TrainExample
from slubench.train.tracks import learning
from slubench.train.updates import gather
from tests.train.training_jobs import TrainingJobs


def awaken(learner: Learner) -> None:
    """Give LoRA's second matrices, which start at zero, values, so that every gradient is alive."""
    generator = torch.Generator().manual_seed(1)
    for name, parameter in learning(learner.model).items():
        if "lora_B" in name:
            parameter.data.normal_(0, 0.2, generator=generator)


def gradient(
    learner: Learner, examples: list[TrainExample], tokens: int = 10_000, **given: Any
) -> dict[str, Tensor]:
    gather(learner, examples, MicroBatches(tokens), nullcontext, **given)
    return {
        name: torch.zeros_like(parameter) if parameter.grad is None else parameter.grad.clone()
        for name, parameter in learning(learner.model).items()
    }


def assert_equal(left: dict[str, Tensor], right: dict[str, Tensor]) -> None:
    assert any(tensor.abs().max() > 1e-4 for tensor in left.values())
    for name, tensor in left.items():
        assert torch.allclose(tensor, right[name], rtol=1e-4, atol=1e-6), name


def test_the_reply_alone_bears_loss(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(6)
    learner = jobs.learner(examples)
    encoded = learner.encode(examples)
    batch = learner.batch(encoded)
    tokenizer = learner.processor.tokenizer
    for row, example in enumerate(encoded):
        borne = batch["labels"][row] != IGNORED
        assert tokenizer.decode(batch["labels"][row][borne]) == example.source.target + "<|im_end|>"
        assert borne.nonzero().min() == len(example.prompt)
        assert not borne[len(example) :].any()
        assert (batch["input_ids"][row][borne] != learner.audio_token).all()
        assert batch["attention_mask"][row].sum() == len(example)


def test_prompt_and_padding_labels_do_not_move_the_loss_and_padding_is_not_seen(
    jobs: TrainingJobs,
) -> None:
    examples = jobs.mixed(6)
    learner = jobs.learner(examples)
    batch = learner.batch(learner.encode(examples))
    loss = learner.reply_loss(batch)
    noise = torch.where(batch["attention_mask"][..., None] == 0, 9.0, 0.0)
    with_noise = learner.reply_loss({**batch, "inputs_embeds": batch["inputs_embeds"] + noise})
    assert noise.any()
    torch.testing.assert_close(loss, with_noise, rtol=1e-6, atol=0)


def test_the_loss_is_the_models_own(jobs: TrainingJobs) -> None:
    """Processor, forward pass and cross-entropy of transformers give the same number."""
    examples = [jobs.spoken(n) for n in range(5)]
    learner = jobs.learner(examples)
    awaken(learner)
    store = ClipStore(jobs.clips, 16_000, 2.0)
    total, count = 0.0, 0
    for example in examples:
        text = render(jobs.model, example.parts) + example.target + jobs.model.prompt.end
        inputs = learner.processor(
            text=[text], audio=[store.load(example.clips[0])], sampling_rate=16_000, return_tensors="pt"
        )
        labels = inputs["input_ids"].clone()
        reply = len(learner.processor.tokenizer(example.target + jobs.model.prompt.end)["input_ids"])
        labels[:, :-reply] = IGNORED
        with torch.no_grad():
            total += learner.model(**inputs, labels=labels).loss.item() * reply
        count += reply
    gathered = gather(learner, examples, MicroBatches(10_000), nullcontext)
    assert gathered.reply_tokens == count
    assert gathered.loss == pytest.approx(total / count, rel=1e-5)


@pytest.mark.parametrize("track", ["lora-lm", "lora-lm+projector", "full"])
def test_gradients_do_not_depend_on_the_micro_batch(jobs: TrainingJobs, track: str) -> None:
    examples = [replace(example, weight=0.5 + n % 3) for n, example in enumerate(jobs.mixed(12))]
    learner = jobs.learner(examples, track)
    awaken(learner)
    encoded = learner.encode(examples)
    four = 4 * max(map(len, encoded))
    assert [len(arrange(encoded, tokens)) for tokens in (1, four, 10_000)] == [12, 3, 1]
    whole = gradient(learner, examples)
    assert_equal(whole, gradient(learner, examples, tokens=1))
    assert_equal(whole, gradient(learner, examples, tokens=four))


@pytest.mark.parametrize("track", ["lora-lm", "lora-lm+projector", "full"])
def test_threads_change_no_bit(jobs: TrainingJobs, track: str) -> None:
    examples = jobs.mixed(12)
    learner = jobs.learner(examples, track)
    awaken(learner)
    one = gather(learner, examples, MicroBatches(150), nullcontext)
    alone = {name: parameter.grad for name, parameter in learning(learner.model).items()}
    three = gather(learner, examples, MicroBatches(150, threads=3), nullcontext)
    assert len(arrange(learner.encode(examples), 150)) > 3
    assert one == three
    for name, parameter in learning(learner.model).items():
        expected = alone[name]
        assert expected is not None
        assert parameter.grad is not None
        assert torch.equal(expected, parameter.grad), name


def test_checkpointing_changes_no_gradient(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(4)
    learner = jobs.learner(examples, "lora-lm+projector")
    awaken(learner)
    kept = gradient(learner, examples)
    pace = MicroBatches(10_000)
    assert pace.slow_down(learner, longest=50)
    assert pace.checkpointing
    assert_equal(kept, gradient(learner, examples))


def test_a_weight_of_two_is_the_example_twice_and_of_zero_its_absence(jobs: TrainingJobs) -> None:
    first, second, third = jobs.mixed(3)
    learner = jobs.learner([first, second, third])
    awaken(learner)
    twice = gradient(learner, [first, second, second])
    assert_equal(twice, gradient(learner, [first, replace(second, weight=2.0), replace(third, weight=0.0)]))


def test_weights_that_are_all_zero_are_refused(jobs: TrainingJobs) -> None:
    examples = [jobs.written(0, weight=0.0)]
    with pytest.raises(DataError, match="weight 0"):
        gather(jobs.learner(examples), examples, MicroBatches(99), nullcontext)


def test_short_memory_begins_the_update_again_and_loses_nothing(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(8)
    learner = jobs.learner(examples)
    awaken(learner)
    whole = gradient(learner, examples)
    roomy = learner.reply_loss

    def cramped(batch: dict[str, Tensor]) -> Tensor:
        if len(batch["input_ids"]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return roomy(batch)

    object.__setattr__(learner, "reply_loss", cramped)
    pace = MicroBatches(10_000)
    gather(learner, examples, pace, nullcontext)
    assert pace.checkpointing
    assert pace.tokens < 10_000
    assert_equal(whole, {name: p.grad for name, p in learning(learner.model).items() if p.grad is not None})


def test_one_example_too_many_is_said(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(2)
    learner = jobs.learner(examples)

    def full(batch: dict[str, Tensor]) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    object.__setattr__(learner, "reply_loss", full)
    with pytest.raises(MissingError, match="does not fit into the memory"):
        gather(learner, examples, MicroBatches(10_000), nullcontext)


def test_an_objective_that_is_the_cross_entropy_changes_nothing(jobs: TrainingJobs) -> None:
    """Called with model and batch, weighted over micro-batches as the machine's own loss is."""
    examples = [replace(example, weight=1.0 + n % 2) for n, example in enumerate(jobs.mixed(6))]
    learner = jobs.learner(examples)
    awaken(learner)
    seen: list[str] = []

    def objective(model: Any, batch: dict[str, Any]) -> Tensor:
        seen.extend(example.utterance for example in batch["examples"])
        logits = model(inputs_embeds=batch["inputs_embeds"], attention_mask=batch["attention_mask"]).logits[
            :, :-1
        ]
        targets = batch["labels"][:, 1:]
        losses = torch.nn.functional.cross_entropy(logits.transpose(1, 2), targets, reduction="none")
        weights = (targets != IGNORED) * batch["weights"][:, None]
        mean: Tensor = (losses * weights).sum() / weights.sum()
        return mean

    whole = gradient(learner, examples)
    assert_equal(whole, gradient(learner, examples, tokens=120, objective=objective))
    assert sorted(seen) == sorted(example.utterance for example in examples)


def test_an_objective_may_make_another_view_of_its_examples(jobs: TrainingJobs) -> None:
    examples = [jobs.spoken(n) for n in range(3)]
    learner = jobs.learner(examples)
    awaken(learner)

    def objective(model: Any, batch: dict[str, Any]) -> Tensor:
        written = batch["make"]([replace(example, parts=("hello",)) for example in batch["examples"]])
        assert (written["input_ids"] != learner.audio_token).all()
        loss: Tensor = model(inputs_embeds=written["inputs_embeds"]).logits.square().mean()
        return loss

    assert max(tensor.abs().max() for tensor in gradient(learner, examples, objective=objective).values()) > 0


@pytest.mark.parametrize("value", [0.5, torch.ones(3, requires_grad=True), torch.tensor(1.0)])
def test_an_objective_that_returns_no_loss_is_refused(jobs: TrainingJobs, value: Any) -> None:
    examples = jobs.mixed(2)
    with pytest.raises(DeclarationError, match="must return a scalar tensor"):
        gather(jobs.learner(examples), examples, MicroBatches(999), nullcontext, lambda model, batch: value)


def test_a_text_with_the_audio_placeholder_is_refused(jobs: TrainingJobs) -> None:
    example = replace(jobs.written(0), parts=("play <|AUDIO|> now",))
    with pytest.raises(DataError, match=r"t0.*placeholder"):
        jobs.learner([example]).encode([example])


def test_text_and_clips_may_be_interleaved(jobs: TrainingJobs) -> None:
    spoken = jobs.spoken(1)
    example = replace(spoken, parts=("first ", spoken.parts[0], " then ", jobs.spoken(4).parts[0]))
    learner = jobs.learner([example])
    batch = learner.batch(learner.encode([example]))
    places = (batch["input_ids"][0] == learner.audio_token).nonzero()[:, 0].numpy()
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    assert [len(run) for run in runs] == [learner.hearing.count(key) for key in example.clips]
    assert len(set(map(len, runs))) == 2
    audio = learner.part("projector")(torch.cat(learner.hearing.hear(example.clips)))
    torch.testing.assert_close(batch["inputs_embeds"][0][places], audio)
