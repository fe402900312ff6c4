"""Aggregates the seeds of a cell into estimates with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean

import numpy as np

from slubench.board.analysis.pairing import Evidence
from slubench.board.panel import Estimate, Measure
from slubench.board.runs import ScoredRun

TOTALS_FROM = 3  # seeds; Student's t of two is no use to anyone
COUNTS = (
    "clips_bought",
    "clips_unique",
    "clip_exposures",
    "minutes_bought",
    "minutes_exposed",
    "text_rows",
    "updates",
    "cell_updates",
    "flops",
    "train_seconds",
    "answer_seconds",
)


def over_seeds(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over trained models, with the range of their values.

    A range claims nothing beyond the models it was taken over, which is all that few seeds allow; a single
    model keeps its own interval of test sampling.

    Args:
        estimates: One for each trained model, at least one.
    """
    if len(estimates) == 1:
        return estimates[0]
    values = [estimate.value for estimate in estimates]
    return Estimate(fmean(values), min(values), max(values), len(values), f"range of {len(values)} seeds")


def measures_over(runs: Sequence[ScoredRun]) -> dict[Measure, Estimate]:
    """Every measure, over the runs that have it."""
    collected: dict[Measure, list[Estimate]] = {}
    for run in runs:
        for measure, estimate in run.measures.items():
            collected.setdefault(measure, []).append(estimate)
    return {measure: over_seeds(estimates) for measure, estimates in collected.items()}


def counts_over(runs: Sequence[ScoredRun]) -> dict[str, float]:
    """Means of the ledgers' counts; counts that no run has are left out."""
    known = {name: [run.row[name] for run in runs if run.row[name] is not None] for name in COUNTS}
    return {name: fmean(values) for name, values in known.items() if values}


def totals_over(runs: Sequence[ScoredRun], evidence: Evidence) -> dict[Measure, Estimate]:
    """Total intervals, for other seeds and sentences, if there are enough seeds and replicates."""
    found: dict[Measure, Estimate] = {}
    for metric in evidence.metrics:
        cell = evidence.aligned([runs], metric) if len(runs) >= TOTALS_FROM else None
        if cell is not None and cell.seeds == len(runs):
            total = cell.measured.estimate(np.ones(1))
            kind = f"95 % interval for other seeds and sentences, {cell.seeds} seeds"
            found[Measure(metric)] = Estimate(total.value, total.low, total.high, cell.seeds, kind)
    return found


def slices_over(runs: Sequence[ScoredRun]) -> dict[tuple[str, str], Estimate]:
    """SLU-F1 on speech of each slice that every run has, and its number of predictions."""
    shared = set.intersection(*(set(run.slices) for run in runs))
    return {key: over_seeds([run.slices[key] for run in runs]) for key in sorted(shared)}


GAP = Measure("modality_gap")
RECOGNITION = Measure("recognition_gap", "asr")
TRANSFER = Measure("transfer_gap", "asr")
FORGETTING = Measure("forgetting", "text")


def gaps_over(runs: Sequence[ScoredRun], reading_alone: Sequence[ScoredRun]) -> dict[Measure, Estimate]:
    """Modality gap and forgetting (RULES.md), run by run against text-only of the same train seed.

    The gap is text-only's SLU-F1 on gold transcripts minus the run's on audio; forgetting is the same minus
    the run's on gold transcripts. Where text-only was asked the model's own transcripts too, that cascade
    splits the gap: recognition is what text-only loses from gold to own transcripts, transfer is the rest,
    which the run loses (or wins, below 0) by hearing instead of reading what the model itself would write
    down. Text-only draws no clips, so its data seed plays no part in the pairing.

    Args:
        runs: The runs of one cell.
        reading_alone: Text-only's runs in the same panel.
    """
    on_text = _by_train_seed(reading_alone, "text")
    on_own = _by_train_seed(reading_alone, "asr")
    collected: dict[Measure, list[Estimate]] = {}
    for run in runs:
        reference = on_text.get(run.seeds[1])
        for measure, input_kind in ((GAP, "speech"), (FORGETTING, "text")):
            own = run.measures.get(Measure("slu_f1", input_kind))
            if reference is not None and own is not None:
                collected.setdefault(measure, []).append(Estimate(reference - own.value))
        cascade, heard = on_own.get(run.seeds[1]), run.measures.get(Measure("slu_f1"))
        if reference is not None and cascade is not None and heard is not None:
            collected.setdefault(RECOGNITION, []).append(Estimate(reference - cascade))
            collected.setdefault(TRANSFER, []).append(Estimate(cascade - heard.value))
    return {measure: over_seeds(estimates) for measure, estimates in collected.items()}


def _by_train_seed(runs: Sequence[ScoredRun], input_kind: str) -> Mapping[int, float]:
    found: dict[int, list[float]] = {}
    for run in runs:
        if (estimate := run.measures.get(Measure("slu_f1", input_kind))) is not None:
            found.setdefault(run.seeds[1], []).append(estimate.value)
    return {seed: fmean(values) for seed, values in found.items()}
