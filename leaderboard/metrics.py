"""All scored metrics, one column each, including those declared by users."""

from collections.abc import Callable, Sequence

from slubench.board.panel import RANKED_TIERS, Cell, Estimate, MetricLabel, Panel
from slubench.board.view import Column, Table, View

GROUPS = {"speech": "Speech input", "text": "Text input", "asr": "ASR transcript input"}


def measured(metric: str, input_kind: str) -> Callable[[Cell], Estimate | None]:
    """A column's value: the estimate of a metric."""
    return lambda cell: cell.estimate(metric, input_kind)


def named(cell: Cell) -> str:
    """The strategy, followed by its tier if it was submitted and not retrained."""
    return cell.strategy if cell.tier in RANKED_TIERS else f"{cell.strategy} ({cell.tier})"


def columns_of(panel: Panel) -> Sequence[Column]:
    """One column for each metric and input; empty columns are not shown."""
    return [column(label, given) for given in GROUPS for label in panel.metrics]


def column(label: MetricLabel, given: str) -> Column:
    """The column of a metric."""
    worse = "" if label.more_is_better else "; lower is better"
    return Column(
        title=label.title,
        of=measured(label.name, given),
        form=label.form,
        group=GROUPS[given],
        about=f"{label.about or label.name.replace('_', ' ')}{worse}",
        rising=not label.more_is_better,
        quiet=not label.headline,
    )


METRICS = View(
    name="metrics",
    title="All metrics",
    order=13,
    note="Every metric on normalised text: scores out of 100, error rates in percent. Spans over several "
    "seeds are 95 % intervals for headline metrics on speech input with three or more seeds; otherwise they "
    "are ranges.",
    folded=True,
    shows=Table(
        by_budget=True,
        hidden=(GROUPS["asr"],),
        columns=(
            Column(title="Strategy", of=named, form="text", group=""),
            Column(title="Speech", of=lambda cell: cell.share, form="budget", group="", rising=True),
            Column(title="Seeds", of=lambda cell: len(cell.seeds), form="count", group="", quiet=True),
        ),
        more=columns_of,
    ),
)
