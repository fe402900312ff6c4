"""What each speech budget of a panel comes to: the best strategies, and their gain over text-only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from slubench.board.comparisons import Difference, Ranking
from slubench.board.panel import RANKED_TIERS, Cell, Panel, representative

USUAL = "5%"
"""The budget that speaks for a task where it was run (RULES.md, "Budgets")."""


@dataclass(frozen=True, kw_only=True)
class BudgetAnswer:
    """The result at one budget.

    Attributes:
        speech: The budget.
        share: Clips bought over clips there.
        minutes: Minutes bought, None where no run tells them.
        cells: The strategies that use speech there, best first, one cell each.
        first: Those of them that may be the best; empty where no ranking tells.
        alone: Text-only without speech, None where it was not run.
        gain: The best of `first` (else of `cells`) minus text-only, paired; None where it cannot be paired.
    """

    speech: str
    share: float
    minutes: float | None
    cells: tuple[Cell, ...]
    first: tuple[Cell, ...]
    alone: Cell | None
    gain: Difference | None

    @property
    def best(self) -> Cell:
        """The best cell: of `first`, where a ranking tells them."""
        return (self.first or self.cells)[0]

    @property
    def unpaired(self) -> float | None:
        """The difference of the two scores, None without text-only."""
        ours, theirs = (
            cell.estimate("slu_f1") if cell is not None else None for cell in (self.best, self.alone)
        )
        return ours.value - theirs.value if ours is not None and theirs is not None else None


def proven_cells(panel: Panel) -> list[Cell]:
    """One cell for each strategy and budget with an SLU-F1 on speech, best first.

    What was handed in and not trained again is in the tables, marked, and not in what they come to. Of
    several engines, the one with the most seeds speaks.
    """
    cells = [cell for cell in panel.cells if cell.tier in RANKED_TIERS and cell.estimate("slu_f1")]
    alike: dict[tuple[str, str], list[Cell]] = {}
    for cell in cells:
        alike.setdefault((cell.strategy, cell.speech), []).append(cell)
    chosen = {key: representative(some) for key, some in alike.items()}
    return [cell for cell in cells if chosen[cell.strategy, cell.speech] is cell]


def answers_of(panel: Panel) -> list[BudgetAnswer]:
    """An answer for each budget at which speech was bought, by rising share."""
    cells = proven_cells(panel)
    alone = panel.reading_alone()
    by_budget: dict[str, list[Cell]] = {}
    for cell in cells:
        if cell.uses_speech and cell.speech != "0":
            by_budget.setdefault(cell.speech, []).append(cell)
    found = [_answer(panel, some, alone if alone in cells else None) for some in by_budget.values()]
    return sorted(found, key=lambda one: (one.share, one.speech))


def usual_answer(answers: Sequence[BudgetAnswer]) -> BudgetAnswer | None:
    """The answer that is shown first: at the default budget, or at the nearest to it."""
    return min(
        answers, key=lambda one: (one.speech != USUAL, abs(one.share - 0.05), one.speech), default=None
    )


def ranking_at(panel: Panel, speech: str) -> Ranking | None:
    """The ranking at a budget, for the engine with the most rows."""
    at = [one for one in panel.findings.rankings if one.speech == speech]
    return max(at, key=lambda one: len(one.rows), default=None)


def _answer(panel: Panel, cells: Sequence[Cell], alone: Cell | None) -> BudgetAnswer:
    speech = cells[0].speech
    ranking = ranking_at(panel, speech)
    ranked = {row.strategy: row for row in ranking.rows} if ranking is not None else {}
    shown = [cell for cell in cells if cell.strategy in ranked and ranked[cell.strategy].runs == cell.runs]
    first = tuple(cell for cell in shown if ranked[cell.strategy].first == 1)
    minutes = [cell.counts["minutes_bought"] for cell in cells if "minutes_bought" in cell.counts]
    best = (first or tuple(cells))[0]
    gain = (
        ranking.between(best.strategy, alone.strategy) if ranking is not None and alone is not None else None
    )
    return BudgetAnswer(
        speech=speech,
        share=cells[0].share,
        minutes=fmean(minutes) if minutes else None,
        cells=tuple(cells),
        first=first,
        alone=alone,
        gain=gain,
    )
