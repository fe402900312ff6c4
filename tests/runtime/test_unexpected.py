"""An error that no code expects is one line for its reader; the traceback is in a file."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path

import pytest

from slubench.runtime import child
from slubench.runtime.unexpected import kept_traceback, told
from slubench.runtime.verbosity import QUIET, VERBOSE

PYDANTIC = """1 validation error for ModelConfig
  Value error, Model architectures ['Nowhere'] are not supported for now. [type=value_error, input_value=x]
    For further information visit https://errors.pydantic.dev/2.12/v/value_error"""


def raised(text: str) -> Exception:
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def test_a_validation_error_is_told_by_its_sentence() -> None:
    line = told(raised(PYDANTIC))
    assert "Model architectures ['Nowhere'] are not supported for now." in line
    assert "pydantic" not in line
    assert "\n" not in line


def test_the_users_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def go():\n    return {}['missing']\n", "utf-8")
    names: dict[str, object] = {}
    exec(compile(file.read_text("utf-8"), str(file), "exec"), names)
    go = names["go"]
    assert callable(go)
    with pytest.raises(KeyError) as error:
        go()
    assert f"({file}, line 2)" in told(error.value)


def test_the_traceback_is_kept_or_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(VERBOSE, "0")
    monkeypatch.setenv(QUIET, "0")
    error = raised("of a test")
    assert str(tmp_path / "error.txt") in kept_traceback(error, tmp_path)
    assert "".join(traceback.format_exception(error)) in (tmp_path / "error.txt").read_text("utf-8")
    assert capsys.readouterr().err == ""
    monkeypatch.setenv(VERBOSE, "1")
    kept_traceback(error, tmp_path)
    assert "Traceback" in capsys.readouterr().err


def test_a_process_that_breaks_ends_with_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "breaks.py").write_text("raise RuntimeError('all at once')\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["child", "breaks", str(tmp_path / "job.json")])
    monkeypatch.setenv(VERBOSE, "0")
    with pytest.raises(SystemExit) as ended:
        child.main()
    assert ended.value.code == 1
    printed = capsys.readouterr().err
    assert "Error: RuntimeError: all at once" in printed
    assert "Traceback" not in printed
    assert "RuntimeError" in (tmp_path / "error.txt").read_text("utf-8")
