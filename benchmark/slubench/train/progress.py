"""Reports training progress: on stderr, in TensorBoard, W&B and a log file."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from slubench.runtime.progress_bar import progress_bar, told_left
from slubench.runtime.verbosity import is_quiet, is_verbose

LINE_SECONDS, VERBOSE_SECONDS = 30.0, 5.0

logger = logging.getLogger("slubench.train")


class TrainProgress:
    """Shows updates: as a progress bar on a terminal, else as occasional lines."""

    def __init__(self, name: str, stages: int, updates: int) -> None:
        self._name = name
        self._stages = stages
        self._updates = updates
        self._console = Console(stderr=True, quiet=is_quiet())
        self._said = 0.0
        self._begun: tuple[float, int] | None = None
        self._bar = progress_bar(self._console)
        self._task = self._bar.add_task(name, total=updates, verb="training", figures="")

    def __enter__(self) -> TrainProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        logger.info(line)
        self._console.print(f"{self._name}: {line}", highlight=False, markup=False, soft_wrap=True)

    def note(self, line: str) -> None:
        """Write a line to the log file only."""
        logger.info(line)

    def show(self, stage: int, done: int, loss: float, rate: float) -> None:
        """Show that an update is done."""
        figures = f"loss {loss:.4f}  rate {rate:.2e}"
        logger.info("stage %d update %d %s", stage + 1, done, figures)
        of = f"stage {stage + 1}/{self._stages}" if self._stages > 1 else ""
        if self._console.is_terminal:
            told = "  ".join(part for part in (of, f"loss {loss:.4f}") if part)
            self._bar.update(self._task, completed=done, figures=told)
            return
        if is_quiet():
            return
        now = time.monotonic()
        if self._begun is None:
            self._begun = (now, done)
        if now - self._said >= (VERBOSE_SECONDS if is_verbose() else LINE_SECONDS) or done == self._updates:
            self._said = now
            begun, before = self._begun
            left = (now - begun) / (done - before) * (self._updates - done) if done > before else None
            after = f", {told_left(left)}" if left else ""
            name = f"{self._name} ({of})" if of else self._name
            sys.stderr.write(f"{name}: update {done}/{self._updates}, {figures}{after}\n")
            sys.stderr.flush()


@contextmanager
def logged(path: Path) -> Iterator[None]:
    """Redirect logs and warnings of libraries to a file within the block."""
    from transformers.utils import logging as transformers_logging

    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    root = logging.getLogger()
    level, logger.propagate = root.level, True
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    transformers_logging.disable_default_handler()
    transformers_logging.enable_propagation()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    shown = warnings.showwarning
    logging.captureWarnings(True)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        warnings.showwarning = shown
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
