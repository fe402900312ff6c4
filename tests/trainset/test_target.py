"""Target data: what each condition opens, what it costs, and that it is part of what a run is."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import pytest

from slubench.data.clips import ClipStore
from slubench.data.source import Source
from slubench.data.splits import find_pools
from slubench.domain.budget import Budget
from slubench.domain.pool import BudgetError
from slubench.domain.run import Run
from slubench.domain.target import TARGETS
from slubench.errors import SlubenchError, UsageError
from slubench.pipeline.buy import check_no_leaks
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan
from slubench.pipeline.train import prepare
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.runtime.home import Home
from slubench.trainset.purchase import Purchase, purchase
from tests.massive_mirror import SENTENCES, make_mirror, row, tone, write_split

REGISTRY = Registry()
TASK = REGISTRY.task("massive-fr-to-de")
FR, DE, FEW = 20, 30, 6


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """French speech, German speech (the test, the few) and all German text."""
    root = make_mirror(tmp_path_factory.mktemp("mirror"), train=DE, test=4, locale="de-DE")
    make_mirror(root, train=FR, test=4, locale="fr-FR")
    few = []
    for number in range(3, 3 + FEW):
        intent, annotated = SENTENCES[number % len(SENTENCES)]
        few.append(row(number, intent, annotated, "de-DE", "train_115", tone(), "9"))
    write_split(root, "train_115", few)
    return root


def source(mirror: Path) -> Source:
    return Source(Digests(mirror / "digests.json"), mirror, hub=False)


def a_context(home: Path, mirror: Path) -> Context:
    return Context(Home(home), REGISTRY, sources={"mini": source(mirror)})


def a_run(speech: str, target: str, strategy: str = "direct-mix") -> Run:
    return Run(
        task=TASK,
        strategy=REGISTRY.strategy(strategy),
        budget=dataclasses.replace(Budget.parse(speech), target=target),
        model=REGISTRY.model("tiny"),
        weights="w",
    )


def fill(run: Run, mirror: Path, tmp_path: Path) -> Purchase:
    store = ClipStore(tmp_path / "clips", 16_000, 6.0)
    pools = find_pools(run.task, source(mirror), run.spends)
    return purchase(run.task, pools, run.spends, 0, store, uses_speech=run.strategy.needs_speech)


@pytest.mark.parametrize(
    ("target", "text", "speech"),
    [
        ("none", 0, 0),
        ("text", FEW, 0),
        ("text+speech", FEW, FEW),
        ("all-text", DE, 0),
        ("all-text+speech", DE, FEW),
    ],
)
def test_each_condition_opens_what_it_says(
    mirror: Path, tmp_path: Path, target: str, text: int, speech: int
) -> None:
    run = a_run("25%", target)
    bought = fill(run, mirror, tmp_path)
    pool = bought.pool
    assert len(pool.text("fr")) == FR
    assert len(pool.speech("fr")) == FR // 4
    if text:
        assert len(pool.text("de")) == text
    else:
        with pytest.raises(BudgetError, match=rf"no text in 'de'.*fr \({FR}\).*target data none"):
            pool.text("de")
    assert sum(u.language == "de" for u in pool.speech()) == speech
    assert (bought.written, bought.spoken, bought.target_spoken) == (FR + text, FR, speech)
    train_set, ledger = prepare(run, bought)
    batch = run.model.recipe(run.track).batch
    # U of RULES.md over the pools that the condition opens, and H_b over what is paid for.
    assert sum(ledger.updates) == -(-(3 * (FR + text) + FR + speech) // batch)
    assert sum(ledger.clip_exposures.values()) == min(3 * (FR // 4 + speech), FR + speech)
    assert (ledger.clips_bought, ledger.clips_there) == (FR // 4, FR)
    assert (ledger.target, ledger.target_clips) == (target, speech)
    assert set(ledger.text_unique) <= {"fr", "de"}
    assert sum(len(part.examples) for part in train_set) == batch * sum(ledger.updates)


def test_at_no_source_speech_the_target_speech_is_heard(mirror: Path, tmp_path: Path) -> None:
    run = a_run("0", "text+speech", "curriculum")
    assert run.budget.uses_speech
    bought = fill(run, mirror, tmp_path)
    _, ledger = prepare(run, bought)
    assert ledger.clips_bought == 0
    assert ledger.clips_unique == {"de": FEW}


def test_a_strategy_without_speech_hears_none_and_has_the_same_updates(mirror: Path, tmp_path: Path) -> None:
    run = a_run("25%", "text+speech", "text-only")
    bought = fill(run, mirror, tmp_path)
    assert bought.pool.speech() == ()
    _, ledger = prepare(run, bought)
    _, other = prepare(a_run("25%", "text+speech"), fill(a_run("25%", "text+speech"), mirror, tmp_path))
    assert sum(ledger.updates) == sum(other.updates)
    assert ledger.target_clips == 0


def test_the_condition_is_part_of_what_a_run_is(mirror: Path, tmp_path: Path) -> None:
    context = a_context(tmp_path, mirror)
    for strategy in ("direct-mix", "text-only"):
        plans = [plan(a_run("25%", target, strategy), context) for target in TARGETS]
        for one, other in itertools.combinations(plans, 2):
            assert one.trained != other.trained
            assert one.run.name != other.run.name
    shot = [plan(a_run("25%", target, "zero-shot"), context) for target in TARGETS]
    assert len({(one.scored, one.run.name, one.run.spends.target) for one in shot}) == 1


def test_monolingual_tasks_know_no_target_data(mirror: Path) -> None:
    with pytest.raises(UsageError, match=r"massive-de has no target data 'text'.*Available: none"):
        find_pools(REGISTRY.task("massive-de"), source(mirror), a_run("5%", "text").budget)


def test_the_published_few_are_bought_whatever_the_seed(mirror: Path, tmp_path: Path) -> None:
    task, budget = REGISTRY.task("massive-de"), Budget.parse("few115")
    pools = find_pools(task, source(mirror), budget)
    assert [shards.split for shards in pools] == ["train", "train_115"]
    store = ClipStore(tmp_path / "clips", 16_000, 6.0)
    for seed in (0, 1):
        bought = purchase(task, pools, budget, seed, store)
        assert [u.id for u in bought.pool.speech()] == [str(number) for number in range(3, 3 + FEW)]
        assert (bought.written, bought.spoken) == (DE, DE)
    with pytest.raises(UsageError, match="slurp has no published few"):
        find_pools(REGISTRY.task("slurp"), source(mirror), budget)


def test_a_test_id_in_the_target_data_is_refused(mirror: Path, tmp_path: Path) -> None:
    root = make_mirror(tmp_path / "leaking", train=5, test=4, locale="de-DE")
    make_mirror(root, train=5, test=4, locale="fr-FR")
    write_split(root, "train_115", [row(10_002, *SENTENCES[2], "de-DE", "train_115", tone(), "9")])
    context = a_context(tmp_path, root)
    check_no_leaks(plan(a_run("25%", "none"), context))
    with pytest.raises(SlubenchError, match=r"speech-massive/de/train_115: 10002"):
        check_no_leaks(plan(a_run("25%", "text"), context))
