"""What a strategy's code meets in the sandbox: what was bought, and nothing else of any corpus."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slubench.conformance.compose_audit_process import digest_of
from slubench.data.editions import MINI_CORPUS
from slubench.domain.run import Run
from slubench.domain.strategy import Strategy
from slubench.domain.utterance import Clip
from slubench.errors import SlubenchError, VerificationError
from slubench.pipeline.buy import buy
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan
from slubench.pipeline.train import cell_of
from slubench.pipeline.train_job import write_examples
from slubench.runtime.sandbox import SandboxError
from slubench.schemas import TRAIN_EXAMPLES
from slubench.submission.retrain.retrain import buy_speech, compose_inside, outcome_context
from slubench.submission.retrain.sandbox_folder import SandboxFolder, furnish, out_of_bounds
from slubench.submission.retrain.take_back import FILE, FOLDER, read_back
from slubench.trainset.purchase import Purchase
from slubench.trainset.purchase_file import read_purchase, write_purchase
from slubench.trainset.train_set import StageExamples, compose
from tests.submission.made_bundles import a_run
from tests.submission.retrain.conftest import imported, read

OWN = '''
"""A test's own."""

import os
import pathlib

from slubench import SPEECH, TEXT, Example, Stage, Strategy


def own(pool, rng):
    BODY
    yield from map(Example.spoken, sorted(pool.speech(), key=lambda utterance: utterance.text))


OWN = Strategy(name="own", stages=(Stage(learns_from=TEXT, share=1 / 2),
                                   Stage(learns_from=TEXT | SPEECH, share=1 / 2, compose=own)))
'''


def own(body: str) -> str:
    return OWN.replace("    BODY\n", indent(dedent(body).strip(), "    ") + "\n")


def composed_inside(body: str, context: Context, folder: Path) -> tuple[tuple[StageExamples, ...], Purchase]:
    text = own(body)
    run = a_run(context, read(text))
    planned = plan(run, context)
    room = SandboxFolder((folder / "room").resolve())
    bought = buy_speech(planned, outcome_context(context, folder))
    inside = furnish(room, text, bought, run.task.corpus.audio)
    hidden = out_of_bounds(planned, context.home)
    return compose_inside(planned.run, inside, room, hidden), inside


@pytest.mark.sandbox
def test_lessons_composed_behind_walls_are_those_composed_outside(
    context: Context, folder: Path, tmp_path: Path
) -> None:
    train_set, inside = composed_inside("pass", context, folder)
    strategy = imported(own("pass"), tmp_path)
    run = a_run(context, strategy)
    outside = compose(strategy, inside.pool, cell_of(run, inside), run.train_seed)
    assert [part.updates for part in train_set] == [2, 2]
    assert digest_of(train_set) == digest_of(outside)


@pytest.mark.sandbox
def test_bought_recordings_can_be_heard_and_others_lead_nowhere(context: Context, folder: Path) -> None:
    composed_inside(
        """
        bought = pool.speech()
        assert len(bought) == 10
        for utterance in bought:
            assert pathlib.Path(utterance.clip.file).read_bytes()[:4] == b"RIFF"
        ids = {utterance.id for utterance in bought}
        others = [utterance for utterance in pool.text() if utterance.id not in ids]
        assert len(others) == 10
        assert not any(os.path.exists(utterance.clip.file) for utterance in others)
        """,
        context,
        folder,
    )


@pytest.mark.sandbox
def test_neither_test_nor_dev_nor_other_recordings_are_there(
    context: Context, folder: Path, mirror: Path
) -> None:
    """Where they lie is gone through, and the folders above; the same search finds them outside."""
    roots = [MINI_CORPUS.parents[2], mirror.parent, context.home.root]
    search = f"""
        found = [
            path.name
            for root in {[str(root) for root in roots]!r}
            for path in pathlib.Path(root).rglob("*")
            if "-of-" in path.name or "MASSIVE" in path.name
        ]
        raise ValueError(f"found {{found}}")
    """
    assert all(any("-of-" in path.name for path in root.rglob("*")) for root in roots[:2])
    with pytest.raises(SandboxError) as failed:
        composed_inside(search, context, folder)
    assert str(failed.value).endswith("ValueError: found []")


@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (
            "import socket as s; s.socket(s.AF_INET, s.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 80))",
            SandboxError,
            "unreachable",
        ),
        ("import socket; socket.create_connection(('192.0.2.1', 80), 3)", SandboxError, "opens a connection"),
        ("yield from map(Example.spoken, pool.text())", SandboxError, "not in the budget"),
        ("yield from 9 * [Example.spoken(u) for u in pool.speech()]", SandboxError, "first pass uses more"),
        ("pathlib.Path(__file__).write_text('')", SandboxError, "Read-only file system"),
        ("os.kill(os.getppid(), 9); os._exit(9)", SandboxError, "it printed nothing"),
    ],
)
def test_what_a_strategy_does_in_vain(
    body: str, error: type[SlubenchError], message: str, context: Context, folder: Path
) -> None:
    with pytest.raises(error, match=message):
        composed_inside(body, context, folder)


def test_a_purchase_is_the_same_after_it_was_written(context: Context, tmp_path: Path) -> None:
    planned = plan(a_run(context, context.registry.strategy("curriculum"), "0.5min"), context)
    bought = buy(planned, context)
    write_purchase(tmp_path / "purchase.json", bought)
    again = read_purchase(tmp_path / "purchase.json")
    assert again.pool.text() == bought.pool.text()
    assert again.pool.speech() == bought.pool.speech()
    assert again.pool.budget == bought.pool.budget
    assert (again.written, again.spoken, again.bought) == (bought.written, bought.spoken, bought.bought)
    assert again.recordings == bought.recordings
    assert again.exposure(16) == bought.exposure(16)


Rows = list[dict[str, Any]]


def _strange_clip(rows: Rows) -> None:
    rows[-1]["parts"] = [{"text": None, "clip": "0" * 32}]


def _no_parts(rows: Rows) -> None:
    rows[-1]["parts"] = []


def _strange_utterance(rows: Rows) -> None:
    rows[0]["utterance"] = "10001"


def _strange_stage(rows: Rows) -> None:
    rows[0]["stage"] = 2


def _negative(rows: Rows) -> None:
    rows[0]["weight"] = -1.0


def _more(rows: Rows) -> None:
    rows += [row for row in rows if row["stage"] == 1] * 3


def _fewer(rows: Rows) -> None:
    del rows[:16]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_strange_clip, "row 80 uses a clip outside the budget"),
        (_no_parts, "row 80 is incomplete"),
        (_strange_utterance, "row 1 uses an utterance that is not in the pool"),
        (_strange_stage, "row 1 is of stage 2"),
        (_negative, "row 1 has weight -1"),
        (_more, r"stage 2 has 12 updates \(192 examples\), but the rules give 3"),
        (_fewer, r"stage 1 has 1 updates \(16 examples\), but the rules give 2"),
    ],
)
def test_lessons_that_were_tampered_with_are_refused(
    change: Callable[[Rows], None], message: str, context: Context, tmp_path: Path
) -> None:
    run, bought = _curriculum(context)
    train_set = compose(run.strategy, bought.pool, cell_of(run, bought), run.train_seed)
    path = tmp_path / FOLDER / FILE
    write_examples(path, [part.examples for part in train_set], bought.recordings)
    assert digest_of(read_back(tmp_path, run, bought)) == digest_of(train_set)
    rows = pq.read_table(path).to_pylist()
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=TRAIN_EXAMPLES), path)
    with pytest.raises(VerificationError, match=message):
        read_back(tmp_path, run, bought)


def test_lessons_that_are_a_link_or_no_parquet_are_refused(context: Context, tmp_path: Path) -> None:
    run, bought = _curriculum(context)
    path = tmp_path / FOLDER / FILE
    path.parent.mkdir(parents=True)
    path.symlink_to("/etc/passwd")
    with pytest.raises(VerificationError, match="cannot be opened as a regular file"):
        read_back(tmp_path, run, bought)
    path.unlink()
    path.write_bytes(b"PAR1" + json.dumps({}).encode())
    with pytest.raises(VerificationError, match="cannot be read as Parquet"):
        read_back(tmp_path, run, bought)


def _curriculum(context: Context) -> tuple[Run, Purchase]:
    strategy: Strategy = context.registry.strategy("curriculum")
    planned = plan(a_run(context, strategy), context)
    run = planned.run
    bought = buy(planned, context)
    assert all(isinstance(clip, Clip) for clip in bought.bought)
    return run, bought
