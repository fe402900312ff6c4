"""`python -m slubench.serve JOB.json`: run one serving job.

stdout stays empty and stderr is for people; what the engines chatter goes to `serve.log` in the job's
folder. Exits with 0 when all is answered and reported, 1 with a message that says why not, 2 on a wrong
call, 130 on Ctrl-C.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from slubench.errors import DataError, SlubenchError
from slubench.runtime.jobs import PredictJob
from slubench.runtime.unexpected import told
from slubench.serve.progress import Reporter


def main(arguments: Sequence[str]) -> int:
    """Run one job.

    Args:
        arguments: The path of the job's file.

    Returns:
        The exit code.
    """
    if len(arguments) != 1:
        print("usage: python -m slubench.serve JOB.json", file=sys.stderr)
        return 2
    # OpenMP reads this once, when torch is imported; spinning threads starve whoever else computes.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Whoever made the job has fetched the weights; libraries that look for newer ones would wait for nothing.
    os.environ["HF_HUB_OFFLINE"] = "1"
    try:
        job = _read(Path(arguments[0]))
    except SlubenchError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    log = Path(job.folder) / "serve.log"
    with _chatter_to(log) as stderr:
        try:
            from slubench.serve.process import answer

            with Reporter(stderr) as reporter:
                answer(job, reporter)
        except KeyboardInterrupt:
            return _told(stderr, "interrupted; the same command predicts only what is missing", 130)
        except SlubenchError as error:
            logging.getLogger("slubench.serve").exception("the job failed")
            return _told(stderr, f"error: {error}", 1)
        except OSError as error:
            logging.getLogger("slubench.serve").exception("the job failed")
            return _told(stderr, f"error: {error}", 1)
        except Exception as error:
            logging.getLogger("slubench.serve").exception("the job failed")
            return _told(stderr, f"error: {job.engine} failed with {told(error)}. All of it is in {log}", 1)
    return 0


def _read(path: Path) -> PredictJob:
    try:
        return PredictJob.load(path)
    except OSError as error:
        raise DataError(f"The job {path} cannot be read ({error.strerror}).") from None
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is not a serving job ({error}).") from None


@contextmanager
def _chatter_to(log: Path) -> Iterator[TextIO]:
    """Redirect file descriptors 1 and 2, which compiled libraries also use, to `log`.

    Yields:
        What stderr was.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    stdout, stderr = os.dup(1), os.dup(2)
    with (
        log.open("a", encoding="utf-8") as file,
        open(stderr, "w", encoding="utf-8", closefd=False) as people,
    ):
        print(time.strftime("%Y-%m-%d %H:%M:%S"), "answering", file=file, flush=True)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        try:
            yield people
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os.dup2(stdout, 1)
            os.dup2(stderr, 2)


def _told(stream: TextIO, message: str, code: int) -> int:
    print(message, file=stream, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
