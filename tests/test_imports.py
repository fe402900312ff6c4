"""Imports run downwards: what DESIGN separates does not know one another."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path

import pytest

from slubench.conformance.declarations import strategy_imports, task_imports
from slubench.conformance.verdict import Verdict, failures

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "benchmark" / "slubench"
LIGHT = ("domain", "metrics")
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


@pytest.mark.parametrize("room", LIGHT)
def test_nouns_and_measures_are_light(room: str) -> None:
    assert {
        str(path.relative_to(ROOT)): wrong
        for path in (PACKAGE / room).rglob("*.py")
        # Modules of `evaluate` are read by evaluate alone, which brings datasets.
        if "evaluate_modules" not in path.parts
        if (wrong := within(imported(path), HEAVY))
    } == {}


def test_nobody_imports_a_shelf() -> None:
    shelves = ("slubench.tasks", "slubench.strategies", "slubench.leaderboard")
    assert {
        path.name: wrong for path in PACKAGE.rglob("*.py") if (wrong := within(imported(path), shelves))
    } == {}


def test_training_and_serving_know_no_family_by_name() -> None:
    """Apart from the vLLM class of a family that is shipped."""
    families = {path.stem for path in (PACKAGE / "models" / "families").glob("*.py")}
    assert [
        f"{path.name}:{number}"
        for room in ("train", "serve")
        for path in (PACKAGE / room).rglob("*.py")
        if path.stem.removeprefix("vllm_") not in families
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if "qwen" in line.lower()
    ] == []


def test_a_familys_file_imports_torch_inside_functions_alone() -> None:
    assert [
        f"{path.name}:{line} imports {name}"
        for path in (PACKAGE / "models" / "families").glob("*.py")
        for line, name in top_level(path)
        if within({name}, HEAVY)
    ] == []


def top_level(path: Path) -> list[tuple[int, str]]:
    """Line and name of every module that is imported when the file is."""
    tree = ast.parse(path.read_text("utf-8"))
    found = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.append((node.lineno, node.module))
    return found


@pytest.mark.parametrize(("shelf", "imports"), [("tasks", task_imports), ("strategies", strategy_imports)])
def test_declarations_import_what_they_may(shelf: str, imports: Callable[[Path], Verdict]) -> None:
    assert failures(imports(path) for path in (ROOT / shelf).glob("*.py")) == []
