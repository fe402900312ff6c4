"""What commands print is text: square brackets in names, remedies and files are not rich's markup."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import slubench
from slubench.cli import doctor
from slubench.cli.diagnosis import Check
from tests.command import slubench as command

CLI = Path(slubench.__file__).parent / "cli"


def test_no_command_makes_a_console_that_reads_markup() -> None:
    for path in sorted(CLI.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Console":
                given = {one.arg: ast.unparse(one.value) for one in node.keywords}
                at = f"{path.name}: {node.lineno}"
                assert given.get("markup") == "False" or path.name == "options.py", at


def test_doctor_names_the_extra_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    check = Check("lacks", "vLLM", "install slubench[gpu] or slubench[cpu]")
    monkeypatch.setattr("slubench.cli.diagnosis.diagnose", lambda _: [check])
    doctor.doctor(home=home)
    assert "install slubench[gpu] or slubench[cpu]" in capsys.readouterr().out


def test_show_prints_a_summary_with_brackets(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        '"""Mine."""\n\nfrom slubench import TEXT, Stage, Strategy\n\n'
        'MINE = Strategy(name="mine", summary="With [red] and [/] and :smile:",\n'
        "    stages=(Stage(learns_from=TEXT),))\n"
    )
    assert "With [red] and [/] and :smile:" in command("show", file, "--home", tmp_path / "home").stdout
