"""Strategies rehearsed in processes of their own: what is named of those that misbehave."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from slubench.conformance.compose_audit import ComposeReport, compose_twice
from slubench.conformance.rehearsal import TASK, Rehearsal, lay_out, write_purchases
from slubench.conformance.subject import in_file, named
from slubench.conformance.suite import BUDGETS
from slubench.conformance.train_set_verdicts import import_verdict, opened_verdict, train_set_verdicts
from slubench.conformance.verdict import FAIL, PASS, Verdict, failures
from slubench.registry import Registry, strategy_in

Rehearse = Callable[..., dict[str, Verdict]]

REGISTRY = Registry()
HEAD = '"""A test\'s."""\nfrom slubench import SPEECH, TEXT, Example, Stage, Strategy\n'
TAIL = """
S = Strategy(
    name="test-idea", summary="An idea of a test", stages=(Stage(learns_from=TEXT | SPEECH, compose=compose),)
)
"""


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> Rehearsal:
    return lay_out(tmp_path_factory.mktemp("rehearsal").resolve())


@pytest.fixture(scope="module")
def purchases(rehearsal: Rehearsal) -> dict[str, str]:
    task, model = REGISTRY.task(TASK), REGISTRY.model("tiny")
    return write_purchases(rehearsal.folder / "bought", rehearsal.source(), model, [task], BUDGETS)


@pytest.fixture
def rehearse(rehearsal: Rehearsal, purchases: dict[str, str], tmp_path: Path) -> Rehearse:
    """Composes the train set of a strategy whose `compose` is given, and judges them."""

    def play(code: str, seconds: float = 60.0, head: str = HEAD, tail: str = TAIL) -> dict[str, Verdict]:
        file = tmp_path / "idea.py"
        file.write_text(head + dedent(code) + tail)
        subject, model = in_file(file, REGISTRY), REGISTRY.model("tiny")
        reports = compose_twice(subject, purchases, model, tmp_path, seconds, (rehearsal.corpus,))
        verdicts = [import_verdict(reports, file)]
        if not any(report.error for report in reports):
            strategy = strategy_in(file)
            opened = [one for report in reports for one in report.opened]
            verdicts += train_set_verdicts(reports, strategy)
            verdicts.append(opened_verdict(opened, True, strategy, rehearsal.corpus))
        return {verdict.requirement: verdict for verdict in verdicts}

    return play


def test_every_row_lies_in_a_file_of_its_own(rehearsal: Rehearsal) -> None:
    names = [path.name.split("-")[0] for path in rehearsal.corpus.rglob("*.parquet")]
    assert {split: names.count(split) for split in set(names)} == {"train": 64, "validation": 8, "test": 16}


@pytest.mark.parametrize("name", sorted(REGISTRY.strategies))
def test_what_is_on_the_shelf_passes(
    name: str, rehearsal: Rehearsal, purchases: dict[str, str], tmp_path: Path
) -> None:
    subject, model = named(name, REGISTRY), REGISTRY.model("tiny")
    reports = compose_twice(subject, purchases, model, tmp_path, 60, (rehearsal.corpus,))
    verdicts = [import_verdict(reports, subject.file), *train_set_verdicts(reports, subject.strategy())]
    assert failures(verdicts) == []
    assert [report.opened for report in reports] == [[], []]
    assert all(report.watched for report in reports)


def test_a_bought_clip_may_be_opened(rehearse: Rehearse) -> None:
    verdicts = rehearse("""
        def compose(pool, rng):
            for utterance in pool.speech():
                with open(utterance.clip.file, "rb") as file:
                    assert file.read(4) == b"PAR1"
                yield Example.spoken(utterance)
            yield from map(Example.written, pool.text())
    """)
    assert failures(verdicts.values()) == []


TRAIN_FILE = "pool.text()[0].clip.file"
TEST_FILE = (
    TRAIN_FILE + '.replace("Speech-MASSIVE/", "Speech-MASSIVE-test/")'
    '.replace("train", "test").replace("00064", "00016")'
)
OPENERS = {
    "python": (f'open({TEST_FILE}, "rb").close()', "line 5: the test (FBK-MT"),
    "arrow": (
        f"import pyarrow.parquet; pyarrow.parquet.read_table({TEST_FILE})",
        "the test (FBK-MT/Speech-MASSIVE-test/de-DE/test-00000-of-00016.parquet, opened by a library",
    ),
    "process": (
        f'import subprocess; subprocess.run(["cat", {TEST_FILE}], capture_output=True)',
        "line 5: subprocess.Popen; the test (FBK",
    ),
    "unbought": (
        'open(min({u.clip.file for u in pool.text()} - {u.clip.file for u in pool.speech()}), "rb").close()',
        "line 5: a clip outside the budget (FBK-MT/Speech-MASSIVE/de-DE/train-",
    ),
    "dev": (
        'open(pool.text()[0].clip.file.replace("train", "validation").replace("64", "08"), "rb").close()',
        "line 5: the dev split",
    ),
    "mini": (
        "from slubench.data.editions import MINI_CORPUS; MINI_CORPUS.joinpath("
        '"FBK-MT/Speech-MASSIVE-test/de-DE/test-00000-of-00001.parquet").read_bytes()',
        "slubench/data/mini/corpus/FBK-MT/Speech-MASSIVE-test/de-DE/test-00000-of-00001.parquet",
    ),
    "network": (
        'import socket; socket.socket(2, 2).connect(("127.0.0.1", 9))',
        "line 5: socket.connect",
    ),
}


@pytest.mark.parametrize("how", OPENERS)
def test_what_is_opened_beyond_the_purchase_is_named(rehearse: Rehearse, how: str) -> None:
    does, found = OPENERS[how]
    verdicts = rehearse(f"""
        def compose(pool, rng):
            {"if len(pool.speech()) < 64: " if how == "unbought" else ""}{does}
            yield from [*map(Example.spoken, pool.speech()), *map(Example.written, pool.text())]
    """.replace("\n\n", "\n"), head=HEAD)  # fmt: skip
    verdict = verdicts["opens no file"]
    assert verdict.state == FAIL
    assert found in verdict.reason
    assert [v.requirement for v in failures(verdicts.values())] == ["opens no file"]


@pytest.mark.parametrize(
    ("code", "requirement", "found"),
    [
        (
            """
            def compose(pool, rng):
                texts = {utterance.text: utterance for utterance in pool.text()}
                yield from [Example.written(texts[text]) for text in set(texts)]
            """,
            "training set follows from the seeds",
            "a different training set in another process",
        ),
        (
            """
            import random
            def compose(pool, rng):
                yield from random.sample(list(map(Example.spoken, pool.speech())), len(pool.speech()))
            """,
            "training set follows from the seeds",
            "a different training set the second time in the same process",
        ),
        (
            """
            def compose(pool, rng):
                yield from 9 * [Example.spoken(u) for u in pool.speech()]
            """,
            "keeps to the budget",
            "its first pass uses more than the 3 clips that the rules allow at 2%",
        ),
        (
            """
            def compose(pool, rng):
                yield from map(Example.spoken, pool.speech())
            """,
            "uses its updates",
            "massive-de at 2%, data seed 0, train seed 0: 1 of 16 updates",
        ),
        (
            """
            def compose(pool, rng):
                yield from map(Example.spoken, pool.text())
            """,
            "composes at every budget",
            "that is not in the budget 2%",
        ),
        (
            """
            def compose(pool, rng):
                yield 1 / 0
            """,
            "composes at every budget",
            "line 5: ZeroDivisionError: division by zero",
        ),
    ],
)
def test_what_is_wrong_with_lessons(rehearse: Rehearse, code: str, requirement: str, found: str) -> None:
    verdicts = rehearse(code)
    assert verdicts[requirement].state == FAIL
    assert found in verdicts[requirement].reason


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (HEAD + "import sys\nsys.exit('enough')\n", "the file cannot be imported: SystemExit: enough"),
        (HEAD + "while True:\n    pass\n", "took too long"),
        (HEAD + "Stage(learns_from=TEXT, share=2)\n", "must be above 0 and at most 1"),
        (HEAD + "T = Strategy(name='other')\n", "declares 2 strategies"),
        (HEAD + "import no_such_module\n", "No module named 'no_such_module'"),
        (HEAD + "import torch\n", "import of torch halted"),
    ],
)
def test_what_does_not_import(rehearse: Rehearse, head: str, found: str) -> None:
    code = "def compose(pool, rng):\n    yield from ()\n"
    verdicts = rehearse(code, seconds=1.0 if "while" in head else 60.0, head=head)
    assert list(verdicts) == ["imports without torch"]
    assert verdicts["imports without torch"].state == FAIL
    assert found in verdicts["imports without torch"].reason


def test_where_the_kernel_does_not_watch_the_verdict_says_so(rehearsal: Rehearsal) -> None:
    strategy = REGISTRY.strategies["curriculum"]
    verdict = opened_verdict(ComposeReport().opened, False, strategy, rehearsal.corpus)
    assert verdict.state == PASS
    assert "cannot be seen on this system" in verdict.reason
