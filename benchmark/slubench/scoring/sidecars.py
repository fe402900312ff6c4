"""The files beside a score file: sums by sentence and speaker, replicates of headline metrics, the record.

All bear the scores' fingerprint in a column; that they bear the score file's name too only makes them quick
to find.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from slubench.runtime.files import replacing
from slubench.runtime.home import RECORDS, REPLICATES, SUMS, beside

if TYPE_CHECKING:
    import pyarrow as pa

    from slubench.domain.metric import Counting, Metric
    from slubench.metrics import ClusterSums, Counts
    from slubench.metrics.statistics import Values


@dataclass(frozen=True)
class SliceSums:
    """One counting of one slice of a run's predictions, summed by sentence, and by speaker if known.

    Attributes:
        input: What the model was given: `speech`, `text` or `asr`.
        slice_by: The column sliced by, `all` for the whole.
        slice: Its value.
        normalised: Whether both sides were normalised.
        counting: What was counted.
        clusters: The sums.
    """

    input: str
    slice_by: str
    slice: str
    normalised: bool
    counting: Counting
    clusters: ClusterSums


def remove_scores(scores: Path) -> None:
    """Remove a score file and the files beside it."""
    for kind in (SUMS, REPLICATES, RECORDS):
        beside(scores, kind).unlink(missing_ok=True)
    scores.unlink(missing_ok=True)


def write_parts(
    folder: Path, name: str, fingerprint: str, parts: Sequence[SliceSums], metrics: Iterable[Metric]
) -> None:
    """Write sums, and replicates of the headline metrics, beside the score file `folder / name`."""
    import pyarrow.parquet as pq

    headline = [metric for metric in metrics if metric.headline]
    tables = {SUMS: _sums(fingerprint, parts), REPLICATES: _replicates(fingerprint, parts, headline)}
    for kind, table in tables.items():
        with replacing(beside(folder / name, kind)) as temporary:
            pq.write_table(table, temporary, compression="zstd")


def _sums(fingerprint: str, parts: Sequence[SliceSums]) -> pa.Table:
    import numpy as np
    import pyarrow as pa

    from slubench import schemas

    def of(part: SliceSums) -> pa.Table:
        names, *known = (list(factor) for factor in part.clusters.names)
        speakers = known[0] if known else [None] * len(names)
        marks = (fingerprint, part.input, part.slice_by, part.slice, part.normalised)
        width = len(part.counting.columns)
        ends = pa.array(np.arange(0, width * len(names) + 1, width, dtype=np.int32))
        columns = [
            *(pa.array([mark] * len(names)) for mark in marks),
            pa.array(names, pa.string()),
            pa.array(speakers, pa.string()),
            pa.array([part.counting.name] * len(names), pa.string()),
            pa.array([",".join(part.counting.columns)] * len(names), pa.string()),
            pa.ListArray.from_arrays(ends, pa.array(part.clusters.sums.ravel())),
        ]
        return pa.table(dict(zip(schemas.SUMS.names, columns, strict=True)), schema=schemas.SUMS)

    return pa.concat_tables([schemas.SUMS.empty_table(), *map(of, parts)])


def _replicates(fingerprint: str, parts: Sequence[SliceSums], metrics: Sequence[Metric]) -> pa.Table:
    import pyarrow as pa

    from slubench import schemas
    from slubench.metrics.sampling import sampled

    def rows() -> Iterator[dict[str, object]]:
        for part in parts:
            own = [metric for metric in metrics if metric.counting == part.counting]
            if part.slice_by != "all" or not part.normalised or not own:
                continue
            found = sampled(part.clusters, partial(_measured, own))
            sentences, *speakers = (len(set(names)) for names in part.clusters.names)
            for name, one in found.items():
                yield {
                    "scores_fingerprint": fingerprint,
                    "input": part.input,
                    "metric": name,
                    "value": one.value,
                    "clusters": sentences,
                    "speakers": speakers[0] if speakers else None,
                    "effective": one.clusters,
                    "replicates": one.replicates.tolist(),
                }

    return pa.Table.from_pylist(list(rows()), schema=schemas.REPLICATES)


def _measured(metrics: Sequence[Metric], sums: Counts) -> dict[str, Values]:
    return {metric.name: metric.measure(sums) for metric in metrics}
