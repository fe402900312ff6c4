"""Composes lessons from a purchase in the sandbox: `python -m ...retrain.compose_process JOB`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from slubench.errors import SlubenchError
from slubench.pipeline.train import write_lessons
from slubench.registry import strategy_in
from slubench.runtime.files import write_text
from slubench.runtime.seal import seal
from slubench.trainset.purchase_file import read_purchase
from slubench.trainset.train_set import compose


@dataclass(frozen=True)
class ComposeJob:
    """What is composed.

    Attributes:
        strategy: The strategy's file.
        purchase: What may be read and heard.
        batch: Examples an update.
        train_seed: Draws the order.
        lessons: The Parquet file to write, see `slubench.schemas.TRAIN_EXAMPLES`.
    """

    strategy: str
    purchase: str
    batch: int
    train_seed: int
    lessons: str

    def save(self, path: Path) -> None:
        """Write the job as JSON."""
        write_text(path, json.dumps(asdict(self)))


def main(path: Path) -> int:
    """Read a job and do it; returns the exit code."""
    job = ComposeJob(**json.loads(path.read_text("utf-8")))
    bought = read_purchase(Path(job.purchase))
    try:
        strategy = strategy_in(Path(job.strategy))
        lessons = compose(strategy, bought.pool, bought.exposure(job.batch), job.train_seed)
    except SlubenchError as error:
        print(error)
        return error.exit_code
    write_lessons(Path(job.lessons), [lesson.examples for lesson in lessons], bought.recordings)
    seal([Path(job.lessons)])
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
