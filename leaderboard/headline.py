"""The headline: what a budget of speech gains over text alone, in one line and one curve over minutes."""

from collections.abc import Iterator, Mapping, Sequence
from math import expm1, log1p
from typing import Any

import altair as alt

from slubench.board.analysis.budget_answers import BudgetAnswer, answers_of, proven_cells, usual_answer
from slubench.board.comparisons import CLAIMS_FROM
from slubench.board.panel import Cell, Estimate, Panel
from slubench.board.site.plot_marks import FITTED, SERIES_COLOUR, SERIES_DASH, SERIES_SHAPE, apart
from slubench.board.site.plot_style import mark_of
from slubench.board.text import (
    bought,
    budget,
    clipped,
    count,
    duration,
    heading,
    interval,
    language,
    listed,
    points,
    seeds,
    whole_points,
)
from slubench.board.view import BudgetLine, Headline, Plot, View

HEIGHT = 300
LABEL = 0.07  # part of the height that a line of writing takes
DODGE = 0.06  # in units of log(1 + minutes): strategies at one budget stand side by side
TICK = 0.11  # part of the width that a budget takes below the curve
UNTESTED = " (not tested)"
NAMED = 3  # strategies in the line


def lines_of(panel: Panel) -> Sequence[BudgetLine]:
    """A line for each budget; where no speech was used, one that says so."""
    answers = answers_of(panel)
    usual = usual_answer(answers)
    if usual is None:
        return list(without_speech(panel))
    ordered = [usual, *(one for one in answers if one is not usual)]
    return [
        BudgetLine(
            budget=clipped(one.speech),
            label=f"{minutes(one)} ({budget(one.speech)})" if one.minutes else budget(one.speech),
            line=line_of(panel, one, [other for other in answers if other is not one]),
            order=one.share,
            note=note_of(one),
        )
        for one in ordered
    ]


def without_speech(panel: Panel) -> Iterator[BudgetLine]:
    """The line of a panel on which no run has used speech of the budget."""
    cells = proven_cells(panel)
    if cells:
        best = cells[0]
        yield BudgetLine(
            budget="0",
            label="0",
            line=f"{heading(panel)}: {clipped(best.strategy, 40)} reaches {with_interval(best)} in SLU-F1;"
            " no run has used speech of a budget yet.",
        )


def line_of(panel: Panel, one: BudgetAnswer, others: Sequence[BudgetAnswer]) -> str:
    """One budget in full, the others by their gains."""
    spoken = listed([language(code) for code in panel.speech_in])
    tested = f", tested in {language(panel.test_in)}" if panel.cross_lingual else ""
    gains = [f"{minutes(other)}: {short_gain(other)}" for other in others if other.unpaired is not None]
    said = [f"{minutes(one)} of {spoken} speech{tested}: {gain_of(one)}{who(one)}", *gains]
    # Where no gain is tested this is said once.
    if gains and all(each.gain is None for each in (one, *others)):
        said = [*(part.replace(UNTESTED, "") for part in said), "not tested yet"]
    return f"{'; '.join(said)}."


def minutes(one: BudgetAnswer) -> str:
    """The amount of speech, in minutes where they are known."""
    return duration(60 * one.minutes) if one.minutes else budget(one.speech)


def short_gain(one: BudgetAnswer) -> str:
    """The gain of the best, with what a reader must not overlook."""
    value = one.gain.value if one.gain is not None else one.unpaired
    if value is None:
        return ""
    if one.gain is None:
        return f"{whole_points(value)}{UNTESTED}"
    return whole_points(value) + ("" if one.gain.verdict in ("better", "worse") else " (not significant)")


def gain_of(one: BudgetAnswer) -> str:
    """The gain in words; the score itself without text-only to compare with."""
    if one.unpaired is None:
        return f"{points(score(one.best).value)} in SLU-F1"
    value = one.gain.value if one.gain is not None else one.unpaired
    doubt = ""
    if one.gain is None:
        doubt = UNTESTED
    elif one.gain.verdict not in ("better", "worse"):
        doubt = " (not significant)"
    unit = " point" if whole_points(value).strip("+\N{MINUS SIGN}") == "1" else " points"
    return f"{whole_points(value)}{unit} over text-only{doubt}"


def who(one: BudgetAnswer) -> str:
    """Which strategies may be the best."""
    names = [clipped(cell.strategy, 40) for cell in one.first]
    if len(one.cells) == 1:
        return f" with {clipped(one.best.strategy, 40)}"
    if not names:
        return f" with {clipped(one.best.strategy, 40)}"
    if len(names) == 1:
        return f", {names[0]} best"
    more = [f"{len(names) - NAMED} others"] if len(names) > NAMED else []
    return f", {listed([*names[:NAMED], *more])} not distinguishable"


def note_of(one: BudgetAnswer) -> str:
    """Scores with intervals, the paired gain, and for how many seeds it holds."""
    shown = listed([f"{clipped(cell.strategy, 40)} {with_interval(cell)}" for cell in one.cells[: NAMED + 1]])
    rest = f" and {len(one.cells) - NAMED - 1} more" if len(one.cells) > NAMED + 1 else ""
    clips = one.best.counts.get("clips_bought")
    amount = f" ({count(clips)} clips)" if clips else ""
    said = [f"At {budget(one.speech)}{amount}, SLU-F1: {shown}{rest}."]
    if one.alone is not None:
        said.append(f"Text-only, without speech: {with_interval(one.alone)}.")
    if one.gain is not None:
        ends = f"{points(one.gain.low)} to {points(one.gain.high)}"
        value = points(one.gain.value, signed=True)
        said.append(f"Paired gain of {clipped(one.best.strategy, 40)}: {value} ({ends}).")
    elif one.alone is not None:
        said.append("The gain is not tested: at least two shared seeds with replicates are needed.")
    fewest = min(len(cell.seeds) for cell in (*one.cells, *([one.alone] if one.alone else [])))
    if fewest < CLAIMS_FROM:
        said.append(f"{seeds(fewest).capitalize()}: about these trained models, not yet about strategies.")
    return " ".join(said)


def score(cell: Cell) -> Estimate:
    """SLU-F1 on speech, which every cell of an answer has."""
    estimate = cell.estimate("slu_f1")
    assert estimate is not None
    return estimate


def with_interval(cell: Cell) -> str:
    """The score, with its interval in brackets."""
    within = interval(score(cell))
    return f"{points(score(cell).value)} ({within})" if within else points(score(cell).value)


def rows_of(panel: Panel) -> Iterator[dict[str, Any]]:
    """Points, the start of each curve, the reference, a tick a budget, and the names at the right edge."""
    answers = [one for one in answers_of(panel) if one.minutes]
    alone = answers[0].alone if answers else None
    strategies = sorted({cell.strategy for one in answers for cell in one.cells})
    ends: dict[str, tuple[Cell, float]] = {}
    for one in answers:
        for cell in one.cells:
            aside = strategies.index(cell.strategy) - (len(strategies) - 1) / 2
            place = expm1(log1p(one.minutes or 0.0) + DODGE * aside)
            yield row_of(cell, "point") | {"x": place, "budget": clipped(one.speech)}
            ends[cell.strategy] = cell, 100 * score(cell).value
    if alone is not None:
        for cell, _ in ends.values():
            yield row_of(cell, "start") | {"x": 0.0, "value": 100 * score(alone).value}
        yield row_of(alone, "alone") | {"x": 0.0}
        ends[alone.strategy] = alone, 100 * score(alone).value
    for one in answers:
        yield {"role": "chosen", "x": one.minutes, "budget": clipped(one.speech)}
    yield from ticks_of(answers)
    values = [100 * end for one in answers for cell in one.cells for end in span(score(cell))]
    gap = LABEL * ((max(values) - min(values)) if values else 0.0)
    named = sorted(ends.values(), key=lambda end: end[1])
    for (cell, _), place in zip(named, apart([value for _, value in named], gap), strict=True):
        yield mark_of(cell) | {"role": "name", "label": place, "text": clipped(cell.strategy, 18)}


def ticks_of(answers: Sequence[BudgetAnswer]) -> Iterator[dict[str, Any]]:
    """Budgets below the curve; what would be written over another one is left out, the usual one last."""
    if not answers:
        return
    usual = usual_answer(answers)
    most = log1p(max(one.minutes or 0.0 for one in answers))
    taken = [0.0]
    yield {"role": "tick", "x": 0.0, "text": ["0", "text only"]}
    for one in sorted(answers, key=lambda one: (one is not usual, -(one.minutes or 0.0))):
        place = log1p(one.minutes or 0.0) / most
        if all(abs(place - other) >= TICK for other in taken):
            taken.append(place)
            yield {"role": "tick", "x": one.minutes, "text": [minutes(one), budget(one.speech)]}


def span(estimate: Estimate) -> tuple[float, float]:
    """The ends of an interval, or the value twice."""
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    return low, high


def row_of(cell: Cell, role: str) -> dict[str, Any]:
    """One row of the plot's data; scores in points."""
    estimate = score(cell)
    return mark_of(cell) | {
        "role": role,
        "speech": bought(cell.speech, cell.uses_speech),
        "value": 100 * estimate.value,
        "low": None if estimate.low is None else 100 * estimate.low,
        "high": None if estimate.high is None else 100 * estimate.high,
        "score": with_interval(cell),
        "interval": estimate.kind,
    }


def chart() -> Mapping[str, Any]:
    """Curves over minutes on a log scale, named at their right ends."""
    scale = alt.Scale(type="symlog", constant=1, domainMin=0, nice=False, padding=26)
    x = alt.X("x:Q", scale=scale, axis=alt.Axis(labels=False, ticks=False, grid=False), title=None)
    y = alt.Y("value:Q", scale=alt.Scale(zero=False, nice=True), title=None)
    tooltip = [
        alt.Tooltip("strategy:N", title="Strategy"),
        alt.Tooltip("speech:N", title="Speech"),
        alt.Tooltip("score:N", title="SLU-F1"),
        alt.Tooltip("seeds:Q", title="Seeds"),
        alt.Tooltip("interval:N", title="Interval"),
    ]
    every = alt.Chart(alt.NamedData(name="rows"))

    def of(role: str) -> alt.Chart:
        return every.transform_filter(f"datum.role == '{role}'")

    layers = (
        of("chosen").mark_rule(strokeWidth=44, opacity=0.1, color="var(--link)").encode(x=x),
        of("alone").mark_rule(strokeWidth=1.5, strokeDash=[5, 4]).encode(y=y, color=SERIES_COLOUR),
        every.transform_filter("datum.role == 'point' || datum.role == 'start'")
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=SERIES_COLOUR, strokeDash=SERIES_DASH, detail="strategy:N", order="x:Q"),
        every.transform_filter("(datum.role == 'point' || datum.role == 'alone') && isValid(datum.low)")
        .mark_rule(strokeWidth=1.5, opacity=0.75)
        .encode(x=x, y=alt.Y("low:Q", title=None), y2="high:Q", color=SERIES_COLOUR),
        every.transform_filter("datum.role == 'point' || datum.role == 'alone'")
        .mark_point(filled=True, size=70, opacity=1)
        .encode(x=x, y=y, color=SERIES_COLOUR, shape=SERIES_SHAPE, tooltip=tooltip),
        of("name")
        .mark_text(align="left", baseline="middle", dx=10, fontSize=13)
        .encode(x=alt.value("width"), y="label:Q", text="text:N", color=SERIES_COLOUR),
        of("tick")
        .mark_text(baseline="top", dy=7, fontSize=12, lineHeight=15)
        .encode(x=x, y=alt.value("height"), text="text:N"),
    )
    made: Mapping[str, Any] = (
        alt.layer(*layers).properties(width="container", autosize=FITTED, height=HEIGHT).to_dict()
    )
    return {**made, "padding": {"left": 5, "top": 8, "right": 120, "bottom": 40}}


HEADLINE = View(
    name="headline",
    title="SLU-F1 over minutes of speech",
    order=0,
    note="Whiskers are 95\u202f% intervals; the dashed line is text-only.",
    shows=Headline(lines=lines_of, plot=Plot(chart, lambda panel: list(rows_of(panel)))),
)
