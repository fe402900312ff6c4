"""Metrics: distances, counts, intervals and comparisons, without reading files.

A metric is one file, or a part of one: a `Metric` at module level of any module in this folder is found.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from slubench.domain.metric import Metric
from slubench.metrics.bootstrap import ClusterSums, Interval, cluster_sums, percentile_interval, replicate
from slubench.metrics.measures import MEASURES, measure
from slubench.metrics.tally import COUNT_NAMES, Count, Counts, normalise, tally, tally_all

SCORER_VERSION = "3"

__all__ = [
    "COUNT_NAMES",
    "MEASURES",
    "SCORER_VERSION",
    "ClusterSums",
    "Count",
    "Counts",
    "Interval",
    "cluster_sums",
    "measure",
    "normalise",
    "percentile_interval",
    "replicate",
    "shipped",
    "tally",
    "tally_all",
]


@cache
def shipped() -> dict[str, Metric]:
    """The package's own metrics by name, in order; no metrics of plugins or users."""
    found: dict[str, Metric] = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        if module.ispkg:
            continue
        for value in vars(importlib.import_module(module.name)).values():
            for one in value if isinstance(value, tuple) else (value,):
                if isinstance(one, Metric):
                    found[one.name] = one
    return {metric.name: metric for metric in sorted(found.values(), key=lambda one: (one.order, one.name))}
