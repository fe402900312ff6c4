"""RULES.md's equalities hold in the train set, before a weight moves and without torch."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest

from slubench import SPEECH, TEXT, Clip, Example, Meaning, Stage, Strategy, Utterance
from slubench.conformance.stand_in import say_nothing, stand_in
from slubench.domain.budget import Budget
from slubench.domain.meaning import as_reply
from slubench.domain.pool import BudgetError, Pool, Unlabelled
from slubench.errors import DeclarationError, UsageError
from slubench.registry import Registry
from slubench.trainset.ledger import PoolContents, count
from slubench.trainset.train_set import StageExamples, compose, exposure

BATCH = 16
SIZE = 240
SHARES = ("2%", "5%", "10%", "25%", "100%")
STRATEGIES = Registry().strategies


def corpus(size: int = SIZE, language: str = "de") -> list[Utterance]:
    meaning = Meaning("alarm", "set")
    return [
        Utterance(str(n), language, f"sentence {n}", meaning, Clip("file", n), speaker=str(n % 7))
        for n in range(size)
    ]


def train_set(name: str, budget: str, data_seed: int = 0, train_seed: int = 0) -> tuple[StageExamples, ...]:
    return compose_with(STRATEGIES[name], budget, data_seed, train_seed)


def compose_with(
    strategy: Strategy, budget: str, data_seed: int = 0, train_seed: int = 0
) -> tuple[StageExamples, ...]:
    rows = corpus()
    bought = Budget.parse(budget).buy(rows, data_seed, lambda utterance: 3.0)
    unlabelled: dict[str, list[Unlabelled]] | None = {"de": []} if strategy.unlabelled else None
    pool = Pool({"de": rows}, {"de": bought}, Budget.parse(budget), unlabelled)
    cell = exposure(SIZE, SIZE, len(bought), BATCH)
    return compose(strategy, pool, cell, train_seed, stand_in(pool), say_nothing)


def heard(stages: tuple[StageExamples, ...]) -> Counter[str]:
    return Counter(
        example.utterance for part in stages for example in part.examples if type(example.parts[0]) is Clip
    )


def read(stages: tuple[StageExamples, ...]) -> Counter[str]:
    return Counter(
        example.utterance for part in stages for example in part.examples if isinstance(example.parts[0], str)
    )


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("seed", [0, 1])
def test_direct_mix_and_curriculum_hear_the_same(share: str, seed: int) -> None:
    mixed, staged = train_set("direct-mix", share, seed, seed), train_set("curriculum", share, seed, seed)
    bought = len(Budget.parse(share).buy(corpus(), seed, lambda utterance: 3.0))
    assert set(heard(mixed)) == set(heard(staged))
    assert len(heard(mixed)) == bought
    assert heard(mixed).total() == heard(staged).total() == min(3 * bought, SIZE)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("name", ["text-only", "direct-mix", "curriculum"])
def test_every_strategy_has_the_updates_of_the_papers_largest_cell(name: str, share: str) -> None:
    stages = train_set(name, share)
    assert sum(part.updates for part in stages) == (3 * SIZE + SIZE) // BATCH
    assert all(len(part.examples) == part.updates * BATCH for part in stages)


def test_at_all_of_the_speech_the_curriculum_is_the_papers_schedule() -> None:
    first, second = train_set("curriculum", "100%")
    assert read((first,)) == Counter({str(n): 2 for n in range(SIZE)})
    assert not heard((first,))
    assert read((second,)) == heard((second,)) == Counter({str(n): 1 for n in range(SIZE)})
    assert (first.stage.rate, second.stage.rate) == (1.0, 0.6)


def test_at_all_of_the_speech_direct_mix_reads_three_passes_and_hears_one() -> None:
    stages = train_set("direct-mix", "100%")
    assert read(stages) == Counter({str(n): 3 for n in range(SIZE)})
    assert heard(stages) == Counter({str(n): 1 for n in range(SIZE)})


def test_direct_mix_hears_from_the_first_quarter_to_the_last() -> None:
    (part,) = train_set("direct-mix", "25%")
    quarter = len(part.examples) // 4
    counts = [
        sum(isinstance(e.parts[0], Clip) for e in part.examples[n * quarter : (n + 1) * quarter])
        for n in range(4)
    ]
    assert min(counts) > sum(counts) / 8


def test_speech_only_passes_at_most_twenty_times_over_what_it_bought() -> None:
    few = train_set("speech-only", "5%")
    bought = round(SIZE * 0.05)
    assert len(heard(few)) == bought
    assert set(heard(few).values()) == {20}
    assert few[0].updates == 20 * bought // BATCH
    assert train_set("speech-only", "100%")[0].updates == 4 * SIZE // BATCH


@pytest.mark.parametrize("bought", [1, 3, 5, 7, 11])
def test_twenty_passes_are_twenty_whatever_the_batch(bought: int) -> None:
    (part,) = train_set("speech-only", str(bought))
    assert set(heard((part,)).values()) == {20}
    assert part.updates == -(-20 * bought // BATCH)


def test_each_pass_over_the_pool_has_an_order_of_its_own() -> None:
    (part,) = train_set("text-only", "0")
    ids = [example.utterance for example in part.examples]
    passes = [tuple(ids[n * SIZE : (n + 1) * SIZE]) for n in range(4)]
    assert all(sorted(one) == sorted(passes[0]) for one in passes)
    assert len(set(passes)) == 4


def test_zero_shot_learns_nothing() -> None:
    assert train_set("zero-shot", "0") == ()


@pytest.mark.parametrize("name", ["direct-mix", "curriculum", "speech-only"])
def test_no_speech_is_refused_where_speech_is_needed(name: str) -> None:
    with pytest.raises(UsageError, match=f"{name} needs speech, but the budget 0 buys none"):
        train_set(name, "0")


@pytest.mark.parametrize("name", sorted(STRATEGIES))
def test_lessons_follow_from_the_seeds(name: str) -> None:
    budget = "10%"
    assert train_set(name, budget) == train_set(name, budget)
    if STRATEGIES[name].stages:
        assert train_set(name, budget) != train_set(name, budget, train_seed=1)
    if STRATEGIES[name].needs_speech:
        assert set(heard(train_set(name, budget))) == set(heard(train_set(name, budget, train_seed=1)))
        assert set(heard(train_set(name, budget))) != set(heard(train_set(name, budget, data_seed=1)))


def test_lessons_are_the_same_in_another_process() -> None:
    """Neither the hash seed nor the process decides an order."""
    code = (
        "from tests.trainset.test_train_set import train_set; from slubench.runtime.digest import digest;"
        "print(digest([[e.utterance, isinstance(e.parts[0], str)]"
        " for s in train_set('curriculum', '10%') for e in s.examples]))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "benchmark:."},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


def test_listing_lessons_needs_no_torch() -> None:
    code = "import sys, slubench.pipeline.train, slubench.pipeline.run; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "benchmark"}).returncode == 0


def own(pool: Pool, rng: Random) -> Iterator[Example]:
    rows = list(pool.pairs("de"))
    rng.shuffle(rows)
    for utterance in rows:
        assert utterance.clip is not None
        yield Example(
            (utterance.text, utterance.clip), as_reply(utterance.meaning), utterance.key, "de", weight=0.5
        )


def test_a_strategy_composes_its_own_lessons() -> None:
    """24 clips may be heard 72 times: three passes, and the last of five updates holds eight."""
    mine = Strategy(name="mine", stages=(Stage(learns_from=TEXT | SPEECH, compose=own),))
    (part,) = compose_with(mine, "10%")
    assert part.updates == 5
    assert len(part.examples) == 72
    assert part == compose_with(mine, "10%")[0]
    ledger = count((part,), PoolContents(SIZE), lambda clip: 6.0)
    assert ledger.clips_unique == {"de": 24}
    assert ledger.clip_exposures == ledger.text_exposures == {"de": 72}
    assert ledger.minutes_exposed["de"] == pytest.approx(7.2)


def beyond(pool: Pool, rng: Random) -> Iterator[Example]:
    bought = {utterance.key for utterance in pool.speech()}
    yield from (Example.spoken(u) for u in pool.text() if u.key not in bought)


def elsewhere(pool: Pool, rng: Random) -> Iterator[Example]:
    yield from (Example.spoken(u) for u in pool.speech("fr"))


def nothing(pool: Pool, rng: Random) -> Iterator[Example]:
    yield from ()


@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (beyond, BudgetError, "that is not in the budget 10%"),
        (elsewhere, BudgetError, "no speech in 'fr'.*allows speech in: de"),
        (nothing, DeclarationError, "yielded no example"),
    ],
)
def test_a_strategy_cannot_take_more_than_it_is_given(
    function: object, error: type[Exception], message: str
) -> None:
    stage = Stage(learns_from=SPEECH, compose=function)  # type: ignore[arg-type]
    with pytest.raises(error, match=message):
        compose_with(Strategy(name="greedy", stages=(stage,)), "10%")


def test_the_ledger_counts_what_the_lessons_hold() -> None:
    stages = train_set("curriculum", "5%")
    bought = Budget.parse("5%").buy(corpus(), 0, lambda utterance: 3.0)
    given = PoolContents(SIZE, [u.clip for u in bought if u.clip])
    ledger = count(stages, given, lambda clip: 3.0, ["a row"])
    assert ledger.clips_bought == 12
    assert ledger.minutes_bought == pytest.approx(0.6)
    assert ledger.clips_unique == {"de": 12}
    assert ledger.clip_exposures == {"de": 36}
    assert ledger.minutes_exposed["de"] == pytest.approx(1.8)
    assert ledger.text_unique == {"de": SIZE}
    assert ledger.text_exposures == {"de": 4 * SIZE - 36}
    assert ledger.updates == (30, 30)
    assert ledger.rejected == ("a row",)
    assert ledger == type(ledger).from_json(ledger.to_json())
