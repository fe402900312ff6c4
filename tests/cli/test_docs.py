"""docs/commands.md is what the program says of itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_commands_is_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "commands.md"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "typer",
            "slubench.cli.app",
            "utils",
            "docs",
            "--name",
            "slubench",
            "--title",
            "Commands",
            "--output",
            page,
        ],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "benchmark")},
    )
    assert page.read_text("utf-8") == (ROOT / "docs" / "commands.md").read_text("utf-8"), "run `make docs`"
