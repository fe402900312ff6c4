"""Comparisons in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from slubench.board.analysis.compare_runs import RunComparison
from slubench.board.comparisons import CLAIMS_FROM, Difference, Ranked, Ranking
from slubench.board.panel import Panel
from slubench.board.text import bought, budget, clipped, listed, points, rank_set, seeds


def summary_of(comparison: RunComparison) -> str:
    """The result of a comparison in a sentence or two."""
    first, second = (clipped(name, 60) for name in comparison.names)
    number = figures(comparison)
    where = place(comparison)
    verdict = comparison.difference.verdict
    better, worse = (first, second) if comparison.difference.value > 0 else (second, first)
    if not comparison.of_strategies or comparison.difference.seeds == 1:
        return _of_models(verdict, (better, worse), where, number)
    few = comparison.difference.seeds < CLAIMS_FROM
    models = (
        f"; with fewer than {CLAIMS_FROM} seeds, this is about these trained models, not about the strategies"
    )
    if verdict == "tie":
        return f"{first} and {second} tie {where}: {number}{models if few else ''}."
    if verdict == "not separated":
        counted = seeds(comparison.difference.seeds)
        return f"{first} and {second} are not separated {where} by {counted}: {number}; this is not a tie."
    if few:
        return f"{better}'s trained models are better than {worse}'s {where}: {number}{models}."
    # The sign of the figure is that of the order the two were named in.
    return f"{first} is {verdict} than {second} {where}: {number}."


def _of_models(verdict: str, names: tuple[str, str], where: str, number: str) -> str:
    better, worse = names
    if verdict == "tie":
        return f"These two trained models tie {where}: {number}."
    if verdict == "not separated":
        return f"These two trained models are not separated {where}: {number}; this is not a tie."
    differ = f"These two trained models differ {where}, although the strategies may not"
    return f"{differ}: {better} is better than {worse}, {number}."


def place(comparison: RunComparison) -> str:
    """Task, budget and slice, as in `on massive-de at 5 %`."""
    budgets = " against ".join(budget(one) for one in comparison.speech.split(" against "))
    at = f" at {budgets}" if comparison.speech != "0" else ""
    of = f" ({clipped(comparison.slice[0])}: {clipped(comparison.slice[1])})" if comparison.slice else ""
    given = "" if comparison.input == "speech" else f", {comparison.input} input"
    return f"on {clipped(comparison.task)}{at}{of}{given}"


def figures(comparison: RunComparison) -> str:
    """The difference with its interval, seeds and p."""
    difference = comparison.difference
    within = f"[{points(difference.low)}, {points(difference.high)}]"
    value = f"{points(difference.value, signed=True)} {clipped(comparison.title, 40)} {within}"
    return f"{value}, {seeds(difference.seeds)}, {p_value(difference)}"


def p_value(difference: Difference) -> str:
    """The p-value, and for how many comparisons it was corrected."""
    p = "p < 0.001" if difference.p < 0.001 else f"p = {difference.p:.3f}"
    many = difference.comparisons
    return p if many == 1 else f"{p} (Holm, {many} comparisons)"


def standings(panel: Panel) -> Iterator[str]:
    """One sentence for each budget."""
    engines = {ranking.engine for ranking in panel.findings.rankings}
    for ranking in panel.findings.rankings:
        yield _standing(ranking, f", {clipped(ranking.engine, 32)}" if len(engines) > 1 else "")


def ranks(row: Ranked) -> str:
    """The set of ranks a strategy may have."""
    return rank_set(row.first, row.last)


def _standing(ranking: Ranking, engine: str) -> str:
    lacking = f"; not ranked, missing: {'; '.join(ranking.missing)}" if ranking.missing else ""
    where = f"At {bought(ranking.speech, True)}{engine}"
    if not ranking.rows:
        return f"{where}: not ranked, missing: {'; '.join(ranking.missing)}."
    first = [clipped(row.strategy, 32) for row in ranking.rows if row.first == 1]
    others = [f"{clipped(row.strategy, 32)} (rank {ranks(row)})" for row in ranking.rows if row.first > 1]
    fewest = min(row.seeds for row in ranking.rows)
    found = f"{first[0]} is first" if len(first) == 1 else f"{listed(first)} are not separated"
    after = f"; then {', '.join(others)}" if others else ""
    few = f"; with {seeds(fewest)}, this is only about these trained models" if fewest < CLAIMS_FROM else ""
    return f"{where}: {found}{after}{few}{lacking}."
