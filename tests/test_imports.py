"""Imports run downwards: what DESIGN separates does not know one another."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from slubench.conformance.imports import strategy_imports, task_imports
from slubench.conformance.verdict import Verdict, failures

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "benchmark" / "slubench"
DECLARATIONS = (
    "task",
    "strategy",
    "budget",
    "model",
    "view",
    "corpus",
    "utterance",
    "meaning",
    "pool",
    "lessons",
)
FORBIDDEN = {
    "train": ("slubench.serve", "slubench.board", "slubench.cli", "slubench.pipeline", "slubench.mini"),
    "serve": ("slubench.train", "slubench.board", "slubench.cli", "slubench.pipeline", "slubench.mini"),
    "board": ("slubench.train", "slubench.serve", "slubench.cli", "slubench.pipeline", "slubench.corpora"),
    "submission": (
        *("slubench.train", "slubench.serve", "slubench.cli", "slubench.mini"),
        *("slubench.retraining", "slubench.conformance"),
    ),
    "retraining": ("slubench.train", "slubench.serve", "slubench.cli", "slubench.mini"),
    "conformance": (
        "slubench.serve",
        "slubench.board",
        "slubench.cli",
        "slubench.mini",
        "slubench.retraining",
    ),
    "metrics": ("slubench.train", "slubench.serve", "slubench.board", "slubench.cli", "slubench.corpora"),
    "corpora": ("slubench.train", "slubench.serve", "slubench.board", "slubench.cli", "slubench.pipeline"),
}
HEAVY = ("torch", "transformers", "peft", "vllm", "datasets", "pyarrow", "huggingface_hub")


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def within(names: set[str], modules: tuple[str, ...]) -> list[str]:
    return sorted(
        name for name in names for module in modules if name == module or name.startswith(f"{module}.")
    )


@pytest.mark.parametrize("part", FORBIDDEN)
def test_parts_do_not_look_upwards(part: str) -> None:
    found = {
        str(path.relative_to(ROOT)): wrong
        for path in (PACKAGE / part).rglob("*.py")
        if (wrong := within(imported(path), FORBIDDEN[part]))
    }
    assert found == {}


@pytest.mark.parametrize("name", DECLARATIONS)
def test_declarations_are_light(name: str) -> None:
    assert within(imported(PACKAGE / f"{name}.py"), (*HEAVY, "slubench.run", "slubench.corpora")) == []


def test_nobody_imports_a_shelf() -> None:
    shelves = ("slubench.tasks", "slubench.strategies", "slubench.leaderboard")
    assert {
        path.name: wrong for path in PACKAGE.rglob("*.py") if (wrong := within(imported(path), shelves))
    } == {}


@pytest.mark.parametrize(("shelf", "imports"), [("tasks", task_imports), ("strategies", strategy_imports)])
def test_declarations_import_what_they_may(shelf: str, imports: Callable[[Path], Verdict]) -> None:
    assert failures(imports(path) for path in (ROOT / shelf).glob("*.py")) == []
