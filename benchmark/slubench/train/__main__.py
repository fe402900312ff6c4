"""`python -m slubench.train JOB.json`: train one job.

Exits with 0 when the adapter is there, 1 or 2 with a message when something is to be mended, and 130 (SIGINT)
or 143 (SIGTERM) when it was stopped; the same command then goes on from the last checkpoint.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from slubench.errors import SlubenchError
from slubench.runtime.jobs import TrainJob
from slubench.runtime.seal import seal

RESUMES = "The same command resumes from the last checkpoint."


def main(arguments: list[str] | None = None) -> int:
    """Train the job given by the arguments and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m slubench.train", description="Train one job.")
    parser.add_argument("job", type=Path, help="JSON file of a slubench.runtime.jobs.TrainJob")
    parser.add_argument(
        "--checkpoint-seconds",
        type=float,
        default=float(os.environ.get("SLUBENCH_CHECKPOINT_SECONDS", "20")),
        help="minimum time between checkpoints (default 20, or SLUBENCH_CHECKPOINT_SECONDS; 0: after each"
        " update)",
    )
    options = parser.parse_args(arguments)
    # Read by the OpenMP library when torch loads it: threads that spin while they wait slow a busy machine
    # down several times.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        job = TrainJob.load(options.job)
        from slubench.train.interrupts import Stopped
        from slubench.train.train import train

        try:
            train(job, options.checkpoint_seconds)
            folder = Path(job.adapter)
            seal([*sorted(folder.glob("*.safetensors")), folder / "training.json"])
        except Stopped as stopped:
            sys.stderr.write(f"Stopped. {RESUMES}\n")
            return 128 + stopped.number
    except KeyboardInterrupt:
        sys.stderr.write(f"Interrupted. {RESUMES}\n")
        return 130
    except SlubenchError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"Error: {error}. {RESUMES}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
