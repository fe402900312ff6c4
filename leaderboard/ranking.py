"""Ranking at each budget: mean paired difference to direct mixing, with the ranks a strategy may have."""

from collections.abc import Sequence
from typing import NamedTuple

from slubench.board.comparisons import CLAIMS_FROM, Difference
from slubench.board.panel import Estimate, Panel
from slubench.board.sentences import ranks
from slubench.board.view import Column, Table, View


class RankingRow(NamedTuple):
    """A strategy at one budget."""

    strategy: str
    speech: str
    share: float
    uses_speech: bool
    ranks: str
    best: int
    difference: Difference | None
    verdict: str
    seeds: int
    runs: tuple[str, ...]

    @property
    def estimate(self) -> Estimate:
        """The difference as drawn; direct mixing itself is at 0."""
        if self.difference is None:
            return Estimate(0.0, seeds=self.seeds)
        many = self.difference.comparisons
        kind = f"95 % interval of the paired difference, corrected for {many} pairs, {self.seeds} seeds"
        return Estimate(self.difference.value, self.difference.low, self.difference.high, self.seeds, kind)


def rows_of(panel: Panel) -> Sequence[RankingRow]:
    """Every ranked strategy, budget by budget."""
    return [
        RankingRow(
            strategy=row.strategy,
            speech=ranking.speech,
            share=ranking.share,
            uses_speech=True,
            ranks=ranks(row),
            best=row.first,
            difference=row.difference,
            verdict=verdict_of(row.difference),
            seeds=row.seeds,
            runs=row.runs,
        )
        for ranking in panel.findings.rankings
        for row in ranking.rows
    ]


def verdict_of(difference: Difference | None) -> str:
    """The result in words; with few seeds, it is only about trained models."""
    if difference is None:
        return "the baseline"
    if difference.seeds < CLAIMS_FROM and difference.verdict in ("better", "worse"):
        return f"{difference.verdict} (these trained models only)"
    return difference.verdict


def p_of(row: RankingRow) -> str | None:
    """The formatted corrected p-value."""
    if row.difference is None:
        return None
    return "<\u202f0.001" if row.difference.p < 0.001 else f"{row.difference.p:.3f}"


RANKING = View(
    name="ranking",
    title="Ranking by budget",
    order=12,
    note="SLU-F1 minus that of direct-mix on the same clips, seeds and sentences. Ranks are all ranks "
    "compatible with the data (95 %, all pairs together); p and intervals are corrected for all pairs at "
    "the budget, so an interval contains 0 if a pair is not separated. Tie: the interval lies within half "
    "a point of 0; not separated does not mean a tie.",
    shows=Table(
        rows=rows_of,
        columns=(
            Column(title="Strategy", of=lambda row: row.strategy, form="text", group=""),
            Column(title="Speech", of=lambda row: row.share, form="budget", group="", rising=True),
            Column(
                title="Ranks",
                of=lambda row: row.ranks,
                form="text",
                group="",
                about="all ranks of the strategy at this budget that are compatible with the data",
            ),
            Column(
                title="vs. direct-mix",
                of=lambda row: row.estimate,
                form="difference",
                group="",
                about="mean paired difference in SLU-F1",
                drawn=True,
            ),
            Column(title="Result", of=lambda row: row.verdict, form="text", group=""),
            Column(
                title="p",
                of=p_of,
                form="text",
                group="",
                about="p-value of no difference, corrected for all comparisons at this budget (Holm)",
                quiet=True,
            ),
            Column(title="Seeds", of=lambda row: row.seeds, form="count", group="", quiet=True),
        ),
    ),
)
