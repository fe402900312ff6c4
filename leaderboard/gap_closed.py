"""The headline of a strategy: gap closed over the budgets, and minutes of speech to close half and 80 %."""

from collections.abc import Callable

from slubench.board.comparisons import CLAIMS_FROM, Bounded, GapClosed
from slubench.board.panel import Panel
from slubench.board.text import SPACE, budget, clipped, listed
from slubench.board.view import Column, Table, View, Words


def share(span: Bounded | None) -> str | None:
    """A share of the gap in per cent with its interval."""
    if span is None or span.value is None:
        return None
    low, high = (f"{100 * end:.0f}" if end is not None else "?" for end in (span.low, span.high))
    return f"{100 * span.value:.0f}{SPACE}% ({low} to {high})"


def closed_at(speech: str) -> Callable[[GapClosed], str | None]:
    """A column's value: gap closed at a budget."""
    return lambda closure: share(next((span for name, _, span in closure.shares if name == speech), None))


def minutes_to(level: float) -> Callable[[GapClosed], str | None]:
    """A column's value: minutes to close a share of the gap."""

    def written(closure: GapClosed) -> str | None:
        span = dict(closure.minutes).get(level)
        if span is None:
            return None
        low = "?" if span.low is None else f"{span.low:.1f}"
        if span.value is None:
            return f"not within {closure.most:.0f}{SPACE}min"
        high = f"over {closure.most:.0f}" if span.high is None else f"{span.high:.1f}"
        return f"{span.value:.1f}{SPACE}min ({low} to {high})"

    return written


def missing(closure: GapClosed) -> str | None:
    """What is missing, in words."""
    return f"lacks {listed(closure.missing)}" if closure.missing else None


def rows_of(panel: Panel) -> list[GapClosed]:
    """Every strategy, best first; none where nothing at all can be told, which `in_words` says."""
    closures = panel.findings.closures
    if not any(one.shares for one in closures):
        return []
    return sorted(closures, key=lambda one: -(one.headline.value or 0.0) if one.headline else 1.0)


def in_words(panel: Panel) -> list[str]:
    """A strategy with little speech that does what direct mixing does with more; what the gap lacks."""
    said = []
    if panel.findings.closures and not rows_of(panel):
        lacking = dict.fromkeys(one for closure in panel.findings.closures for one in closure.missing[-1:])
        said.append(f"How much of the gap is closed can't be told: lacking is {listed(list(lacking))}.")
    for same in panel.findings.same:
        difference = same.difference
        ends = (
            f"{100 * difference.value:+.1f} points [{100 * difference.low:.1f}, {100 * difference.high:.1f}]"
        )
        few = "" if difference.seeds >= CLAIMS_FROM else ", said of these trained models alone"
        said.append(
            f"{clipped(same.strategy, 40)} at {budget(same.speech)} does what direct-mix does at "
            f"{budget(same.other)} or better: {ends}, {difference.seeds} seeds{few}."
        )
    return said


GAP_CLOSED = View(
    name="gap-closed",
    title="Gap closed",
    order=11,
    note="How much of the way from text-only to direct-mix with all of the speech a strategy goes, on "
    "the same seeds, with 95 % intervals (?: not bounded by the data). The headline is the mean over 0, 2, "
    "5, 10, 25 and 100 %; what is missing is never filled in.",
    shows=Table(
        rows=rows_of,
        columns=(
            Column(title="Strategy", of=lambda closure: closure.strategy, form="text", group=""),
            Column(title="Headline", of=lambda closure: share(closure.headline), form="text", group=""),
            Column(
                title="Half of it",
                of=minutes_to(0.5),
                form="text",
                group="",
                about="minutes of speech to close 50 % of the gap, between budgets on a straight line",
            ),
            Column(
                title="80 % of it",
                of=minutes_to(0.8),
                form="text",
                group="",
                about="minutes of speech to close 80 % of the gap",
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
