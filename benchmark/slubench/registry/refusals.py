"""Names, calls and imports of a strategy's file that its fingerprint cannot cover."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

_NAMES: Final = frozenset("exec eval compile globals locals __import__ __builtins__".split())
_ATTRIBUTES: Final = frozenset(
    "__setattr__ __delattr__ __globals__ __dict__ __code__ __closure__ __defaults__"
    " __kwdefaults__ __builtins__"
    " environ getenv".split()
)
_AT_TOP_LEVEL: Final = frozenset(
    "getattr setattr delattr vars open input read_text read_bytes".split(),
)
_OF_THE_MACHINE: Final = frozenset(
    "listdir iterdir scandir walk glob rglob stat load loadtxt fromfile get_data FileIO now today time"
    " time_ns random randint uniform choice sample getrandbits default_rng urandom uuid1 uuid4 token_hex"
    " getpid gethostname node cpu_count check_output urlopen getuser".split(),
)
"""What files, time, chance and the machine give: two runs of a file need not get the same."""
_MODULES: Final = frozenset(
    "builtins importlib inspect sys gc ctypes runpy marshal pickle".split(),
)

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def _run_later(tree: ast.Module) -> set[int]:
    """Ids of the nodes of functions that nothing at the top level calls, itself or through others."""
    declared: dict[str, list[ast.AST]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            declared.setdefault(node.name, []).append(node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Lambda):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    declared.setdefault(target.id, []).append(node.value)
    # Defaults, decorators and annotations are evaluated where the function is defined, unlike its body.
    at_once = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS) and id(node) not in at_once]
    later = {id(node) for function in functions for part in _body(function) for node in ast.walk(part)}
    waiting = _called_in(node for node in ast.walk(tree) if id(node) not in later)
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        for node in declared.get(name, ()):
            within = list(ast.walk(node))
            later -= {id(one) for one in within}
            waiting |= _called_in(within)
    return later


def _body(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Sequence[ast.AST]:
    return [function.body] if isinstance(function, ast.Lambda) else function.body


def _imported_under(tree: ast.Module) -> set[str]:
    """The names under which a module imports what files, time, chance and the machine give."""
    return {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if alias.name in _AT_TOP_LEVEL | _OF_THE_MACHINE
    }


def _called_in(nodes: Iterable[ast.AST]) -> set[str]:
    """Names that are called, or that decorate what is declared."""
    found = set()
    for node in nodes:
        called = [node.func] if isinstance(node, ast.Call) else getattr(node, "decorator_list", [])
        for one in called:
            one = one.func if isinstance(one, ast.Call) else one
            found |= {one.id} if isinstance(one, ast.Name) else set()
            found |= {one.attr} if isinstance(one, ast.Attribute) else set()
    return found


def refusals(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What in a module cannot be determined from its source: the line, and the problem with its remedy."""
    inside = _run_later(tree)
    names_at_import = _AT_TOP_LEVEL | _imported_under(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in (_NAMES if isinstance(node, ast.Name) else _ATTRIBUTES):
                yield node.lineno, f"{name} creates or changes what the source does not show; write it out"
            elif id(node) not in inside and name in (
                names_at_import if isinstance(node, ast.Name) else _AT_TOP_LEVEL | _OF_THE_MACHINE
            ):
                yield node.lineno, f"{name} runs while the file is imported; write its result out"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            if isinstance(node, ast.ImportFrom):
                modules = [node.module or ""] if not node.level else []
            else:
                modules = [alias.name for alias in node.names]
            for module in modules:
                if module.partition(".")[0] in _MODULES:
                    yield node.lineno, f"import of {module}, which can bypass the source; remove it"
            for alias in node.names:
                if alias.name in _ATTRIBUTES | _NAMES:
                    yield node.lineno, f"import of {alias.name}, which the source does not show; write it out"
            if any(alias.name == "*" for alias in node.names):
                yield node.lineno, "a star import; import names one by one"
