"""Gap closed: where a strategy lies between text-only and direct mixing with all of the speech."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

import numpy as np

from slubench.board.analysis.pairing import Aligned, Evidence
from slubench.board.comparisons import Bounded, GapClosed, MinutesBracket
from slubench.board.runs import ScoredRun
from slubench.board.text import budget, listed
from slubench.metrics.contrasts import ratio
from slubench.metrics.statistics import MeanEstimate, Values

SHARES = ("2%", "5%", "10%", "25%", "100%")
"""Budgets of the headline besides 0, where a strategy that needs speech counts as text-only (RULES.md)."""
LEVELS = (0.5, 0.8)
_ALONE, _WHOLE = "text-only at 0", "direct-mix at 100 %"
_GAP = {0: -1.0, 1: 1.0}

Group = Sequence[ScoredRun]


def closure_of(
    groups: Sequence[Group], alone: Group | None, whole: Group | None, evidence: Evidence
) -> GapClosed:
    """A strategy's gap closed, and the speech needed to close 50 % and 80 % of the gap.

    Cells that were not run are said to be missing and never filled in; so is all that rests on them. A cell
    with too few seeds is left out by itself. At 0 a strategy takes text-only's value, unless it was measured
    there: it may use speech of the target language.

    Args:
        groups: Its runs, a group a budget.
        alone: Text-only's runs at 0.
        whole: Direct mixing's runs at 100 %.
        evidence: Of the panel.
    """
    first = groups[0][0]
    at_none = [group for group in groups if group[0].speech == "0"][:1]
    groups = sorted((group for group in groups if group[0].speech != "0"), key=_minutes)
    empty = GapClosed(strategy=first.strategy, engine=str(first.row["engine"]), seeds=0, headline=None)
    ends = [name for name, end in ((_ALONE, alone), (_WHOLE, whole)) if not end]
    if alone is None or whole is None or ends:
        return replace(empty, missing=tuple(ends))
    gap = evidence.aligned([alone, whole])
    if gap is None:
        return replace(empty, missing=(f"{_ALONE}: {evidence.lacking([alone, whole], _WHOLE)}",))
    if (why := _no_gap(gap)) is not None:
        return replace(empty, seeds=gap.seeds, missing=(why,))
    lacking = [budget(share) for share in SHARES if share not in [group[0].speech for group in groups]]
    missing = [f"runs at {listed(lacking)}"] if lacking else []
    kept: list[tuple[Group, Aligned]] = []
    for group in groups:
        found = evidence.aligned([alone, whole, group])
        if found is None:
            why = evidence.lacking([alone, whole, group], f"{_ALONE} and {_WHOLE}")
            missing.append(f"at {budget(group[0].speech)} {why}")
        elif _no_gap(found) is not None:
            missing.append(
                f"a significant gap: on the {found.seeds} seeds at {budget(group[0].speech)}, {_WHOLE} is"
                f" not shown to be better than {_ALONE}"
            )
        else:
            kept.append((group, found))
    if not kept:
        return replace(empty, missing=tuple(missing))
    shares = tuple(
        (group[0].speech, float(group[0].row["speech_share"]), span)
        for group, found in kept
        if (span := _share(found, {2: 1.0, 0: -1.0}, _weights(found, _GAP))) is not None
    )
    headline, seeds = None, max(found.seeds for _, found in kept)
    if not missing:
        by_share = {group[0].speech: group for group, _ in kept}
        cells = [by_share[share] for share in SHARES] + at_none
        six = evidence.aligned([alone, whole, *cells])
        # Where there is no run at 0, text-only stands in for the strategy there; it is taken away six times.
        mean = {0: (0.0 if at_none else 1 / 6) - 1.0, **{2 + at: 1 / 6 for at in range(len(cells))}}
        headline = _share(six, mean, _weights(six, _GAP)) if six is not None else None
        if six is None or headline is None:
            missing.append("two seeds shared by all budgets, with a significant gap")
        else:
            seeds = six.seeds
    return replace(
        empty,
        seeds=seeds,
        headline=headline,
        shares=shares,
        minutes=tuple((level, _minutes_to(level, kept)) for level in LEVELS),
        missing=tuple(missing),
    )


def _no_gap(found: Aligned) -> str | None:
    """Why the first two cells have no gap to close, None if they have one."""
    gap = found.measured.estimate(_weights(found, _GAP))
    if gap.value > 0 and gap.low > 0:
        return None
    if gap.value <= 0 and gap.high < 0:
        return f"a gap: {_WHOLE} is worse than {_ALONE}"
    return f"a significant gap: {_WHOLE} is not shown to be better than {_ALONE}"


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


def _minutes_to(level: float, kept: Sequence[tuple[Group, Aligned]]) -> MinutesBracket:
    found = [one.measured.estimate(_weights(one, {0: level - 1.0, 1: -level, 2: 1.0})) for _, one in kept]
    return minutes_bracket([_minutes(group) for group, _ in kept], found)


def minutes_bracket(minutes: Sequence[float], beyond: Sequence[MeanEstimate]) -> MinutesBracket:
    """Minutes of speech to close a share of the gap, between measured budgets.

    The true curve is taken not to fall with more speech, and nothing else. From the smallest budget upwards
    each is tested for closing less than the share, up to the first that is not shown to; from the largest
    downwards each for closing more. The true amount lies between what these two walks reach unless the very
    next budget of one of them is misjudged, which happens in 2.5 % each, so no correction for the number of
    budgets is due (Maurer, Hothorn & Lehmacher 1995, "Multiple comparisons in drug clinical trials and
    preclinical assays: a-priori ordered hypotheses").

    Args:
        minutes: Of each budget, rising.
        beyond: By how much each closes more than the share, times the gap, with its 95 % interval.
    """
    low, high = 0.0, None
    for amount, one in zip(minutes, beyond, strict=True):
        if one.high >= 0:
            break
        low = amount
    for amount, one in zip(minutes[::-1], beyond[::-1], strict=True):
        if one.low <= 0:
            break
        high = amount
    reached = next((at for at, one in enumerate(beyond) if one.value >= 0), None)
    return MinutesBracket(
        low=low,
        high=high,
        after=minutes[-1] if reached is None else [0.0, *minutes][reached],
        by=None if reached is None else minutes[reached],
        most=minutes[-1],
    )
