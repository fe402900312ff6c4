"""What the suite's requirements find wrong, each in a declaration or train set made to break it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from slubench import SPEECH, TEXT, Example, Model, Stage, Strategy, Task
from slubench.conformance.declarations import (
    model_declared,
    strategy_declared,
    strategy_imports,
    strategy_readable,
    task_declared,
    task_imports,
)
from slubench.conformance.verdict import FAIL, PASS, judged
from slubench.domain.budget import Budget
from slubench.domain.pool import Pool
from slubench.registry import Registry, strategy_in
from slubench.trainset.rules import beyond_budget, beyond_updates
from slubench.trainset.train_set import StageExamples, exposure
from tests.trainset.test_train_set import BATCH, SIZE, corpus

REGISTRY = Registry()


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("import torch", "line 1: torch outside a function"),
        ("def f():\n    import torch.nn.functional", ""),
        ("async def f():\n    from torch import nn", ""),
        ("import pyarrow.parquet as pq", "line 1: pyarrow.parquet"),
        ("def f():\n    import pyarrow", "line 2: pyarrow"),
        ("from pathlib import Path", "line 1: pathlib"),
        ("from slubench import Stage, Pool", ""),
        ("from slubench import purchase", "line 1: slubench.purchase is not a public name of slubench"),
        ("import slubench.pipeline.train", "slubench.pipeline.train is not a public name of slubench"),
        ("from slubench.data.rows import read_rows", "slubench.data.rows is not"),
        ("from . import helper", "line 1: ."),
        ("import math, random\nfrom collections.abc import Iterator", ""),
        ("x = __import__('os')", "line 1: __import__"),
        ("def f():\n    return open('x')", "line 2: open"),
        ("import re\nx = re.compile('a')", ""),
    ],
)
def test_what_a_strategy_imports(code: str, found: str, tmp_path: Path) -> None:
    file = tmp_path / "idea.py"
    file.write_text(code)
    verdict = strategy_imports(file)
    assert verdict.state == (FAIL if found else PASS)
    assert found in verdict.reason


def test_a_task_may_look_deeper_into_slubench_and_has_no_use_for_torch(tmp_path: Path) -> None:
    file = tmp_path / "task.py"
    file.write_text("from slubench.domain.corpus import STRING\nimport json")
    assert task_imports(file).state == PASS
    file.write_text("def read():\n    import torch")
    assert task_imports(file).state == FAIL


@pytest.mark.parametrize(
    ("text", "summary", "found"),
    [
        ('"""What."""', "Transcripts alone", ""),
        ("x = 1", "Transcripts alone", "idea.py does not begin with a docstring"),
        ('"""What."""', "", ""),
        ('"""What."""', "x" * 80, "its summary has 80 characters"),
    ],
)
def test_what_a_strategy_says_of_itself(text: str, summary: str, found: str, tmp_path: Path) -> None:
    file = tmp_path / "idea.py"
    file.write_text(text)
    assert strategy_declared(Strategy(name="idea", summary=summary), file).reason.startswith(found or "idea:")


@pytest.mark.parametrize(
    ("declares", "found"),
    [
        ('S = Strategy(name="idea", stages=(Stage(learns_from=TEXT, share=1 / 2),))', ""),
        ('S = Strategy(name="idea", stages=tuple([Stage(learns_from=TEXT)]))', "without running it"),
        ('S = Strategy(name="".join(["idea"]))', "line 3"),
    ],
)
def test_what_can_be_read_without_being_imported(declares: str, found: str, tmp_path: Path) -> None:
    file = tmp_path / "idea.py"
    file.write_text(f'"""What."""\nfrom slubench import TEXT, Stage, Strategy\n{declares}\n')
    verdict = strategy_readable(strategy_in(file), file)
    assert verdict.state == (FAIL if found else PASS)
    assert found in verdict.reason


@pytest.mark.parametrize("otherwise", [{"track": "open"}, {"ontology": True}, {"stages": ()}])
def test_a_file_that_gives_another_strategy_when_it_is_run_is_not_readable(
    otherwise: dict[str, Any], tmp_path: Path
) -> None:
    file = tmp_path / "idea.py"
    declared = 'S = Strategy(name="idea", stages=(Stage(learns_from=TEXT),))'
    file.write_text(f'"""What."""\nfrom slubench import TEXT, Stage, Strategy\n{declared}\n')
    run = dataclasses.replace(strategy_in(file), **otherwise)
    assert "a different strategy" in strategy_readable(run, file).reason


def test_a_task_and_a_model_that_are_not_told_whole() -> None:
    task: Task = REGISTRY.task("massive-de")
    untold = dataclasses.replace(task.corpus, licence="", home_page="")
    reason = task_declared(dataclasses.replace(task, corpus=untold, test="train")).reason
    assert "trains on its own test split (train)" in reason
    assert "states no licence" in reason
    assert "states no home page" in reason
    model: Model = REGISTRY.model("tiny")
    reason = model_declared(dataclasses.replace(model, lora_modules=".*", exposure="")).reason
    assert "names model.audio_tower" in reason
    assert "has no exposure" in reason


def test_lessons_beyond_the_rules() -> None:
    rows = corpus()
    budget = Budget.parse("5%")
    bought = budget.buy(rows, 0, lambda utterance: 3.0)
    pool, cell = Pool({"de": rows}, {"de": bought}, budget), exposure(SIZE, SIZE, len(bought), BATCH)
    mixing = Strategy(name="mix", stages=(Stage(learns_from=TEXT | SPEECH),))
    listening = Strategy(name="listen", stages=(Stage(learns_from=SPEECH),))

    def heard(times: int, updates: int) -> list[StageExamples]:
        examples = tuple(Example.spoken(u) for u in bought) * times
        return [StageExamples(mixing.stages[0], updates, examples)]

    assert list(beyond_budget(mixing, heard(3, 1), pool, cell)) == []
    assert list(beyond_budget(mixing, heard(4, 1), pool, cell)) == [
        "48 clip exposures, but the rules give 36"
    ]
    assert list(beyond_budget(listening, heard(20, 1), pool, cell)) == []
    assert "but the rules give 240" in next(beyond_budget(listening, heard(21, 1), pool, cell))
    unbought = Example.spoken(next(u for u in rows if u not in bought))
    assert "not in the budget" in next(
        beyond_budget(mixing, [StageExamples(mixing.stages[0], 1, (unbought,))], pool, cell)
    )
    assert list(beyond_updates(heard(1, 61), cell)) == [
        "61 updates, but the rules give 60",
        "stage 1 has 12 examples in 61 updates of 16",
    ]


def test_a_verdict_tells_the_first_five_reasons() -> None:
    verdict = judged("holds", [*"aabcdefg"], "mend it")
    assert (verdict.state, verdict.reason) == (FAIL, "a; b; c; d; e; and 2 more")
    assert judged("holds", [], "mend it", "all well") == ("holds", PASS, "all well", "")
