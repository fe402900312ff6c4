"""What the package shows, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import slubench


def test_all_is_there_and_sorted() -> None:
    assert all(hasattr(slubench, name) for name in slubench.__all__)
    assert sorted(slubench.__all__) == sorted(set(slubench.__all__))


def test_importing_loads_nothing_heavy() -> None:
    heavy = "torch transformers peft vllm datasets pyarrow numpy soundfile huggingface_hub".split()
    code = f"import sys, slubench, slubench.cli.app; print([m for m in {heavy} if m in sys.modules])"
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": "benchmark"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip() == "[]"


def test_type_checkers_read_the_annotations_of_an_installed_package() -> None:
    assert (Path(slubench.__file__).parent / "py.typed").is_file()
