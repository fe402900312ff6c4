"""Trains a job under audit: `python -m slubench.conformance.train_process train.json`.

A strategy's own loss runs in the process that trains; what it opened, and why it failed if it did, is written
beside the job.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from slubench.conformance.audit import Audit, Opened, watch_over
from slubench.conformance.file_watch import FileWatch
from slubench.conformance.verdict import told
from slubench.data.editions import MINI_CORPUS
from slubench.runtime.child_process import run_module
from slubench.runtime.files import write_text
from slubench.runtime.jobs import TrainJob

AUDITED, REPORT = "audited.json", "audit.json"


@dataclass(frozen=True)
class TrainReport:
    """What was seen of a training.

    Attributes:
        error: Why it failed, empty where it did not.
        opened: What the strategy's code reached for.
    """

    error: str = ""
    opened: list[Opened] = field(default_factory=list)

    @classmethod
    def beside(cls, job: Path) -> Self:
        """Read what the process wrote, if it came to that."""
        path = job.with_name(REPORT)
        if not path.exists():
            return cls()
        content = json.loads(path.read_text("utf-8"))
        return cls(content["error"], [Opened(**one) for one in content["opened"]])


def start_audited(file: Path, private: Sequence[Path], job: Path) -> None:
    """Run a training process that is audited, as `run_module` runs one that is not.

    Args:
        file: Real path of the strategy's file.
        private: Folders of recordings that nobody else opens meanwhile.
        job: Its job.
    """
    content = {"file": str(file), "private": [str(folder) for folder in private]}
    write_text(job.with_name(AUDITED), json.dumps(content))
    run_module("slubench.conformance.train_process", job)


def main(path: Path) -> int:
    """Train a job, audited; returns the exit code."""
    from slubench.train.interrupts import Stopped
    from slubench.train.train import train

    audited = json.loads(path.with_name(AUDITED).read_text("utf-8"))
    file, private = Path(audited["file"]), tuple(Path(folder) for folder in audited["private"])
    job = TrainJob.load(path)
    # The clips decoded for this run are those it bought; the harness reads them when a loss asks for a view.
    audit = Audit(file, private=(*private, MINI_CORPUS), harmless=(Path(job.clips).resolve(),))
    watch = FileWatch(private)
    audit.start()
    error = ""
    try:
        train(job)
    except Stopped as stopped:
        return 128 + stopped.number
    except Exception as failed:
        error = told(failed, file)
    report = TrainReport(error, watch_over(audit, watch, frozenset()))
    write_text(path.with_name(REPORT), json.dumps(asdict(report), ensure_ascii=False))
    return 1 if error else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
