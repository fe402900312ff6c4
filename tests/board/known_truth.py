"""A home of synthetic runs with sums and replicates beside their scores, whose truth is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from slubench.metrics import Count, cluster_sums, measure, shipped
from slubench.metrics.measures import SLURP
from slubench.scoring.sidecars import SliceSums, write_parts
from tests.board.made_scores import score_rows, write_rows

SENTENCES = [f"{number:03}" for number in range(300)]


def write_run(home: Path, strategy: str, share: float, level: float, seed: int, **changes: object) -> Path:
    """A run that has each sentence right with the chance `level`, the same sentences for every strategy."""
    ease = np.random.default_rng([9, seed]).random(len(SENTENCES))
    right = (ease < level).astype(float)
    counts = np.zeros((len(SENTENCES), len(Count)))
    counts[:, Count.ITEMS] = 1
    for name in ("EXACT", "SCENARIO_TP", "ACTION_TP", "INTENT_TP", "SPAN_TP", "WORD_TP", "CHAR_TP"):
        counts[:, Count[name]] = right
    for kind in ("SCENARIO", "ACTION", "INTENT", "SPAN", "WORD", "CHAR"):
        counts[:, Count[f"{kind}_FP"]] = counts[:, Count[f"{kind}_FN"]] = 1 - right
    halves = [("entities", "none", slice(0, 100)), ("entities", "some", slice(100, None))]
    whole = cluster_sums(counts, SENTENCES)
    parts = [
        SliceSums(input_kind, by, name, True, SLURP, cluster_sums(counts[at], SENTENCES[at]))
        for input_kind in ("speech", "text")
        for by, name, at in [("all", "all", slice(None)), *halves]
    ]
    rows = score_rows(
        strategy=strategy,
        share=share,
        data_seed=seed,
        train_seed=seed,
        slices=[("all", "all"), ("entities", "some"), ("entities", "none")],
        **changes,  # type: ignore[arg-type]
    )
    values = measure(whole.total)
    for row in rows:
        row["value"] = float(values[row["metric"]])
    fingerprint = rows[0]["scores_fingerprint"]
    folder = home / "leaderboard" / "scores"
    path = write_rows(folder / f"{rows[0]['run']}-{fingerprint[:8]}.parquet", rows)
    write_parts(folder, path.name, fingerprint, parts, shipped().values())
    return path


def write_home(
    home: Path, levels: Mapping[tuple[str, float], float], seeds: Sequence[int] = range(5), **changes: object
) -> list[Path]:
    """Runs of every strategy and share at every seed, with their levels moved a little by the seed."""
    return [
        write_run(home, strategy, share, level + 0.004 * (seed % 3), seed, **changes)
        for (strategy, share), level in levels.items()
        for seed in seeds
    ]


PAPER = {
    ("text-only", 0.0): 0.5,
    **{("direct-mix", share): 0.5 + 0.3 * share / (share + 0.1) for share in (0.02, 0.05, 0.1, 0.25, 1.0)},
    **{("curriculum", share): 0.5 + 0.3 * share / (share + 0.03) for share in (0.02, 0.05, 0.1, 0.25, 1.0)},
}
