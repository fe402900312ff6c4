"""Composes a training set from a purchase in the sandbox: `python -m ...retrain.compose_process JOB`."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from slubench.errors import DeclarationError, SlubenchError
from slubench.pipeline.train_job import write_examples
from slubench.registry import strategy_in
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.runtime.files import write_text
from slubench.runtime.seal import seal
from slubench.trainset.purchase_file import read_purchase
from slubench.trainset.train_set import compose


@dataclass(frozen=True)
class ComposeJob:
    """The job of composing a training set.

    Attributes:
        strategy: The strategy's file.
        purchase: What may be read and heard.
        batch: Examples an update.
        train_seed: Draws the order.
        examples: The Parquet file to write, see `slubench.schemas.TRAIN_EXAMPLES`.
        declared: Fingerprint of the strategy as the file was read without running it.
    """

    strategy: str
    purchase: str
    batch: int
    train_seed: int
    examples: str
    declared: str

    def save(self, path: Path) -> None:
        """Write the job as JSON."""
        write_text(path, json.dumps(asdict(self)))


def main(path: Path) -> int:
    """Run a job; returns the exit code."""
    job = ComposeJob(**json.loads(path.read_text("utf-8")))
    bought = read_purchase(Path(job.purchase))
    try:
        strategy = strategy_in(Path(job.strategy))
        if strategy_fingerprint(strategy) != job.declared:
            raise DeclarationError(
                f"run, the file declares another {strategy.name} than is read in it. Write Strategy(...) and"
                " Stage(...) out at its top level."
            )
        train_set = compose(strategy, bought.pool, bought.exposure(job.batch), job.train_seed)
    except SlubenchError as error:
        print(error)
        return error.exit_code
    write_examples(Path(job.examples), [part.examples for part in train_set], bought.recordings)
    seal([Path(job.examples)])
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
