"""At 80 columns a bar shows what is done, how much and how long it takes; the long name comes last."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from slubench.runtime.progress_bar import progress_bar, told_left
from slubench.runtime.verbosity import QUIET, VERBOSE, is_quiet, is_verbose, set_verbosity
from slubench.serve.progress import Reporter

LONG = "massive-de--curriculum--5pct--qwen2-audio-7b-instruct--lora-lm--full--d0t0"


def drawn(width: int, verb: str = "training", figures: str = "stage 1/2  loss 0.0565") -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=True, width=width, color_system=None, legacy_windows=False)
    bar = progress_bar(console)
    task = bar.add_task(LONG, total=1234, verb=verb, figures=figures)
    bar.update(task, completed=617)
    console.print(bar.get_renderable())
    return stream.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
@pytest.mark.parametrize("verb", ["training", "predicting", "decoding"])
def test_a_line_holds_bar_count_and_time_left(width: int, verb: str) -> None:
    lines = drawn(width, verb).splitlines()
    assert len(lines) == 1, lines
    assert len(lines[0]) <= width
    for part in (verb, "━", "617/1,234", "left"):
        assert part in lines[0]


def test_the_name_is_cut_not_the_count() -> None:
    line = drawn(80).rstrip()
    assert "loss 0.05" in line
    assert line.endswith("…")
    assert LONG in drawn(200)


def test_what_an_engine_prints_stays_out_of_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    log = io.StringIO()
    monkeypatch.setattr(sys, "stderr", log)
    monkeypatch.delenv(QUIET, raising=False)
    terminal = Terminal()
    with Reporter(terminal) as reporter:
        reporter.begin("x", 2)
        print("Loading weights", file=sys.stderr)
        reporter.advance(2)
    assert "Loading weights" in log.getvalue()
    assert "Loading weights" not in terminal.getvalue()


@pytest.mark.parametrize(
    ("seconds", "told"), [(3.2, "3 s left"), (75, "1:15 left"), (3725, "1:02:05 left"), (59.9, "1:00 left")]
)
def test_the_time_left_in_a_log(seconds: float, told: str) -> None:
    assert told_left(seconds) == told


def test_quiet_and_verbose_reach_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(QUIET, "0")
    monkeypatch.setenv(VERBOSE, "0")
    set_verbosity(quiet=False, verbose=True)
    assert is_verbose()
    set_verbosity(quiet=True, verbose=False)
    assert is_quiet()
    assert not is_verbose()
    stream = io.StringIO()
    with Reporter(stream) as reporter:
        reporter.begin("x", 2)
        reporter.advance(2)
    assert stream.getvalue() == ""
