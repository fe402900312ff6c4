"""Reads the examples of a run in the training process."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from slubench.domain.prompt import ClipRef, from_rows
from slubench.errors import DataError
from slubench.runtime.jobs import TrainJob
from slubench.schemas import TRAIN_EXAMPLES


@dataclass(frozen=True)
class TrainExample:
    """A training example.

    Attributes:
        utterance: Id of the utterance it was made from.
        language: Its language.
        modality: `speech`, `text` or both.
        parts: Text and clips in the order the model meets them.
        target: The reply.
        weight: Its weight in the loss.
        transcript: What its recording says, where it hears one of the budget; else empty.
    """

    utterance: str
    language: str
    modality: str
    parts: tuple[str | ClipRef, ...]
    target: str
    weight: float
    # Not in the fingerprint of a job: those of before had none.
    transcript: str = field(default="", repr=False)

    @property
    def clips(self) -> tuple[str, ...]:
        """The keys of its clips, in order."""
        return tuple(part.key for part in self.parts if isinstance(part, ClipRef))


def read_examples(job: TrainJob) -> tuple[tuple[TrainExample, ...], ...]:
    """Read a job's training examples, one tuple for each stage.

    Raises:
        DataError: The file cannot be read, a stage does not hold `updates * batch` rows, or a weight is
            negative or not a number.
    """
    path = Path(job.examples)
    stages: list[list[TrainExample]] = [[] for _ in job.stages]
    for row, (at, example) in enumerate(_rows(path)):
        if not 0 <= at < len(stages):
            raise DataError(f"{path}, row {row}: stage {at} of {len(stages)} is not in the job.")
        stages[at].append(example)
    batch = job.model.recipe(job.track).batch
    for number, (stage, examples) in enumerate(zip(job.stages, stages, strict=True)):
        # The last update may hold fewer.
        if math.ceil(len(examples) / batch) != stage.updates:
            raise DataError(
                f"{path}: stage {number} has {len(examples)} rows; {stage.updates} updates of {batch}"
                f" examples need {stage.updates * batch}. Plan the run again."
            )
    return tuple(tuple(examples) for examples in stages)


def read_watched(job: TrainJob) -> tuple[TrainExample, ...]:
    """Read a job's validation examples; empty if it has none.

    Raises:
        DataError: The file cannot be read.
    """
    return tuple(example for _, example in _rows(Path(job.watched))) if job.watched else ()


def _rows(path: Path) -> Iterator[tuple[int, TrainExample]]:
    """The rows of a file of examples, each with its stage."""
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"The training set {path} cannot be read ({error}). Plan the run again.") from error
    needed = set(TRAIN_EXAMPLES.names) - {"transcript"}
    missing = [name for name in TRAIN_EXAMPLES.names if name in needed - set(table.column_names)]
    if missing:
        raise DataError(
            f"The training set {path} lacks the columns {', '.join(missing)}. Plan the run again."
        )
    for number, row in enumerate(table.to_pylist()):
        if not (math.isfinite(row["weight"]) and row["weight"] >= 0):
            raise DataError(
                f"{path}, row {number} ({row['utterance']}): the weight is {row['weight']}; it "
                "must be a number of 0 or more."
            )
        example = TrainExample(
            utterance=row["utterance"],
            language=row["language"],
            modality=row["modality"],
            parts=from_rows(row["parts"]),
            target=row["target"],
            weight=row["weight"],
            transcript=row.get("transcript") or "",
        )
        yield row["stage"], example
