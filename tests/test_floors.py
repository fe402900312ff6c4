"""The floors of the house: each folder imports from lower floors alone (docs/architecture.md)."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "benchmark" / "slubench"
SHELVES = ("tasks", "strategies", "leaderboard")

FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors",),
    ("domain", "_checkout"),
    ("metrics", "runtime", "__init__"),
    ("data", "registry", "schemas", "models", "strategies"),
    ("trainset", "train", "serve", "scoring", "board", "tasks"),
    ("pipeline", "leaderboard"),
    ("conformance", "submission", "sweep", "tools"),
    ("cli",),
    ("__main__",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS, 1) for room in rooms}
TOP_LEVEL = {"__init__", "__main__", "_checkout", "errors", "schemas"}


def sources() -> Iterator[tuple[str, Path]]:
    """Every module of the package, the shelves and the tools, with its room."""
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).parts[0].removesuffix(".py"), path
    for shelf in (*SHELVES, "tools"):
        for path in sorted((ROOT / shelf).rglob("*.py")):
            yield shelf, path


def room_of(module: str) -> str | None:
    """The room that an imported module lies in; None for what is not ours."""
    parts = module.split(".")
    if parts[0] == "tools":
        return "tools"
    if parts[0] != "slubench":
        return None
    return parts[1] if len(parts) > 1 and parts[1] in FLOOR else "__init__"


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def arrows() -> Mapping[tuple[str, str], list[str]]:
    """Between which rooms there are imports, and where they stand."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for room, path in sources():
        for line, module in imports(path):
            target = room_of(module)
            if target is not None and target != room:
                found[room, target].append(f"{path.relative_to(ROOT)}:{line} imports {module}")
    return found


def test_every_room_has_a_floor() -> None:
    assert {room for room, _ in sources()} - set(FLOOR) == set()


def test_imports_run_downwards() -> None:
    wrong = [
        place
        for (room, target), places in arrows().items()
        if FLOOR[target] >= FLOOR[room]
        for place in places
    ]
    assert wrong == []


def test_no_module_lies_in_the_top_level_unnamed() -> None:
    assert {path.stem for path in PACKAGE.glob("*.py")} == TOP_LEVEL


def test_rooms_depend_on_one_another_in_no_circle() -> None:
    below: dict[str, set[str]] = defaultdict(set)
    for room, target in arrows():
        below[room].add(target)

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        rest = list(below[start])
        while rest:
            room = rest.pop()
            if room not in seen:
                seen.add(room)
                rest += below[room]
        return seen

    assert [room for room in FLOOR if room in reached(room)] == []


def module_name(path: Path) -> str:
    """As it is imported."""
    base = ROOT if path.is_relative_to(ROOT / "tools") else PACKAGE.parent
    parts = path.relative_to(base).with_suffix("").parts if path.is_relative_to(base) else ()
    parts = parts or ("slubench", *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts).removesuffix(".__init__")


def test_modules_depend_on_one_another_in_no_circle() -> None:
    modules = {module_name(path): path for _, path in sources()}
    below = {
        name: {
            known
            for _, imported in imports(path)
            if (known := imported if imported in modules else imported.rpartition(".")[0]) in modules
            and known != name
        }
        for name, path in modules.items()
    }
    done: set[str] = set()

    def circle(name: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if name in way:
            return (*way[way.index(name) :], name)
        if name in done:
            return ()
        for other in sorted(below[name]):
            if found := circle(other, (*way, name)):
                return found
        done.add(name)
        return ()

    assert [found for name in modules if (found := circle(name, ()))] == []
