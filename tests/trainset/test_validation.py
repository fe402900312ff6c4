"""Selection: what a run looks at beside what it learns, what that costs, and that the oracle stands apart."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from slubench.data.clips import ClipStore
from slubench.data.source import Source
from slubench.data.splits import find_pools, find_test, find_watched
from slubench.domain.budget import Budget
from slubench.domain.ledger import Ledger
from slubench.domain.run import Run
from slubench.domain.selection import SELECTIONS
from slubench.domain.utterance import Clip
from slubench.errors import MissingError, SlubenchError, UsageError
from slubench.pipeline.buy import check_no_leaks
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan
from slubench.pipeline.train import prepare
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.runtime.home import Home
from slubench.trainset.ledger import consumption
from slubench.trainset.purchase import Purchase, purchase
from slubench.trainset.train_set import StageExamples
from slubench.trainset.validation import ValidationSet, watch_run
from tests.command import headline, slubench
from tests.massive_mirror import SENTENCES, make_mirror, row, tone, write_split

REGISTRY = Registry()
TRAIN, VALIDATION = 40, 12


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """French and German, with a spoken validation split each."""
    root = tmp_path_factory.mktemp("mirror")
    for locale in ("fr-FR", "de-DE"):
        make_mirror(root, train=TRAIN, test=6, locale=locale)
        rows = []
        for number in range(5000, 5000 + VALIDATION):
            intent, annotated = SENTENCES[number % len(SENTENCES)]
            rows.append(row(number, intent, annotated, locale, "validation", tone(pitch=number / 10), "8"))
        write_split(root, "validation", rows, locale)
    return root


def source(mirror: Path) -> Source:
    return Source(Digests(mirror / "digests.json"), mirror, hub=False)


def a_context(home: Path, mirror: Path) -> Context:
    return Context(Home(home), REGISTRY, sources={"mini": source(mirror)})


def a_run(
    selection: str, speech: str = "50%", strategy: str = "direct-mix", task: str = "massive-fr-to-de"
) -> Run:
    return Run(
        task=REGISTRY.task(task),
        strategy=REGISTRY.strategy(strategy),
        budget=Budget.parse(speech),
        model=REGISTRY.model("tiny"),
        weights="w",
        selection=selection,
    )


def watched(
    run: Run, mirror: Path, tmp_path: Path
) -> tuple[Purchase, ValidationSet, tuple[StageExamples, ...], Ledger]:
    """What a run has to learn and looks at, its train set and its ledger."""
    store = ClipStore(tmp_path / "clips", 16_000, 6.0)
    pools = find_pools(run.task, source(mirror), run.spends)
    bought = purchase(run.task, pools, run.spends, 0, store, uses_speech=run.strategy.needs_speech)
    shards = find_watched(run.task, source(mirror), run.selects)
    left, looked = watch_run(run, bought, shards, store)
    return left, looked, *prepare(run, left, looked)


def heard(train_set: tuple[StageExamples, ...]) -> set[Clip]:
    parts = (part for stage in train_set for example in stage.examples for part in example.parts)
    return {part for part in parts if isinstance(part, Clip)}


def test_by_default_nothing_is_looked_at(mirror: Path, tmp_path: Path) -> None:
    _, looked, train_set, ledger = watched(a_run("last"), mirror, tmp_path)
    assert looked == ValidationSet("last")
    assert (ledger.selection, ledger.validation_clips, ledger.validation_texts, ledger.validation_ids) == (
        "last",
        0,
        0,
        "",
    )
    assert consumption(train_set).to_json()["watched"] == {}


def test_text_of_the_languages_learnt_is_watched_and_nothing_else_changes(
    mirror: Path, tmp_path: Path
) -> None:
    _, looked, train_set, ledger = watched(a_run("val-text"), mirror, tmp_path)
    assert {example.language for example in looked.examples} == {"fr"}  # of German nothing is looked at
    assert all(isinstance(part, str) for example in looked.examples for part in example.parts)
    assert (ledger.validation_texts, ledger.validation_clips, ledger.validation_minutes) == (
        VALIDATION,
        0,
        0.0,
    )
    _, _, plainly, _ = watched(a_run("last"), mirror, tmp_path)
    assert train_set == plainly
    assert len(consumption(train_set, looked.examples).to_json()["watched"]["fr"]) == VALIDATION


@pytest.mark.parametrize(("speech", "kept"), [("50%", 2), ("100%", 4), ("3", 1)])
def test_a_slice_of_the_bought_clips_is_watched_and_not_learnt(
    mirror: Path, tmp_path: Path, speech: str, kept: int
) -> None:
    left, looked, train_set, ledger = watched(a_run("val-clips", speech), mirror, tmp_path)
    assert len(looked.clips) == kept
    assert set(looked.clips) <= set(left.bought)
    assert not set(looked.clips) & heard(train_set)
    assert heard(train_set) | set(looked.clips) == set(left.bought)
    assert ledger.clips_bought == len(left.bought)
    assert ledger.validation_clips == kept
    assert ledger.validation_minutes == pytest.approx(kept * 0.5 / 60, rel=0.01)
    # What is heard in all is as the rules say, and what a smaller budget learns a larger one learns, too.
    _, _, _, other = watched(a_run("last", speech), mirror, tmp_path)
    assert sum(ledger.clip_exposures.values()) == sum(other.clip_exposures.values())
    if speech == "50%":
        _, _, more, _ = watched(a_run("val-clips", "100%"), mirror, tmp_path)
        assert heard(train_set) <= heard(more)


def test_too_few_clips_cannot_be_sliced(mirror: Path, tmp_path: Path) -> None:
    for run in (a_run("val-clips", "1"), a_run("val-clips", "50%", "text-only")):
        with pytest.raises(UsageError, match=r"Give more with --speech, or use --selection val-text"):
            watched(run, mirror, tmp_path)


def test_the_oracle_looks_at_clips_that_nobody_bought(mirror: Path, tmp_path: Path) -> None:
    left, looked, _, ledger = watched(a_run("oracle-selection"), mirror, tmp_path)
    assert len(looked.clips) == VALIDATION == ledger.validation_clips
    assert not set(looked.clips) & set(left.bought)
    assert ledger.validation_minutes == pytest.approx(VALIDATION * 0.5 / 60, rel=0.01)
    assert {example.language for example in looked.examples} == {"fr"}


def test_a_selection_is_part_of_what_a_run_is(mirror: Path, tmp_path: Path) -> None:
    context = a_context(tmp_path, mirror)
    planned = {name: plan(a_run(name), context) for name in SELECTIONS}
    assert len({one.trained for one in planned.values()}) == len(SELECTIONS)
    assert len({one.run.name for one in planned.values()}) == len(SELECTIONS)
    assert [one.run.rules for one in planned.values()] == [
        "fixed",
        "fixed",
        "fixed+val-clips",
        "fixed+oracle-selection",
    ]
    assert planned["last"].watched == planned["val-clips"].watched == ()
    # French trained once is asked in German, and looked at once.
    french = plan(a_run("oracle-selection", task="massive-fr"), context)
    assert french.trained == planned["oracle-selection"].trained
    silent = a_run("oracle-selection", strategy="zero-shot")
    assert (silent.selects, silent.rules) == ("last", "fixed")


def test_both_marks_stand_side_by_side() -> None:
    assert a_run("oracle-selection", "50%+stratified").rules == "fixed+stratified+oracle-selection"


def test_test_ids_may_not_be_looked_at(tmp_path: Path) -> None:
    root = make_mirror(tmp_path / "leak", train=10, test=4, locale="fr-FR")
    intent, annotated = SENTENCES[0]
    write_split(
        root, "validation", [row(10_001, intent, annotated, "fr-FR", "validation", tone(), "1")], "fr-FR"
    )
    planned = plan(a_run("oracle-selection", task="massive-fr"), a_context(tmp_path, root))
    assert find_test(planned.run.task, source(root)) == planned.test
    with pytest.raises(SlubenchError, match=r"1 test ids are in .*speech-massive/fr/validation: 10001"):
        check_no_leaks(planned)


def test_without_a_validation_split_it_is_said(tmp_path: Path) -> None:
    root = make_mirror(tmp_path / "none", train=10, test=4, locale="fr-FR")
    with pytest.raises(MissingError, match="validation"):
        find_watched(REGISTRY.task("massive-fr"), source(root), "oracle-selection")


def test_slurps_validation_split_is_devel(mirror: Path) -> None:
    for name in ("slurp", "slurp-sentences", "slurp-synthetic"):
        assert REGISTRY.task(name).validation == "devel"


def test_a_card_of_a_time_before_selections_is_read() -> None:
    content = Ledger().to_json()
    for name in ("selection", "validation_clips", "validation_minutes", "validation_texts", "validation_ids"):
        del content[name]
    assert Ledger.from_json(content) == dataclasses.replace(Ledger(), selection="last")


@pytest.mark.slow
def test_from_the_command_to_the_card_and_the_scores(mirror: Path, home: Path) -> None:
    options = ("--edition", "full", "--corpora", mirror, "--model", "tiny", "--engine", "transformers")
    run = ("run", "--task", "massive-de", "--home", home, *options, "--strategy", "direct-mix", "--json")
    rows = headline(slubench(*run, "--speech", "50%", "--selection", "oracle-selection"))
    assert rows["speech", "slu_f1"]["ruleset"] == "fixed+oracle-selection"
    (card,) = (json.loads(path.read_text("utf-8")) for path in (home / "adapters_registry").glob("*.json"))
    assert card["ruleset"] == "fixed+oracle-selection"
    assert (card["ledger"]["selection"], card["ledger"]["validation_clips"]) == (
        "oracle-selection",
        VALIDATION,
    )
    looks = card["training"]["watched"]
    assert looks[-1]["update"] == card["training"]["updates"]
    assert card["training"]["kept"] == min(looks, key=lambda look: look["loss"])["update"]
    (consumed,) = (home / "runs").glob("*/consumed.json")
    assert len(json.loads(consumed.read_text("utf-8"))["watched"]["de"]) == VALIDATION
    assert "Not ranked: the checkpoint was selected on spoken validation clips" in (
        slubench("leaderboard", "show", "--home", home, "--task", "massive-de").stdout
    )


def test_a_wrong_name_is_met_with_the_near_one() -> None:
    options = ("--task", "massive-de", "--strategy", "text-only", "--edition", "mini")
    ran = slubench("run", *options, "--selection", "oracle", code=2)
    assert "There is no selection 'oracle'. Did you mean oracle-selection?" in ran.stderr
