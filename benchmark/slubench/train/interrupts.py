"""Stops a training on signals, and allows only one in a folder at a time."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from slubench.errors import SlubenchError


class Stopped(Exception):
    """The training was stopped by a signal, after its state was saved.

    Attributes:
        number: The signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@dataclass
class StopRequest:
    """Whether the training stops after the current update.

    Attributes:
        number: The signal that came, 0 if none did.
    """

    number: int = 0


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Record SIGINT and SIGTERM instead of ending; a SIGINT after another signal interrupts at once.

    SIGTERM may come several times: a cluster sends it to every process of a job, which pass it on.
    """
    request = StopRequest()

    def note(number: int, frame: FrameType | None) -> None:
        if request.number and number == signal.SIGINT:
            raise KeyboardInterrupt
        request.number = request.number or number

    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder's lock, which the system releases when the process ends in any way.

    Raises:
        SlubenchError: Another process trains there.
    """
    with (folder / "train.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SlubenchError(
                f"Process {file.read().strip() or 'of another'} is already training in {folder}. Wait for"
                " it, or end it; the same command then resumes from its last checkpoint."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
