"""A stage's own `compose`: one pass a call, within the rules, and made from nothing but the pool."""

from __future__ import annotations

import contextlib
import itertools
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from slubench import SPEECH, TEXT, Clip, Entity, Example, Meaning, Pool, Stage, Strategy, Utterance
from slubench.domain.budget import Budget
from slubench.domain.meaning import as_reply
from slubench.domain.pool import BudgetError, ExposureError
from slubench.errors import DeclarationError, UsageError
from slubench.trainset.provenance import derived_texts
from slubench.trainset.rules import beyond_budget, beyond_stages, beyond_updates
from slubench.trainset.train_set import StageExamples, compose, exposure

SIZE, BATCH, BOUGHT = 240, 16, 24
MEANING = Meaning("alarm", "set", (Entity("time", "eight"),))
ROWS = [Utterance(str(n), "de", f"wake me at {n}", MEANING, Clip("file", n)) for n in range(SIZE)]
POOL = Pool({"de": ROWS}, {"de": ROWS[:BOUGHT]}, Budget.parse("10%"))
CELL = exposure(SIZE, SIZE, BOUGHT, BATCH)


def composed(function: Callable[..., Any], seed: int = 0, **declared: Any) -> tuple[StageExamples, ...]:
    stage = {"learns_from": TEXT | SPEECH, "compose": function, **declared}
    strategy = Strategy(name="mine", stages=(Stage(**stage),))
    stages = compose(strategy, POOL, CELL, seed)
    assert not [
        *beyond_updates(stages, CELL),
        *beyond_stages(strategy, stages, POOL, CELL),
        *beyond_budget(strategy, stages, POOL, CELL),
    ]
    return stages


def clips(stages: tuple[StageExamples, ...]) -> Counter[Clip]:
    return Counter(clip for stage in stages for example in stage.examples for clip in example.clips)


def both(pool: Pool, rng: Random) -> Iterator[Example]:
    """Every recording, each followed by a transcript, in a random order."""
    spoken = list(pool.speech())
    rng.shuffle(spoken)
    for utterance in spoken:
        yield Example.spoken(utterance)
        yield Example.written(rng.choice(pool.text()))


def test_a_compose_is_called_until_its_updates_are_full() -> None:
    (stage,) = composed(both)
    assert stage.updates == CELL.updates == 60
    assert len(stage.examples) == 60 * BATCH
    assert set(clips((stage,)).values()) == {3}


def test_beyond_the_clips_of_the_rules_later_passes_give_what_is_read() -> None:
    (stage,) = composed(both)
    first, rest = stage.examples[: 6 * BOUGHT], stage.examples[6 * BOUGHT :]
    assert sum(len(example.clips) for example in first) == 3 * BOUGHT == CELL.heard
    assert not any(example.clips for example in rest)


def test_each_pass_draws_anew_and_the_same_seed_draws_the_same() -> None:
    (stage,) = composed(both)
    passes = [stage.examples[n * 2 * BOUGHT : (n + 1) * 2 * BOUGHT] for n in range(3)]
    assert len(set(passes)) == 3
    assert composed(both) == (stage,)
    assert composed(both, seed=1) != (stage,)


def listen(pool: Pool, rng: Random) -> Iterator[Example]:
    yield from map(Example.spoken, pool.speech())


def test_what_only_hears_ends_with_its_clips_and_the_last_update_may_hold_fewer() -> None:
    (stage,) = composed(listen)
    assert set(clips((stage,)).values()) == {3}
    assert (stage.updates, len(stage.examples)) == (5, 3 * BOUGHT)
    (stage,) = composed(listen, learns_from=SPEECH)
    assert set(clips((stage,)).values()) == {20}
    assert stage.updates == 20 * BOUGHT // BATCH


@pytest.mark.parametrize(("passes", "examples"), [(1, 48), (2, 96), (1.5, 72), (0.5, 24), (None, 960)])
def test_declared_passes_are_calls(passes: float | None, examples: int) -> None:
    (stage,) = composed(both, passes=passes)
    assert len(stage.examples) == examples
    assert stage.updates == -(-examples // BATCH)


def test_an_endless_generator_is_stopped_where_its_updates_are_full() -> None:
    def endless(pool: Pool, rng: Random) -> Iterator[Example]:
        yield from map(Example.written, itertools.cycle(pool.text()))

    (stage,) = composed(endless)
    assert len(stage.examples) == 60 * BATCH


def test_endless_clips_end_in_an_error_and_never_hang() -> None:
    def endless(pool: Pool, rng: Random) -> Iterator[Example]:
        yield from map(Example.spoken, itertools.cycle(pool.speech()))

    with pytest.raises(ExposureError, match="its first pass uses more than the 72 clips"):
        composed(endless)


def test_a_later_pass_of_endless_clips_ends_too() -> None:
    calls: list[int] = []

    def changing(pool: Pool, rng: Random) -> Iterator[Example]:
        calls.append(1)
        rows = pool.speech() if len(calls) == 1 else itertools.cycle(pool.speech())
        yield from map(Example.spoken, rows)

    (stage,) = composed(changing)
    assert len(stage.examples) == CELL.heard


def nine_times(pool: Pool, rng: Random) -> Iterator[Example]:
    yield from 9 * [Example.spoken(u) for u in pool.speech()]


def never(pool: Pool, rng: Random) -> Iterator[Example]:
    yield Example.written(pool.text()[0])
    while True:
        with contextlib.suppress(Exception):
            time.sleep(60)


def test_a_compose_that_does_not_end_is_stopped_and_the_limit_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLUBENCH_COMPOSE_MINUTES", "0.005")
    with pytest.raises(DeclarationError, match=r"compose of mine, stage 1 .*took longer than 0\.005 minutes"):
        composed(never)
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    monkeypatch.delenv("SLUBENCH_COMPOSE_MINUTES")
    composed(both)


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "soon", "inf"])
def test_a_limit_that_is_no_time_is_refused(minutes: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUBENCH_COMPOSE_MINUTES", minutes)
    with pytest.raises(UsageError, match=r"SLUBENCH_COMPOSE_MINUTES is .*above 0"):
        composed(both)


def test_a_first_pass_beyond_the_clips_names_strategy_stage_numbers_and_remedy() -> None:
    with pytest.raises(ExposureError) as failed:
        composed(nine_times)
    assert str(failed.value) == (
        "compose of mine, stage 1 (test_own_examples.py): its first pass uses more than the 72 clips that"
        " the rules allow at 10%, repeats included. Yield each recording once: compose is called"
        " again until the"
        " stage's updates are full. pool.exposures tells how many clips a stage may hear."
    )


def nothing(pool: Pool, rng: Random) -> None:
    """No yield, no return."""


def raises(pool: Pool, rng: Random) -> Iterator[Example]:
    yield Example.written(pool.text()[0])
    raise ZeroDivisionError("of a test")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            nothing,
            r"compose of mine, stage 1 \(test_own_examples.py\) returned None; compose\(pool, rng\) must",
        ),
        (lambda pool, rng: iter(()), r"stage 1 .* yielded no example; compose\(pool, rng\) must yield"),
        (lambda pool, rng: pool.text(), "yielded a Utterance; "),
        (lambda pool, rng: 7, "returned a int; "),
        (lambda pool, rng: "text", "yielded a str; "),
        (raises, r"stage 1 \(test_own_examples.py\) failed, line \d+: ZeroDivisionError: of a test"),
        (min, "failed, TypeError: "),
        (lambda pool: pool.text(), r"compose of a stage is called as compose\(pool, rng\); <lambda>\(pool\)"),
        ("shuffled", r"compose of a stage must be None or a function|must be a function"),
    ],
)
def test_a_faulty_compose_is_told_by_file_and_stage(function: Callable[..., Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        composed(function)


def example(**changed: Any) -> Callable[[Pool, Random], Iterator[Example]]:
    utterance = ROWS[0]
    given = {
        "parts": (utterance.text,),
        "target": as_reply(utterance.meaning),
        "utterance": utterance.key,
        "language": "de",
        **changed,
    }

    def one(pool: Pool, rng: Random) -> Iterator[Example]:
        yield Example(**given)

    return one


SAID = '{"transcript":"wake me at 0","scenario":"alarm","action":"set","entities":[{"time":"eight"}]}'


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"parts": (ROWS[0].clip, ROWS[0].text)},
        {"parts": (ROWS[5].text, ROWS[0].text)},
        {"target": ROWS[0].text},
        {"target": SAID},
    ],
)
def test_what_is_made_from_the_utterance_is_learnt(changed: dict[str, Any]) -> None:
    assert composed(example(**changed))[0].examples


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"parts": ("a sentence of the test",)},
            "the text 'a sentence of the test' of '0' .* is neither a text",
        ),
        (
            {"target": as_reply(Meaning("iot", "hue_lightoff"))},
            "the target .* is neither the utterance's meaning",
        ),
        ({"target": SAID.replace("eight", "nine")}, "the target"),
        ({"target": SAID.replace("wake me at 0", "wake me at 1")}, "the target"),
        ({"parts": (ROWS[1].clip,)}, "used the clip of '1' for '0'"),
        ({"parts": (ROWS[200].clip,)}, "that is not in the budget 10%"),
        ({"utterance": "of-the-test"}, "used 'of-the-test' .*, which is not in the pool"),
        ({"language": "fr"}, "not in the pool"),
    ],
)
def test_gold_cannot_be_composed(changed: dict[str, Any], message: str) -> None:
    """A file that holds the test's sentences and meanings as constants is refused before anything learns."""
    with pytest.raises(BudgetError, match=message):
        composed(example(**changed))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"parts": ()}, "at least one"),
        ({"parts": (7,)}, "texts and clips"),
        ({"target": None}, "must be text, not NoneType"),
        ({"weight": float("nan")}, "a number of 0 or more, not nan"),
        ({"weight": -1.0}, "a number of 0 or more"),
    ],
)
def test_an_example_that_is_none_is_told(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        composed(example(**changed))


def test_a_stage_gives_only_what_it_says_it_learns_from() -> None:
    """Else a stage that reads too would have the twenty passes of one that only listens."""
    with pytest.raises(DeclarationError, match="used text, but the stage only learns from SPEECH"):
        composed(both, learns_from=SPEECH)


def lower(utterance: Utterance) -> list[str]:
    return [utterance.text.upper()]


def loud(pool: Pool, rng: Random) -> Iterator[Example]:
    for u in pool.text():
        yield Example((u.text.upper(),), as_reply(u.meaning), u.key, u.language)


def test_a_declared_transform_makes_texts_that_are_kept() -> None:
    with pytest.raises(BudgetError, match=r"declare other texts with Stage\(transform=function\)"):
        composed(loud)
    stages = composed(loud, transform=lower)
    kept = derived_texts(stages, POOL)
    assert kept[0] == {"utterance": "0", "language": "de", "from": "wake me at 0", "made": "WAKE ME AT 0"}
    assert len(kept) == SIZE
    assert derived_texts(composed(both), POOL) == []


@pytest.mark.parametrize(
    ("transform", "error", "message"),
    [
        (lambda utterance: "one text", DeclarationError, "must return a list of texts"),
        (lambda utterance: [7], DeclarationError, "must return a list of texts"),
        (lambda utterance: 1 / 0, DeclarationError, "failed on 0: ZeroDivisionError"),
        (lambda utterance: ["another"], BudgetError, "nor returned by the stage's transform"),
    ],
)
def test_a_transform_that_does_not_give_it(
    transform: Callable[..., Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        composed(loud, transform=transform)


def test_a_transform_without_a_compose_is_refused() -> None:
    with pytest.raises(DeclarationError, match="needs a compose"):
        Stage(learns_from=TEXT, transform=lower)


def test_a_composed_stage_leaves_the_clips_that_later_stages_are_due() -> None:
    strategy = Strategy(
        name="mine",
        stages=(
            Stage(learns_from=TEXT | SPEECH, share=1 / 2, compose=both),
            Stage(learns_from=TEXT | SPEECH, share=1 / 2),
        ),
    )
    first, second = compose(strategy, POOL, CELL, 0)
    assert clips((first,)).total() == clips((second,)).total() == CELL.heard // 2
