"""The conformance suite: what every declared task, strategy and model must hold to, plugins' included."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from slubench import SPEECH, Clip
from slubench.budget import Budget
from slubench.lessons import compose, exposure
from slubench.model import TRACKS, Model
from slubench.pool import Pool
from slubench.prompt import Sound, render
from slubench.registry import Registry
from slubench.strategy import Strategy
from slubench.task import Task
from tests.test_lessons import BATCH, SIZE, corpus

REGISTRY = Registry()
LANGUAGE = re.compile(r"[a-z]{2}")


# A strategy that needs speech is refused at 0, see test_lessons.
CELLS = [
    pytest.param(strategy, speech, id=f"{strategy.name}-{speech}")
    for strategy in REGISTRY.strategies.values()
    for speech in ("0", "2%", "100%")
    if speech != "0" or not strategy.needs_speech
]


@pytest.mark.parametrize(("strategy", "speech"), CELLS)
def test_a_strategy_stays_within_budget_and_updates(strategy: Strategy, speech: str) -> None:
    budget = Budget.parse(speech)
    rows = corpus()
    bought = budget.buy(rows, 0, lambda utterance: 3.0) if strategy.needs_speech else []
    pool = Pool({"de": rows}, {"de": bought}, budget)
    cell = exposure(SIZE, SIZE, len(bought), BATCH)
    stages = compose(strategy, pool, cell, 0)
    assert stages == compose(strategy, pool, cell, 0)
    assert sum(lesson.updates for lesson in stages) <= cell.updates
    allowed = {u.clip for u in bought}
    heard = [p for s in stages for e in s.examples for p in e.parts if isinstance(p, Clip)]
    assert set(heard) <= allowed
    if strategy.learns_from != SPEECH:
        assert len(heard) <= cell.heard
    else:
        assert len(heard) <= 20 * len(bought) + BATCH


@pytest.mark.parametrize("strategy", REGISTRY.strategies.values(), ids=lambda s: s.name)
def test_a_strategy_says_what_it_is(strategy: Strategy) -> None:
    assert 10 < len(strategy.summary) < 80
    text = Path(REGISTRY.origin(strategy)).read_text("utf-8")
    assert text.startswith('"""')


@pytest.mark.parametrize("task", REGISTRY.tasks.values(), ids=lambda t: t.name)
def test_a_task_learns_and_is_asked_in_languages_of_its_corpus(task: Task) -> None:
    languages = {task.test_in, *task.text_in, *task.speech_in}
    assert languages <= set(task.corpus.locales)
    assert all(LANGUAGE.fullmatch(language) for language in languages)
    assert task.train != task.test
    assert task.corpus.licence
    assert task.corpus.home_page.startswith("https://")
    assert 10 < len(task.summary) < 80


@pytest.mark.parametrize("model", REGISTRY.models.values(), ids=lambda m: m.name)
def test_a_model_is_told_whole(model: Model) -> None:
    assert set(model.recipes) <= set(TRACKS)
    for track, recipe in model.recipes.items():
        assert 0 < recipe.rate < 0.1
        assert recipe.batch >= 1
        assert 0 <= recipe.warmup < 0.5
        assert (recipe.rank > 0) == (track != "full")
        assert math.isfinite(recipe.alpha)
    assert re.fullmatch(model.lora_modules, "model.language_model.layers.3.self_attn.q_proj")
    assert not re.fullmatch(model.lora_modules, "model.audio_tower.layers.3.self_attn.q_proj")
    assert not re.fullmatch(model.lora_modules, "model.multi_modal_projector.linear")
    assert Model.from_json(model.to_json()) == model
    assert model.licence
    assert model.exposure


@pytest.mark.parametrize("model", REGISTRY.models.values(), ids=lambda m: m.name)
def test_a_prompt_puts_the_instruction_before_what_varies(model: Model) -> None:
    spoken, written = render(model, [Sound("key")]), render(model, ["wake me"])
    assert spoken.count("<|AUDIO|>") == 1
    assert "<|AUDIO|>" not in written
    assert "wake me" in written
    shared = next(n for n, (a, b) in enumerate(zip(spoken, written, strict=False)) if a != b)
    assert "JSON" in spoken[:shared]
