"""A strategy's file that its source does not settle is refused, with the line and the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.errors import DeclarationError
from slubench.registry import Registry, strategy_in
from slubench.registry.static_read import Unreadable, read_strategy

HEAD = '"""A test\'s."""\n\nfrom slubench import SPEECH, TEXT, Example, Stage, Strategy\n\n'


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
