"""Progress on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self, TextIO

from rich.console import Console
from rich.progress import Progress, TaskID

from slubench.runtime.progress_bar import progress_bar, told_left
from slubench.runtime.verbosity import is_quiet, is_verbose

SECONDS_BETWEEN_LINES: Final = 20.0
VERBOSE_SECONDS: Final = 5.0


class Reporter:
    """Reports progress on stderr.

    Args:
        stream: Where to; a bar is drawn only where it is a terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        if stream.isatty() and not is_quiet():
            self._bar = progress_bar(Console(file=stream), redirects=False)
        self._name, self._done, self._total, self._told, self._begun = "", 0, 0, 0.0, 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def say(self, text: str) -> None:
        """Print a line."""
        if is_quiet():
            return
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        else:
            print(text, file=self.stream, flush=True)

    def begin(self, name: str, total: int) -> None:
        """Start counting to `total` under `name`."""
        self._name, self._done, self._total = name, 0, total
        self._told = self._begun = time.monotonic()
        if self._bar:
            if self._task is not None:
                self._bar.remove_task(self._task)
            self._task = self._bar.add_task(name, total=total, verb="predicting", figures="")
            self._bar.start()
        else:
            self.say(f"predicting {name}: {total:,} replies")

    def advance(self, number: int) -> None:
        """Count `number` more."""
        self._done += number
        if self._bar and self._task is not None:
            self._bar.advance(self._task, number)
            return
        now = time.monotonic()
        pause = VERBOSE_SECONDS if is_verbose() else SECONDS_BETWEEN_LINES
        if self._done >= self._total or now - self._told >= pause:
            self._told = now
            left = (now - self._begun) / self._done * (self._total - self._done) if self._done else 0.0
            after = f", {told_left(left)}" if left else ""
            self.say(f"predicting {self._name}: {self._done:,} of {self._total:,}{after}")
