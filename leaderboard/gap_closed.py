"""A strategy's gap closed over the budgets, and the minutes of speech to close 50 % and 80 %."""

from collections.abc import Callable

from slubench.board.comparisons import CLAIMS_FROM, Bounded, GapClosed, MinutesBracket
from slubench.board.panel import Panel
from slubench.board.text import SPACE, budget, clipped, listed, points, rounded
from slubench.board.view import Column, Table, View, Words

HALF = 0.5


def share(span: Bounded | None) -> str | None:
    """A share of the gap in percent with its interval."""
    if span is None or span.value is None:
        return None
    low, high = ("?" if end is None else rounded(end) for end in (span.low, span.high))
    return f"{rounded(span.value)}{SPACE}% ({low} to {high})"


def closed_at(speech: str) -> Callable[[GapClosed], str | None]:
    """A column's value: gap closed at a budget."""
    return lambda closure: share(next((span for name, _, span in closure.shares if name == speech), None))


def minutes_to(level: float) -> Callable[[GapClosed], str | None]:
    """A column's value: minutes to close a share of the gap."""

    def written(closure: GapClosed) -> str | None:
        bracket = dict(closure.minutes).get(level)
        return None if bracket is None else in_minutes(bracket)

    return written


def in_minutes(bracket: MinutesBracket) -> str:
    """A bracket of measured budgets, as in `between 3.9 and 20.0 min`."""
    if bracket.high is not None:
        return f"between {bracket.low:.1f} and {bracket.high:.1f}{SPACE}min"
    if bracket.low >= bracket.most:
        return f"not within {bracket.most:.1f}{SPACE}min"
    return f"over {bracket.low:.1f}{SPACE}min"


def reached(closure: GapClosed) -> str | None:
    """A column's value: the budgets between which the mean closes half of the gap, without significance."""
    bracket = dict(closure.minutes).get(HALF)
    if bracket is None:
        return None
    if bracket.by is None:
        return f"not within {bracket.most:.1f}{SPACE}min"
    return f"between {bracket.after:.1f} and {bracket.by:.1f}{SPACE}min"


def half_in_words(closure: GapClosed) -> str:
    """The minutes to close half of the gap, in a sentence."""
    bracket = dict(closure.minutes)[HALF]
    few = "" if closure.seeds >= CLAIMS_FROM else ", for these trained models only"
    name, sure = clipped(closure.strategy, 40), f"95{SPACE}%{few}"
    if bracket.high is None and bracket.low >= bracket.most:
        return (
            f"{name} does not close half of the gap within {bracket.most:.1f}{SPACE}min of speech ({sure})."
        )
    if bracket.high is None and bracket.low == 0:
        return f"No budget yet shows how much speech {name} needs to close half of the gap ({sure})."
    return f"{name} needs {in_minutes(bracket)} of speech to close half of the gap ({sure})."


def missing(closure: GapClosed) -> str | None:
    """What is missing, in words."""
    return f"missing: {listed(closure.missing)}" if closure.missing else None


def rows_of(panel: Panel) -> list[GapClosed]:
    """Every strategy, best first; empty if nothing can be computed, which `in_words` reports."""
    closures = panel.findings.closures
    if not any(one.shares for one in closures):
        return []
    return sorted(closures, key=lambda one: -(one.headline.value or 0.0) if one.headline else 1.0)


def in_words(panel: Panel) -> list[str]:
    """Strategies that with little speech equal direct mixing with more, and what is missing for the gap."""
    said = []
    if panel.findings.closures and not rows_of(panel):
        lacking = dict.fromkeys(one for closure in panel.findings.closures for one in closure.missing)
        said.append(f"The gap closed cannot be computed; missing: {listed(list(lacking))}.")
    said += [half_in_words(closure) for closure in rows_of(panel) if closure.minutes]
    for same in panel.findings.same:
        difference = same.difference
        within = f"[{points(difference.low)}, {points(difference.high)}]"
        ends = f"{points(difference.value, signed=True)} points {within}"
        few = "" if difference.seeds >= CLAIMS_FROM else ", for these trained models only"
        said.append(
            f"{clipped(same.strategy, 40)} at {budget(same.speech)} is as good as direct-mix at "
            f"{budget(same.other)}, or better: {ends}, {difference.seeds} seeds{few}."
        )
    return said


GAP_CLOSED = View(
    name="gap-closed",
    title="Gap closed",
    order=11,
    note="How much of the gap between text-only and direct-mix with all of the speech a strategy closes, on "
    "the same seeds, with 95 % intervals (?: not bounded by the data). The headline is the mean over 0, 2, "
    "5, 10, 25 and 100 %; missing values are never filled in. Minutes of speech are given as the measured "
    "budgets on both sides.",
    shows=Table(
        rows=rows_of,
        columns=(
            Column(title="Strategy", of=lambda closure: closure.strategy, form="text", group=""),
            Column(title="Headline", of=lambda closure: share(closure.headline), form="text", group=""),
            Column(
                title="Minutes to 50 %",
                of=minutes_to(HALF),
                form="text",
                group="",
                about="minutes of speech to close 50 % of the gap, bracketed by measured budgets (95 %)",
            ),
            Column(
                title="Minutes to 80 %",
                of=minutes_to(0.8),
                form="text",
                group="",
                about="minutes of speech to close 80 % of the gap, bracketed by measured budgets (95 %)",
            ),
            Column(
                title="50 % on average",
                of=reached,
                form="text",
                group="",
                about="the measured budgets between which the mean closes 50 % of the gap",
                quiet=True,
            ),
            *(
                Column(title=name.replace("%", " %"), of=closed_at(name), form="text", group="", quiet=True)
                for name in ("2%", "5%", "10%", "25%")
            ),
            Column(
                title="Seeds", of=lambda closure: closure.seeds or None, form="count", group="", quiet=True
            ),
            Column(title="Missing", of=missing, form="text", group="", quiet=True),
        ),
    ),
)

EQUAL_QUALITY = View(name="equal-quality", title="Equal quality", order=1, shows=Words(in_words))
