"""A strategy's functions count by all that they can reach; what no source settles is refused."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slubench.pipeline.fingerprints import values_of
from slubench.registry import strategy_in
from slubench.registry.static_read import read_strategy

HEAD = '"""A test\'s."""\n\nfrom slubench import SPEECH, TEXT, Example, Stage, Strategy\n\n'
TAIL = """

def compose(pool, rng):
    yield from map(Example.written, pool.text())
    return reached()


MINE = Strategy(name="mine", stages=(Stage(learns_from=TEXT, compose=compose),))
"""
REACHED = "\n\ndef reached():\n    return LIMIT\n"

Digest = Callable[..., str]


@pytest.fixture
def digest(tmp_path: Path) -> Digest:
    """The values of the strategy in a file of that text, its functions by what they reach."""

    def of(code: str, reached: str = REACHED, **beside: str) -> str:
        for name, text in beside.items():
            (tmp_path / f"{name}.py").write_text(text, "utf-8")
        file = tmp_path / "mine.py"
        file.write_text(HEAD + dedent(code) + reached + TAIL, "utf-8")
        sys.modules.pop("helper", None)
        return repr(values_of(strategy_in(file)))

    return of


CONSTANTS = {
    "plain": "LIMIT = 3",
    "annotated": "LIMIT: int = 3",
    "tuple": "LIMIT, OTHER = 3, 4",
    "if": "if True:\n    LIMIT = 3\nelse:\n    LIMIT = 5",
    "try": "try:\n    LIMIT = 3\nexcept ValueError:\n    LIMIT = 5",
    "for": "for LIMIT in (1, 3):\n    pass",
    "with": "import contextlib\nwith contextlib.nullcontext(3) as LIMIT:\n    pass",
    "while": "LIMIT = 0\nwhile LIMIT != 3:\n    LIMIT += 1",
    "match": "match (3, 4):\n    case (LIMIT, _):\n        pass",
    "walrus": "print(end=str(LIMIT := 3)[1:])",
    "augmented": "LIMIT = 1\nLIMIT += 3",
    "deleted": "LIMIT = 3\nOTHER = 4\ndel OTHER",
    "appended": "LIMIT = []\nLIMIT.append(3)",
    "updated": "LIMIT = {}\nLIMIT.update(a=3)",
    "item": "LIMIT = {}\nLIMIT['a'] = 3",
    "attribute": "class LIMIT:\n    pass\nLIMIT.size = 3",
    "class": "class LIMIT:\n    size = 3",
    "comprehension": "LIMIT = [n for n in range(3)]",
    "default": "def LIMIT(size=3):\n    return size",
    "decorator": "def by(size):\n    return lambda f: f\n@by(3)\ndef LIMIT():\n    pass",
    "lambda inside": "LIMIT = (lambda: 3)()",
    "function that sets": "def set_it():\n    global LIMIT\n    LIMIT = 3\nset_it()",
    "string": "LIMIT = 'a3'",
    "float": "LIMIT = 1.3",
}


@pytest.mark.parametrize("how", CONSTANTS)
def test_a_changed_constant_is_another_strategy_however_it_is_bound(how: str, digest: Digest) -> None:
    code = CONSTANTS[how]
    before = digest(code)
    assert digest(code) == before
    assert digest(code.replace("3", "7")) != before


@pytest.mark.parametrize("change", [("LIMIT", "LIMIT + 1"), ("return", "yield")])
def test_a_changed_helper_of_the_file_is_another_strategy(change: tuple[str, str], digest: Digest) -> None:
    assert digest("LIMIT = 3", REACHED.replace(*change)) != digest("LIMIT = 3")


IMPORTS = (
    "import helper",
    "from helper import LIMIT",
    "import helper as other",
    "if True:\n    import helper",
)


@pytest.mark.parametrize("statement", IMPORTS)
def test_a_module_beside_the_file_counts(
    statement: str, digest: Digest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    code = f"{statement}\nLIMIT = 3"
    before = digest(code, helper="import deeper\nLIMIT = 3\n", deeper="DEPTH = 3\n")
    assert digest(code, helper="import deeper\n# a comment\nLIMIT = 3\n", deeper="DEPTH = 3\n") == before
    assert digest(code, helper="import deeper\nLIMIT = 7\n", deeper="DEPTH = 3\n") != before
    assert digest(code, helper="import deeper\nLIMIT = 3\n", deeper="DEPTH = 7\n") != before


def test_an_import_inside_a_function_counts(digest: Digest) -> None:
    reached = "\n\ndef reached():\n    import helper\n    return helper.LIMIT\n"
    before = digest("", reached, helper="LIMIT = 3\n")
    assert digest("", reached, helper="LIMIT = 7\n") != before


def test_a_module_of_the_same_package_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a plugin has it, or the shelf."""
    package = tmp_path / "idea_of_a_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "sizes.py").write_text("LIMIT = 3\n")
    text = HEAD + "from . import sizes\nfrom .sizes import LIMIT\n" + REACHED + TAIL
    (package / "strategy.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("idea_of_a_test.strategy").strategy
    before = values_of(module.MINE)
    (package / "sizes.py").write_text("LIMIT = 7\n")
    assert values_of(module.MINE) != before


def test_a_library_that_is_installed_as_a_link_is_a_library(
    digest: Digest, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    store, libraries = elsewhere / "store" / "library_of_a_test", elsewhere / "site-packages"
    store.mkdir(parents=True)
    libraries.mkdir(parents=True)
    (store / "__init__.py").write_text("import builtins\n\nLIMIT = 3\n")
    (libraries / "library_of_a_test").symlink_to(store)
    monkeypatch.syspath_prepend(libraries)
    paths = sysconfig.get_paths() | {"purelib": str(libraries)}
    monkeypatch.setattr("slubench.registry.function_source.sysconfig.get_paths", lambda: paths)
    reached = "\n\ndef reached():\n    import library_of_a_test\n    return library_of_a_test.LIMIT\n"
    assert digest("", reached)


def test_what_is_no_code_changes_nothing(digest: Digest) -> None:
    code = 'LIMIT = 3\ndef helper():\n    """A docstring."""\n    return (1, "two")'
    before = digest(code)
    assert digest(code.replace("A docstring", "Another")) == before
    assert digest("# A comment.\n\n\n" + code.replace("(1, ", "(1,  # Why.\n            ")) == before
    assert digest(code.replace('"two"', "'two'")) == before


def test_a_docstring_that_is_looked_at_counts(digest: Digest) -> None:
    code = 'def told():\n    """Three."""\nLIMIT = told.__doc__'
    assert digest(code.replace("Three", "Seven")) != digest(code)


def test_an_edit_within_the_same_second_is_seen(tmp_path: Path) -> None:
    """Bytecode is told apart by second and size."""
    file = tmp_path / "mine.py"
    text = HEAD + "LIMIT = 0.3\n" + TAIL.replace("compose=compose", "compose=compose, rate=LIMIT")
    found = []
    for limit in ("0.3", "0.7"):
        file.write_text(text.replace("0.3", limit))
        os.utime(file, (1e9, 1e9))
        found.append(strategy_in(file).stages[0].rate)
    assert found == [0.3, 0.7]


@settings(max_examples=60, deadline=None)
@given(
    before=st.one_of(
        st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.booleans(), st.none()
    ),
    after=st.one_of(st.integers(), st.floats(allow_nan=False), st.text(max_size=8), st.booleans(), st.none()),
    how=st.sampled_from(
        ["LIMIT = {}", "LIMIT = [{}]", "LIMIT = {{'a': {}}}", "def LIMIT(a={}):\n    return a"]
    ),
)
@example(before=None, after=float("inf"), how="LIMIT = [{}]")
def test_any_constant_that_changes_changes_the_digest(before: object, after: object, how: str) -> None:
    def source(value: object) -> str:
        # `inf` is a name; as a constant it is a number that is too large.
        written = repr(value).replace("inf", "1e999") if isinstance(value, float) else repr(value)
        text = HEAD + how.format(written) + REACHED + TAIL
        return repr(values_of(read_strategy(text, "mine")))

    assert (source(before) == source(after)) == (repr(before) == repr(after))


def test_what_is_read_and_what_is_run_have_one_digest(tmp_path: Path) -> None:
    text = HEAD + "LIMIT = 3" + REACHED + TAIL
    file = tmp_path / "mine.py"
    file.write_text(text)
    assert values_of(read_strategy(text, "mine")) == values_of(strategy_in(file))
