"""Scoring: distances, counts of an answer, measures, intervals and comparisons. No file is read here."""

from __future__ import annotations

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
    "tally",
    "tally_all",
]
