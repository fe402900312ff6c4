"""What lies beside a score file: sums by sentence and speaker, replicates of compared measures, the record.

All bear the scores' fingerprint in a column; that they bear the score file's name too only makes them quick
to find.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from slubench.runtime.files import replacing
from slubench.runtime.home import RECORDS, REPLICATES, SUMS, beside
from slubench.schemas import COMPARED

if TYPE_CHECKING:
    import pyarrow as pa

    from slubench.metrics import ClusterSums


@dataclass(frozen=True)
class SliceSums:
    """One slice of a run's answers, summed by sentence, and by speaker where they are known.

    Attributes:
        asked: How the model was asked.
        slice_by: The column sliced by, `all` for the whole.
        slice: Its value.
        normalised: Whether both sides were normalised.
        clusters: The sums.
    """

    asked: str
    slice_by: str
    slice: str
    normalised: bool
    clusters: ClusterSums


def remove_scores(scores: Path) -> None:
    """Take a score file away, and what lies beside it."""
    for kind in (SUMS, REPLICATES, RECORDS):
        beside(scores, kind).unlink(missing_ok=True)
    scores.unlink(missing_ok=True)


def write_parts(folder: Path, name: str, fingerprint: str, parts: Sequence[SliceSums]) -> None:
    """Write sums and replicates beside the score file `folder / name`."""
    import pyarrow.parquet as pq

    tables = {SUMS: _sums(fingerprint, parts), REPLICATES: _replicates(fingerprint, parts)}
    for kind, table in tables.items():
        with replacing(beside(folder / name, kind)) as temporary:
            pq.write_table(table, temporary, compression="zstd")


def _sums(fingerprint: str, parts: Sequence[SliceSums]) -> pa.Table:
    import pyarrow as pa

    from slubench import schemas as tables

    def of(part: SliceSums) -> pa.Table:
        names, *known = (list(factor) for factor in part.clusters.names)
        speakers = known[0] if known else [None] * len(names)
        marks = (fingerprint, part.asked, part.slice_by, part.slice, part.normalised)
        columns = [*([mark] * len(names) for mark in marks), names, speakers, *part.clusters.sums.T]
        return pa.table(dict(zip(tables.SUMS.names, columns, strict=True)), schema=tables.SUMS)

    return pa.concat_tables([tables.SUMS.empty_table(), *map(of, parts)])


def _replicates(fingerprint: str, parts: Sequence[SliceSums]) -> pa.Table:
    import pyarrow as pa

    from slubench import schemas as tables
    from slubench.metrics import measure
    from slubench.metrics.sampling import sampled

    def rows() -> Iterator[dict[str, object]]:
        for part in parts:
            if part.slice_by != "all" or not part.normalised:
                continue
            found = sampled(part.clusters, measure)
            sentences, *speakers = (len(set(names)) for names in part.clusters.names)
            for metric in COMPARED:
                yield {
                    "scores_fingerprint": fingerprint,
                    "asked": part.asked,
                    "metric": metric,
                    "value": found[metric].value,
                    "clusters": sentences,
                    "speakers": speakers[0] if speakers else None,
                    "effective": found[metric].clusters,
                    "replicates": found[metric].replicates.tolist(),
                }

    return pa.Table.from_pylist(list(rows()), schema=tables.REPLICATES)
