"""Labels of metrics: title, meaning, number format."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from slubench.board.panel import MetricLabel
from slubench.domain.metric import Metric
from slubench.metrics import shipped

DERIVED = ("modality_gap", "recognition_gap", "transfer_gap", "forgetting")
"""Quantities that the board computes from the metrics of several runs."""


def labels_of(names: Iterable[str], metrics: Mapping[str, Metric] | None = None) -> tuple[MetricLabel, ...]:
    """Labels of metrics in the order of the tables; undeclared metrics come last.

    Args:
        names: Metrics that score rows bear.
        metrics: Those that are declared; the package's own where None.
    """
    declared = shipped() if metrics is None else metrics
    wanted = dict.fromkeys(name for name in names if name not in DERIVED)
    known = [label_of(metric) for name, metric in declared.items() if name in wanted]
    unknown = sorted(name for name in wanted if name not in declared)
    return (*known, *(MetricLabel(name, name.replace("_", " ")) for name in unknown))


def label_of(metric: Metric) -> MetricLabel:
    """The label of a declared metric."""
    return MetricLabel(
        metric.name, metric.title, metric.about, metric.form, metric.more_is_better, metric.headline
    )
