"""docs/scripting.md: the keys of `--json` and the exit codes are those it lists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from slubench import errors, schemas
from tests.command import ROOT, slubench

PAGE = (ROOT / "docs" / "scripting.md").read_text("utf-8")
PUBLISHED = ROOT / "leaderboard" / "published"
COMMANDS = {
    "list tasks": (),
    "list strategies": (),
    "list models": (),
    "list runs": (),
    "compare": ("curriculum", "text-only", "--task", "massive-de"),
    "leaderboard show": (),
    "data list": ("massive-de", "--edition", "mini"),
    "doctor": (),
    "plan": ("--task", "massive-de", "--strategy", "text-only", "--edition", "mini"),
}


def promised(command: str) -> list[str]:
    """The keys that the page's table gives for a command."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| `{command}` |")]
    return re.findall(r"`(\w+)`", line.split("|")[3])


@pytest.fixture(scope="module")
def scored_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the published scores as its own."""
    home = tmp_path_factory.mktemp("home")
    (home / "leaderboard").mkdir()
    (home / "leaderboard" / "scores").symlink_to(PUBLISHED)
    return home


@pytest.mark.parametrize("command", COMMANDS)
def test_json_has_the_keys_of_the_page(command: str, scored_home: Path) -> None:
    ran = slubench(*command.split(), *COMMANDS[command], "--json", "--home", scored_home)
    printed: Any = json.loads(ran.stdout)
    entries = printed if isinstance(printed, list) else [printed]
    assert entries
    for entry in entries:
        assert list(entry) == promised(command)


def test_every_command_of_the_table_is_tried_or_prints_score_rows() -> None:
    section = PAGE[PAGE.index("## JSON") : PAGE.index("## Where files are")]
    commands = re.findall(r"^\| (`[a-z ,`]+`) \|", section, re.MULTILINE)
    rows = "`run`, `sweep`, `evaluate`, `rescore`"
    assert sorted(commands) == sorted([rows, *(f"`{command}`" for command in COMMANDS)])
    assert "schema_version" in schemas.SCORES.names


def test_the_exit_codes_of_errors_are_on_the_page() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.exit_code for kind in kinds if issubclass(kind, errors.SlubenchError)}
    told = {
        int(code) for line in re.findall(r"^\| ([\d, ]+) \|", PAGE, re.MULTILINE) for code in line.split(",")
    }
    assert codes | {0, 130, 143} == told
