"""A strategy's file is read and never run: values as importing it gives them, functions by their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.errors import DeclarationError
from slubench.pipeline.fingerprints import values_of
from slubench.registry import Registry
from slubench.registry.static_read import Unreadable, read_strategy
from tests.submission.made_bundles import OWN

REGISTRY = Registry()
HEAD = "from slubench import SPEECH, TEXT, Stage, Strategy\n"


@pytest.mark.parametrize("name", REGISTRY.strategies)
def test_what_is_read_is_what_is_imported(name: str) -> None:
    imported = REGISTRY.strategy(name)
    read = read_strategy(Path(REGISTRY.origin(imported)).read_text("utf-8"), name)
    assert values_of(read) == values_of(imported)
    assert (read.name, read.track, read.ontology) == (imported.name, imported.track, imported.ontology)


def test_functions_are_known_by_their_source_and_cannot_be_called(tmp_path: Path) -> None:
    path = tmp_path / "short.py"
    path.write_text(OWN, "utf-8")
    read = read_strategy(OWN, "short-first")
    assert not path.with_suffix(".imported").exists()
    assert values_of(read) == values_of(REGISTRY.strategy(str(path)))
    assert path.with_suffix(".imported").exists()
    compose = read.stages[0].compose
    assert compose is not None
    with pytest.raises(DeclarationError, match="without being imported"):
        compose(None, None)


def test_constants_tuples_and_arithmetic() -> None:
    text = HEAD + (
        "NAME: str = 'mine'\nHALF = 1 / 2\nREAD = Stage(learns_from=TEXT, share=HALF)\n"
        "BOTH = Stage(learns_from=TEXT | SPEECH, share=HALF, rate=-(-0.5))\n"
        "MINE = Strategy(name=NAME, stages=(READ, BOTH))\n"
        "OTHERS = [Strategy(name='other')]\n"
    )
    mine = read_strategy(text, "mine")
    assert [(stage.share, stage.rate) for stage in mine.stages] == [(0.5, 1.0), (0.5, 0.5)]
    assert read_strategy(text, "other").stages == ()
    assert read_strategy(text.replace("Stage", "Step").replace("import", "import Stage as"), "other")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = (", "not valid Python"),
        ("(" * 10_000, "not valid Python"),
        ("\0", "not valid Python"),
        (HEAD, "no strategy 'mine'"),
        (HEAD + "A = Strategy(name='other')", "It declares: other"),
        (HEAD + "A = Strategy(name='<script>')", "at most 64 lower-case"),
        (
            HEAD + "A = Strategy(name='mine', stages=(Stage(learns_from=TEXT, share=2),))",
            "share of a stage must be",
        ),
        (HEAD + "A = Strategy(**{'name': 'mine'})", "the result of 'Strategy'"),
        (HEAD + "A = Strategy(name='mi' + 'ne')", "something other than numbers"),
        (HEAD + "A = Strategy(name='mine')\nfor A in ():\n    pass", "no strategy 'mine'"),
        (HEAD + "def Strategy(name):\n    pass\nA = Strategy(name='mine')", "the result of 'Strategy'"),
        ("from evil import Strategy\nA = Strategy(name='mine')", "no strategy 'mine'"),
        (
            HEAD + "A = Strategy(name='mine', stages=(Stage(learns_from=TEXT, share=1e8 * 1e8),))",
            "share of a stage must be",
        ),
        (
            HEAD + "A = Strategy(name='mine', stages=(Stage(learns_from=TEXT, share=1 / 0),))",
            "division by zero",
        ),
        (HEAD + "A = " + "(" * 60 + "1," * 60 + ")" * 60, "no strategy 'mine'"),
        (HEAD + "A = Strategy(name='mine', wrong=1)", "unexpected keyword"),
    ],
)
def test_what_only_running_it_would_tell_is_refused(text: str, message: str) -> None:
    with pytest.raises(Unreadable, match=message):
        read_strategy(text, "mine")
