"""Gap closed: where a strategy stands between reading alone and direct mixing with all of the speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

import numpy as np

from slubench.board.analysis.pairing import Aligned, Evidence
from slubench.board.comparisons import Bounded, GapClosed
from slubench.board.runs import ScoredRun
from slubench.board.text import budget, listed
from slubench.metrics.contrasts import ratio
from slubench.metrics.statistics import Values

SHARES = ("2%", "5%", "10%", "25%", "100%")
"""Budgets of the headline beside 0, where a strategy that needs speech stands at text-only (RULES.md)."""
LEVELS = (0.5, 0.8)
_POINTS_A_SEGMENT = 24

Group = Sequence[ScoredRun]


def closure_of(
    groups: Sequence[Group], alone: Group | None, whole: Group | None, evidence: Evidence
) -> GapClosed:
    """A strategy's gap closed, with what it takes to close half of it and 80 % of it.

    Cells that were not run are said to be missing and never filled in; so is all that rests on them. At 0 a
    strategy takes text-only's value, unless it was measured there: it may hear the target language.

    Args:
        groups: Its runs, a group a budget.
        alone: Text-only's runs at 0.
        whole: Direct mixing's runs at 100 %.
        evidence: Of the panel.
    """
    first = groups[0][0]
    at_none = [group for group in groups if group[0].speech == "0"][:1]
    groups = sorted((group for group in groups if group[0].speech != "0"), key=_minutes)
    strategy, engine = str(first.row["strategy"]), str(first.row["engine"])
    ends = [name for name, end in (("text-only at 0", alone), ("direct-mix at 100 %", whole)) if not end]
    if alone is None or whole is None or ends:
        return GapClosed(strategy=strategy, engine=engine, seeds=0, headline=None, missing=tuple(ends))
    lacking = tuple(budget(share) for share in SHARES if share not in [group[0].speech for group in groups])
    found = evidence.aligned([alone, whole, *groups, *at_none])
    if found is None:
        return GapClosed(
            strategy=strategy,
            engine=engine,
            seeds=0,
            headline=None,
            missing=(*lacking, "two seeds that all these cells share"),
        )
    way = _weights(found, {0: -1.0, 1: 1.0})
    speeches = [group[0].speech for group in groups]
    spans = [
        (speech, float(groups[at][0].row["speech_share"]), _share(found, {at + 2: 1.0, 0: -1.0}, way))
        for at, speech in enumerate(speeches)
    ]
    shares = tuple((speech, share, span) for speech, share, span in spans if span is not None)
    if not shares:
        missing = (*lacking, "a gap: these runs do not separate direct-mix at 100 % from text-only")
        return GapClosed(strategy=strategy, engine=engine, seeds=found.seeds, headline=None, missing=missing)
    six = {2 + speeches.index(share): 1 / 6 for share in SHARES if share in speeches}
    # Where there is no run at 0, text-only stands in for the strategy there; it is taken away six times.
    none = {2 + len(groups): 1 / 6, 0: -1.0} if at_none else {0: 1 / 6 - 1.0}
    headline = _share(found, {**six, **none}, way) if not lacking else None
    minutes = [0.0, *(_minutes(group) for group in groups)]
    return GapClosed(
        strategy=strategy,
        engine=engine,
        seeds=found.seeds,
        headline=headline,
        shares=shares,
        minutes=tuple((level, _minutes_to(level, found, minutes)) for level in LEVELS),
        most=minutes[-1],
        missing=(f"its runs at {listed(lacking)}",) if lacking else (),
    )


def _share(found: Aligned, above: dict[int, float], below: Values) -> Bounded | None:
    closed = ratio(found.measured, _weights(found, above), below)
    if closed is None:
        return None
    return Bounded(closed.value, _bounded(closed.low), _bounded(closed.high))


def _bounded(end: float) -> float | None:
    return end if math.isfinite(end) else None


def _weights(found: Aligned, filled: dict[int, float]) -> Values:
    weights = np.zeros(len(found.measured.means))
    for place, weight in filled.items():
        weights[place] += weight
    return weights


def _minutes(group: Group) -> float:
    return fmean(float(run.row["minutes_bought"] or 0.0) for run in group)


def _minutes_to(level: float, found: Aligned, minutes: Sequence[float]) -> Bounded:
    """Minutes to close a share of the gap, between budgets on a straight line.

    The set of all amounts at which the interval of what is closed holds the level; told by its ends. An end
    is None where the set goes on beyond the largest budget, the value where the level is not reached.
    """
    target = _weights(found, {0: level - 1.0, 1: -level})

    def at(segment: int, part: float) -> Values:
        start, end = (0 if segment == 0 else segment + 1), segment + 2
        return target + _weights(found, {start: 1 - part, end: part})

    value, held = None, []
    before = float(at(0, 0.0) @ found.measured.means)
    for segment in range(len(minutes) - 1):
        for part in np.linspace(0, 1, _POINTS_A_SEGMENT + 1)[1:]:
            weights = at(segment, float(part))
            amount = minutes[segment] + float(part) * (minutes[segment + 1] - minutes[segment])
            now = float(weights @ found.measured.means)
            if value is None and before < 0 <= now:
                step = (minutes[segment + 1] - minutes[segment]) / _POINTS_A_SEGMENT
                value = amount - step * now / (now - before)
            before = now
            if found.measured.excess(weights) <= 0:
                held.append(amount)
    low = min(held, default=value)
    high = max(held, default=value)
    if high is not None and high >= minutes[-1] * (1 - 1e-9):
        high = None
    if value is not None:
        low, high = min(low or 0.0, value), high if high is None else max(high, value)
    return Bounded(value, low, high)
