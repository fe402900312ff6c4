"""Makes examples, jobs and learners of the random model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import torch

from slubench.domain.model import Model
from slubench.domain.prompt import ClipRef, to_rows
from slubench.runtime.jobs import StageJob, TrainJob
from slubench.schemas import TRAIN_EXAMPLES
from slubench.train.device import choose_device
from slubench.train.learner import Learner, open_learner
from slubench.train.read_examples import TrainExample

BATCH = 4


@dataclass(frozen=True)
class TrainingJobs:
    """Makes examples, jobs and learners.

    Attributes:
        folder: Of this test alone.
        model: The random model.
        clips: Folder of the clip store.
        keys: Keys of its clips.
    """

    folder: Path
    model: Model
    clips: Path
    keys: tuple[str, ...]

    def written(self, number: int, weight: float = 1.0) -> TrainExample:
        """An example that is read; its length depends on its number."""
        text = "wake me up at seven"[: 4 + 3 * (number % 5)]
        return TrainExample(f"t{number}", "en", "text", (text,), f'{{"a":"{number % 7}"}}', weight)

    def spoken(self, number: int, weight: float = 1.0) -> TrainExample:
        """An example that is heard."""
        sound = ClipRef(self.keys[number % len(self.keys)])
        return TrainExample(f"s{number}", "en", "speech", (sound,), f'{{"b":"{number % 7}"}}', weight)

    def mixed(self, count: int) -> list[TrainExample]:
        """Examples read and heard by turns."""
        return [self.spoken(n) if n % 2 else self.written(n) for n in range(count)]

    def job(
        self,
        stages: Sequence[Sequence[TrainExample]],
        name: str = "job",
        *,
        track: str = "lora-lm",
        objective: bool = False,
        **changes: Any,
    ) -> TrainJob:
        """A job whose stages learn these examples, each in a folder of its name."""
        folder = self.folder / name
        folder.mkdir()
        rows = [
            {
                "stage": stage,
                "position": position,
                "utterance": example.utterance,
                "language": example.language,
                "modality": example.modality,
                "parts": to_rows(example.parts),
                "target": example.target,
                "weight": example.weight,
            }
            for stage, examples in enumerate(stages)
            for position, example in enumerate(examples)
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=TRAIN_EXAMPLES), folder / "lessons.parquet")
        rate = self.model.recipe(track).rate
        job = TrainJob(
            name=name,
            model=self.model,
            track=track,
            seed=0,
            stages=tuple(StageJob(len(examples) // BATCH, rate, objective) for examples in stages),
            examples=str(folder / "lessons.parquet"),
            clips=str(self.clips),
            folder=str(folder / "work"),
            adapter=str(folder / "adapter"),
            strategy="none",
            home=str(self.folder),
        )
        return replace(job, **changes)

    def learner(
        self, examples: Sequence[TrainExample], track: str = "lora-lm", name: str = "learner"
    ) -> Learner:
        """The random model on a track, as a training of these examples opens it."""
        torch.manual_seed(0)
        job = self.job([examples], name, track=track)
        return open_learner(job, [examples], choose_device(self.model))
