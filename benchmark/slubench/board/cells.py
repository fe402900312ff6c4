"""Sorts the runs of a panel into cells: a strategy, budget, engine and tier each, a run a pair of seeds."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import combinations

from slubench.board.panel import Measure
from slubench.board.runs import ScoredRun
from slubench.board.text import budget, clipped, listed

AGREE = 0.002
"""Engines may stand in for one another where their metrics agree within 0.2 points (RULES.md)."""
COMPARED = tuple(
    Measure(metric, kind)
    for metric in ("slu_f1", "intent_accuracy", "exact_match")
    for kind in ("speech", "text")
)


def cells_of(runs: Iterable[ScoredRun]) -> list[list[ScoredRun]]:
    """The runs of each cell of a panel, one for each pair of seeds.

    Runs of the same seeds that another version of the engine, another way of serving or another selection
    answered stand in one cell where their metrics agree, and else in cells of their own.
    """
    return [newest(cell) for group in grouped(runs, cell_key) for cell in _told_apart(group)]


def grouped(runs: Iterable[ScoredRun], key: Callable[[ScoredRun], Hashable]) -> list[list[ScoredRun]]:
    """Runs by a key, in the order in which keys come."""
    groups: dict[Hashable, list[ScoredRun]] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return list(groups.values())


def newest(runs: Sequence[ScoredRun]) -> list[ScoredRun]:
    """One run for each pair of seeds, the one made last, of several scorings the latest, by rising seeds."""
    kept: dict[tuple[int, int], ScoredRun] = {}
    for run in sorted(runs, key=_age):
        kept[run.seeds] = run
    return [kept[seeds] for seeds in sorted(kept)]


def variants_told(runs: Iterable[ScoredRun]) -> Iterator[str]:
    """A sentence for each cell whose seeds were answered in several ways."""
    for group in grouped(runs, cell_key):
        kinds = grouped(group, _variant)
        if len(kinds) < 2 or not _shared(kinds):
            continue
        where = f" at {budget(group[0].speech)}" if group[0].speech != "0" else ""
        ways = listed(sorted(clipped(", ".join(_variant(kind[0])), 60) for kind in kinds))
        apart = len(_told_apart(group)) > 1
        yield f"{clipped(group[0].strategy, 40)}{where} was answered by {ways}: " + (
            "they differ by more than 0.2 points and stand in rows of their own."
            if apart
            else "they agree within 0.2 points and stand in one row."
        )


def namesakes(runs: Iterable[ScoredRun]) -> Iterator[str]:
    """A sentence for each strategy or model that does not bear its name alone."""
    strategies = {(run.strategy, str(run.row["strategy"])) for run in runs}
    models = {(run.model, str(run.row["model"])) for run in runs}
    for what, names, why in (
        ("strategy", strategies, "its file, or what its functions reach, is another"),
        ("model", models, "its weights are others"),
    ):
        for label, name in sorted(names):
            if label != name:
                yield f"{clipped(label, 80)} is not the only {what} that is named {clipped(name, 40)}: {why}."


def cell_key(run: ScoredRun) -> tuple[str, str, str, str]:
    """What runs of one cell share, unless versions of the engine or ways of serving disagree."""
    return run.strategy, run.speech, run.engine, run.row["tier"]


def _variant(run: ScoredRun) -> tuple[str, str, str]:
    return str(run.row["engine"]), str(run.row["serving"]), str(run.row["selection"])


def _age(run: ScoredRun) -> tuple[object, int, str, str]:
    scorer = str(run.row["scorer_version"])
    number = int(scorer) if scorer.isdecimal() else 0
    return run.row["created"], number, scorer, run.row["scores_fingerprint"]


def _told_apart(group: Sequence[ScoredRun]) -> list[list[ScoredRun]]:
    kinds = grouped(group, _variant)
    alike = all(_agree(one, other) for one, other in _shared(kinds))
    return [list(group)] if alike else kinds


def _shared(kinds: Sequence[Sequence[ScoredRun]]) -> list[tuple[ScoredRun, ScoredRun]]:
    """Pairs of runs of the same seeds that were answered in two ways."""
    by_seeds = [{run.seeds: run for run in newest(kind)} for kind in kinds]
    return [
        (one[seeds], other[seeds])
        for one, other in combinations(by_seeds, 2)
        for seeds in sorted(one.keys() & other.keys())
    ]


def _agree(one: ScoredRun, other: ScoredRun) -> bool:
    return all(
        abs(one.measures[measure].value - other.measures[measure].value) <= AGREE + 1e-9
        for measure in COMPARED
        if measure in one.measures and measure in other.measures
    )
