"""The process that composes in the sandbox runs the strategy that was read, or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.submission.retrain.compose_process import ComposeJob, main
from slubench.submission.retrain.retrain import buy_speech, outcome_context
from slubench.submission.retrain.sandbox_folder import SandboxFolder, furnish
from tests.submission.made_bundles import a_run
from tests.submission.retrain.conftest import read

FILE = (
    "from slubench import SPEECH, TEXT, Stage, Strategy\n"
    "OWN = Strategy(name='own', stages=(Stage(learns_from=TEXT | SPEECH, rate={}),))\n"
)


@pytest.mark.parametrize("rate", ["1.0", "0.5"])
def test_a_file_that_declares_another_strategy_when_it_is_run_is_refused(
    context: Context, folder: Path, rate: str, capsys: pytest.CaptureFixture[str]
) -> None:
    strategy = read(FILE.format("1.0"))
    run = a_run(context, strategy)
    room = SandboxFolder((folder / "room").resolve())
    bought = buy_speech(plan(run, context), outcome_context(context, folder))
    furnish(room, FILE.format(rate), bought, run.task.corpus.audio)
    train_set = folder / "lessons.parquet"
    job = ComposeJob(
        strategy=str(room.strategy),
        purchase=str(room.purchase),
        batch=16,
        train_seed=0,
        examples=str(train_set),
        declared=strategy_fingerprint(strategy),
    )
    job.save(folder / "job.json")
    code = main(folder / "job.json")
    assert (code == 0) == train_set.exists() == (rate == "1.0")
    if code:
        assert "run, the file declares another own than is read in it" in capsys.readouterr().out
