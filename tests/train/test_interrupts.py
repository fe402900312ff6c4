"""What signals do to a training."""

from __future__ import annotations

import os
import signal

import pytest

from slubench.train.interrupts import stop_requests


def send(*numbers: signal.Signals) -> None:
    for number in numbers:
        os.kill(os.getpid(), number)


def test_a_termination_that_comes_several_times_lets_the_checkpoint_be_written() -> None:
    with stop_requests() as stop:
        send(signal.SIGTERM, signal.SIGTERM, signal.SIGTERM)
        assert stop.number == signal.SIGTERM


@pytest.mark.parametrize("first", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_after_another_signal_ends_at_once(first: signal.Signals) -> None:
    with stop_requests(), pytest.raises(KeyboardInterrupt):
        send(first, signal.SIGINT)
