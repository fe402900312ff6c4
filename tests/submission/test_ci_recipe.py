"""The recipe for a repository that takes submissions: what it may, what it runs, which bundle it picks."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command import ROOT

RECIPE = ROOT / "docs" / "ci" / "verify-submissions.yml"
# YAML takes a bare `on` for a truth.
WORKFLOW: dict[Any, Any] = yaml.safe_load(RECIPE.read_text("utf-8"))
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["verify"]["steps"]


def test_it_has_no_secret_and_may_read_alone() -> None:
    text = RECIPE.read_text("utf-8")
    assert list(WORKFLOW[True]) == ["pull_request"]
    assert WORKFLOW["permissions"] == {}
    assert WORKFLOW["jobs"]["verify"]["permissions"] == {"contents": "read"}
    assert "secrets." not in text
    assert "GITHUB_TOKEN" not in text
    for step in STEPS:
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", step["uses"])
        if str(step.get("uses", "")).startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] is False
        # What GitHub fills in is never part of a script.
        assert "${{" not in step.get("run", "")


def git(folder: Path, *arguments: str) -> None:
    subprocess.run(
        ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments],
        check=True,
        capture_output=True,
    )


def picked(tmp_path: Path, *changed: str) -> tuple[int, str, str]:
    """Exit code, what is printed and what is handed on, where a merge changes some files."""
    merged, output = tmp_path / "merged", tmp_path / "output"
    merged.mkdir()
    git(merged, "init", "-q")
    (merged / "README.md").write_text("base", "utf-8")
    git(merged, "add", "-A")
    git(merged, "commit", "-qm", "base")
    for name in changed:
        path = merged / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("changed", "utf-8")
    git(merged, "add", "-A")
    git(merged, "commit", "-qm", "change")
    output.touch()
    (script,) = (step["run"] for step in STEPS if step.get("id") == "changed")
    ran = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "GITHUB_OUTPUT": str(output)},
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr, output.read_text("utf-8")


def test_it_picks_the_bundle_that_changes(tmp_path: Path) -> None:
    files = ("submissions/short-first/manifest.json", "submissions/short-first/runs/a b/card.json")
    assert picked(tmp_path, *files) == (0, "", "bundle=short-first\n")


@pytest.mark.parametrize(
    "changed",
    [
        ("submissions/one/manifest.json", "submissions/two/manifest.json"),
        ("submissions/one/manifest.json", "leaderboard/published/a.parquet"),
        ("submissions/one/manifest.json", "submissions/$(touch pwned)/x"),
        ("submissions/one/manifest.json", "submissions/a\nbundle=b/x"),
        ("submissions/UPPER/manifest.json",),
        ("submissions/manifest.json",),
        ("README.md",),
    ],
)
def test_it_refuses_all_else(tmp_path: Path, changed: tuple[str, ...]) -> None:
    code, told, handed_on = picked(tmp_path, *changed)
    assert code == 1
    assert handed_on == ""
    assert "and nothing else" in told
    assert not list(tmp_path.rglob("pwned"))
