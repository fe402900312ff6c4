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

from slubench.errors import DeclarationError
from slubench.pipeline.fingerprints import values_of
from slubench.registry import Registry, strategy_in
from slubench.registry.static_read import Unreadable, read_strategy

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


@pytest.mark.parametrize(
    ("code", "line", "what"),
    [
        ("compose = lambda pool, rng: []", 5, "not a plain function: what a lambda"),
        (
            "def make(n):\n    def inner(pool, rng):\n        return n\n    return inner\ncompose = make(3)",
            6,
            "closure",
        ),
        ("class C:\n    def go(self, pool, rng):\n        return []\ncompose = C().go", 6, "method"),
        (
            "import functools\ndef f(n, pool, rng):\n    return []\ncompose = functools.partial(f, 3)",
            0,
            "partial",
        ),
        ("if True:\n    def compose(pool, rng):\n        return []", 6, "under `if`"),
        (
            "try:\n    def compose(pool, rng):\n        return []\nexcept ValueError:\n    pass",
            6,
            "not a plain function",
        ),
        ("for n in (1, 2):\n    def compose(pool, rng):\n        return [n]", 6, "not a plain function"),
        (
            "class C:\n    @staticmethod\n    def go(pool, rng):\n        return []\ncompose = C.go",
            6,
            "not a plain function",
        ),
        (
            "class C:\n    def __call__(self, pool, rng):\n        return []\ncompose = C()",
            0,
            "not a plain function",
        ),
        ("compose = max", 0, "not a plain function"),
        ("def compose(pool, rng):\n    return []\nexec('LIMIT = 3')", 7, "exec creates or changes"),
        ("def compose(pool, rng):\n    return eval('3')", 6, "eval creates or changes"),
        (
            "def compose(pool, rng):\n    return []\nglobals().update(LIMIT=3)",
            7,
            "globals creates or changes",
        ),
        ("def compose(pool, rng):\n    return []\nfrom math import *", 7, "a star import"),
        (
            "def compose(pool, rng):\n    return []\nLIMIT = getattr(Example, 'written')",
            7,
            "getattr runs while the file is imported",
        ),
        (
            "def compose(pool, rng):\n    return []\nsetattr(compose, 'n', 3)",
            7,
            "setattr runs while the file is imported",
        ),
        (
            "def compose(pool, rng):\n    return []\ncompose.__defaults__ = ()",
            7,
            "__defaults__ creates or changes",
        ),
        ("import sys\ndef compose(pool, rng):\n    return []", 5, "import of sys"),
        ("import os\nLIMIT = os.environ['N']\ndef compose(pool, rng):\n    return []", 6, "environ"),
        (
            "import random\nLIMIT = random.random()\ndef compose(pool, rng):\n    return []",
            6,
            "random runs while",
        ),
        (
            "import time\ndef now():\n    return time.time()\nLIMIT = now()\n"
            "def compose(pool, rng):\n    return []",
            7,
            "time runs while",
        ),
        (
            "import os\nclass C:\n    def __init__(self):\n        self.n = count()\n"
            "def count():\n    return len(os.listdir())\nC()\ndef compose(pool, rng):\n    return []",
            10,
            "listdir runs while",
        ),
        (
            "import random\ndef mark(f):\n    f.n = random.random()\n    return f\n"
            "@mark\ndef compose(pool, rng):\n    return []",
            7,
            "random runs while",
        ),
        ("import os\nLIMIT = os.listdir()\ndef compose(pool, rng):\n    return []", 6, "listdir runs while"),
        (
            "import time\nclass C:\n    T = time.time()\ndef compose(pool, rng):\n    return []",
            7,
            "time runs while",
        ),
        ("import time\ndef compose(pool, rng, n=time.time()):\n    return []", 6, "time runs while"),
        ("import time\ndef compose(pool, rng, *, n=time.time()):\n    return []", 6, "time runs while"),
        ("import time\ndef compose(pool, rng: time.time()):\n    return []", 6, "time runs while"),
        ("import time\ndef compose(pool, rng) -> time.time():\n    return []", 6, "time runs while"),
        ("import time\nN = lambda n=time.time(): n\ndef compose(pool, rng):\n    return []", 6, "time runs"),
        ("import time\nN = (lambda: time.time())()\ndef compose(pool, rng):\n    return []", 6, "time runs"),
        (
            "import os\ndef deco(n):\n    return lambda f: f\n@deco(os.listdir())\ndef other():\n    pass\n"
            "def compose(pool, rng):\n    return []",
            8,
            "listdir runs while",
        ),
        ("from time import time\nLIMIT = time()\ndef compose(pool, rng):\n    return []", 6, "time runs"),
        (
            "from random import random\nLIMIT = random()\ndef compose(pool, rng):\n    return []",
            6,
            "random r",
        ),
        ("from os import listdir as ls\nLIMIT = ls()\ndef compose(pool, rng):\n    return []", 6, "ls runs"),
        (
            "def now():\n    from time import time as t\n    return t()\nLIMIT = now()\n"
            "def compose(pool, rng):\n    return []",
            7,
            "t runs while",
        ),
        ("from os import environ as e\ndef compose(pool, rng):\n    return []", 5, "import of environ"),
        ("def compose(pool, rng):\n    from os import getenv as g\n    return g('N')", 6, "import of getenv"),
        (
            "with open(__file__) as f:\n    LIMIT = f.read()\ndef compose(pool, rng):\n    return []",
            5,
            "open runs while the file is imported",
        ),
    ],
)
@pytest.mark.parametrize("field", ["compose", "objective"])
def test_what_no_source_settles_is_refused(
    code: str, line: int, what: str, field: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a run as in a check: by the registry, before anything is trained."""
    monkeypatch.setenv("N", "3")
    file = tmp_path / "strategies" / "mine.py"
    file.parent.mkdir()
    text = f'MINE = Strategy(name="mine", stages=(Stage(learns_from=TEXT, {field}=compose),))\n'
    file.write_text(f"{HEAD}{code}\n\n{text}", "utf-8")
    with pytest.raises(DeclarationError) as failed:
        strategy_in(file)
    assert what in str(failed.value)
    assert (f"mine.py, line {line}:" if line else "mine.py:") in str(failed.value)
    with pytest.raises(DeclarationError):
        Registry(tmp_path).strategy("mine")


def test_a_function_of_another_module_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "elsewhere_of_a_test.py").write_text("def compose(pool, rng):\n    return []\n")
    file = tmp_path / "mine.py"
    stages = "(Stage(learns_from=TEXT, compose=compose),)"
    file.write_text(
        f"{HEAD}from elsewhere_of_a_test import compose\nMINE = Strategy(name='mine', stages={stages})\n"
    )
    with pytest.raises(DeclarationError, match=r"is defined in elsewhere_of_a_test\. Define it in the file"):
        strategy_in(file)


def test_what_only_a_compose_calls_may_draw_and_look_at_the_time(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        f"{HEAD}import time\nfrom random import choice as pick\n\n"
        "def drawn(rng):\n    time.time()\n    pick([1, 2])\n    return rng.choice([1, 2])\n\n"
        "def compose(pool, rng):\n    drawn(rng)\n    return []\n\n"
        "MINE = Strategy(name='mine', stages=(Stage(learns_from=TEXT, compose=compose),))\n"
    )
    assert strategy_in(file).name == "mine"


STAGES = "MINE = Strategy(name='mine', stages=(Stage(learns_from=TEXT, share=HALF),))\n"


@pytest.mark.parametrize(
    "code",
    [
        "HALF = 0.5\nglobals().update(HALF=0.25)\n" + STAGES,
        STAGES.replace("HALF", "0.5") + "globals()['MINE'] = Strategy(name='mine')\n",
        "HALF = 0.5\ndef change():\n    global HALF\n    HALF = 0.25\nchange()\n" + STAGES,
        "HALF = 0.5\ndef f(a=(HALF := 0.25)):\n    return a\n" + STAGES,
        "HALF = 0.5\nOTHER = (HALF := 0.25)\n" + STAGES,
        "HALF = 0.5\nfrom math import pi as HALF\n" + STAGES,
        "HALF = 0.5\ndel HALF\nHALF = __builtins__\n" + STAGES,
        "HALF = 0.5\nmatch 0.25:\n    case HALF:\n        pass\n" + STAGES,
        "HALF = 0.5\nif True:\n    HALF = 0.25\n" + STAGES,
        "HALF = 0.5\nHALF += 0.25\n" + STAGES,
        "PARTS = [Stage(learns_from=TEXT)]\nPARTS.append(Stage(learns_from=TEXT))\n"
        "MINE = Strategy(name='mine', stages=PARTS)\n",
        STAGES.replace("HALF", "0.5") + "object.__setattr__(MINE, 'stages', ())\n",
        STAGES.replace("HALF", "0.5") + "for MINE in (Strategy(name='mine'),):\n    pass\n",
        STAGES.replace("HALF", "0.5") + "import sys\nsys.modules[__name__].MINE = 3\n",
    ],
)
def test_a_file_that_declares_another_strategy_when_it_is_run_cannot_be_read(code: str) -> None:
    with pytest.raises(Unreadable):
        read_strategy(HEAD + code, "mine")


def test_what_is_read_and_what_is_run_have_one_digest(tmp_path: Path) -> None:
    text = HEAD + "LIMIT = 3" + REACHED + TAIL
    file = tmp_path / "mine.py"
    file.write_text(text)
    assert values_of(read_strategy(text, "mine")) == values_of(strategy_in(file))
