"""The options and values of version 0.1 still work, and one line on stderr names the present ones."""

from __future__ import annotations

import dataclasses

import pytest

from slubench.cli.spellings import inputs_of, selection_of
from slubench.domain.budget import Budget
from slubench.domain.ledger import Ledger
from slubench.domain.run import Run
from slubench.domain.selection import renamed
from slubench.errors import UsageError
from slubench.registry import Registry
from tests.command import slubench

UNKNOWN = ("run", "--task", "massive-de", "--strategy", "no-such", "--edition", "mini")
ALL = ("speech", "text", "asr")


@pytest.mark.parametrize(
    ("inputs", "ask", "stored", "line"),
    [
        ("speech,text", None, ALL[:2], ""),
        ("text,speech,asr", None, ALL, ""),
        ("speech,text,own-transcript", None, ALL, "own-transcript is now asr: use --inputs speech,text,asr"),
        ("speech,text", "speech,text", ALL[:2], "--ask is now --inputs: use --inputs speech,text"),
        ("speech,text", ",".join(ALL), ALL, "--ask is now --inputs: use --inputs speech,text,asr"),
    ],
)
def test_inputs(
    inputs: str, ask: str | None, stored: tuple[str, ...], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert inputs_of(inputs, ask) == stored
    assert capsys.readouterr().err.strip() == line


def test_the_variable_of_the_old_option_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SLUBENCH_ASK", "speech,text")
    inputs_of("speech,text", "speech,text")
    assert capsys.readouterr().err.startswith("SLUBENCH_ASK is now SLUBENCH_INPUTS: use ")


@pytest.mark.parametrize(
    ("inputs", "message"),
    [("speech", "speech and text are always evaluated"), ("speech,text,ars", "Did you mean asr")],
)
def test_inputs_that_are_none(inputs: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        inputs_of(inputs, None)


def test_the_command_takes_the_old_option_and_does_not_show_it() -> None:
    ran = slubench(*UNKNOWN, "--ask", ",".join(ALL), "--selection", "watch-text", code=2)
    assert "--ask is now --inputs: use --inputs speech,text,asr\n" in ran.stderr
    assert "watch-text is now val-text: use --selection val-text\n" in ran.stderr
    set_so = slubench(*UNKNOWN, code=2, SLUBENCH_ASK="speech,text")
    assert "SLUBENCH_ASK is now SLUBENCH_INPUTS" in set_so.stderr
    told = slubench("run", "--help").stdout
    assert "--ask" not in told
    assert "--inputs" in told


@pytest.mark.parametrize(("before", "now"), [("watch-text", "val-text"), ("watch-clips", "val-clips")])
def test_selections(before: str, now: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert selection_of(before) == now
    assert capsys.readouterr().err == f"{before} is now {now}: use --selection {now}\n"
    assert selection_of(now) == now
    assert capsys.readouterr().err == ""
    assert Ledger.from_json(dataclasses.asdict(Ledger(selection=before))).selection == now


def test_a_run_and_a_ruleset_of_that_time_are_known_by_their_present_names() -> None:
    registry = Registry()
    run = Run(
        task=registry.task("massive-de"),
        strategy=registry.strategy("curriculum"),
        budget=Budget.parse("50%+stratified"),
        model=registry.model("tiny"),
        weights="w",
        selection="val-clips",
    )
    assert renamed("fixed+stratified+watch-clips") == run.rules
    assert renamed(run.name.replace("val-clips", "watch-clips")) == run.name
    assert renamed("my-watch-text-idea") == "my-watch-text-idea"
