"""Stopped or killed at any moment, the same job goes on, and ends where it would have ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from slubench.errors import SlubenchError
from slubench.runtime.jobs import TrainJob
from slubench.train.__main__ import main
from slubench.train.checkpoints import load_checkpoint
from slubench.train.interrupts import Stopped, alone
from slubench.train.train import train
from slubench.train.updates import gather
from tests.train.test_train import report, weights
from tests.train.training_jobs import TrainingJobs


def two_stages(jobs: TrainingJobs, name: str) -> TrainJob:
    """Four updates and twenty more, with dropout, so that random state matters."""
    recipe = replace(jobs.model.recipe("lora-lm"), dropout=0.1, warmup=0.1)
    job = jobs.job([jobs.mixed(16), jobs.mixed(80)], name)
    return replace(job, model=replace(jobs.model, recipes={"lora-lm": recipe}))


def assert_as_never_stopped(jobs: TrainingJobs, job: TrainJob) -> None:
    whole = train(two_stages(jobs, "whole"))
    expected, found = weights(whole), weights(Path(job.adapter))
    for name, tensor in expected.items():
        assert torch.allclose(tensor, found[name], rtol=1e-5, atol=1e-7), name
    one, other = report(whole), report(Path(job.adapter))
    for key in ("updates", "examples", "tokens", "reply_tokens", "clips_heard", "clips_unique", "flops"):
        assert one[key] == other[key], key
    assert [point["update"] for point in other["curve"]] == list(range(1, 25))
    assert [p["loss"] for p in one["curve"]] == pytest.approx([p["loss"] for p in other["curve"]], rel=1e-4)


@pytest.mark.slow
def test_killed_it_goes_on_from_its_last_checkpoint(
    jobs: TrainingJobs, capfd: pytest.CaptureFixture[str]
) -> None:
    job = two_stages(jobs, "killed")
    file = jobs.folder / "job.json"
    job.save(file)
    checkpoints = Path(job.folder) / "checkpoints"
    command = [sys.executable, "-m", "slubench.train", str(file), "--checkpoint-seconds", "0"]
    source = Path(__file__).parents[2] / "benchmark"
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(source)})
    try:
        limit = time.monotonic() + 600
        # The sixth update lies in the second stage.
        while not list(checkpoints.glob("*[6-9]")) and time.monotonic() < limit:
            assert process.poll() is None, "it ended before it could be killed"
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not Path(job.adapter).exists()
    assert 1 <= len(list(checkpoints.glob("[0-9]*"))) <= 3
    capfd.readouterr()
    train(job)
    assert "resuming after update" in capfd.readouterr().err
    assert_as_never_stopped(jobs, job)


def stop_after(monkeypatch: pytest.MonkeyPatch, update: int, number: int) -> None:
    """Send this process a signal within an update."""

    def interrupted(*arguments: object) -> object:
        nonlocal update
        update -= 1
        if update == 0:
            os.kill(os.getpid(), number)
        return gather(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("slubench.train.loop.gather", interrupted)


def test_ctrl_c_keeps_the_update_at_work_and_exits_with_130(
    jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    job = two_stages(jobs, "stopped")
    file = jobs.folder / "job.json"
    job.save(file)
    with monkeypatch.context() as patch:
        stop_after(patch, 7, signal.SIGINT)
        assert main([str(file)]) == 130
    assert "The same command resumes from the last checkpoint." in capfd.readouterr().err
    assert [path.name for path in (Path(job.folder) / "checkpoints").iterdir()] == ["00000007"]
    assert main([str(file)]) == 0
    assert "resuming after update 7 of 24" in capfd.readouterr().err
    assert_as_never_stopped(jobs, job)


def test_sigterm_is_told_apart(jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = two_stages(jobs, "ended")
    stop_after(monkeypatch, 2, signal.SIGTERM)
    with pytest.raises(Stopped) as caught:
        train(job)
    assert caught.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_torn_checkpoint_gives_way_to_the_one_before(
    jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = two_stages(jobs, "torn")
    with monkeypatch.context() as patch:
        stop_after(patch, 6, signal.SIGINT)
        with pytest.raises(Stopped):
            train(job, checkpoint_seconds=0)
    checkpoints = Path(job.folder) / "checkpoints"
    assert sorted(path.name for path in checkpoints.iterdir()) == ["00000005", "00000006"]
    newest = checkpoints / "00000006" / "state.pt"
    newest.write_bytes(newest.read_bytes()[:-100])
    (checkpoints / ".00000007.1.tmp").mkdir()
    train(job)
    assert_as_never_stopped(jobs, job)


def test_a_checkpoint_of_another_job_is_never_taken(
    jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = two_stages(jobs, "other")
    checkpoints = Path(job.folder) / "checkpoints"
    for seed, update, left in ((5, 7, ["00000006", "00000007"]), (0, 3, ["00000002", "00000003"])):
        with monkeypatch.context() as patch:
            stop_after(patch, update, signal.SIGINT)
            with pytest.raises(Stopped):
                train(replace(job, seed=seed), checkpoint_seconds=0)
        assert sorted(path.name for path in checkpoints.iterdir()) == left
    assert load_checkpoint(checkpoints, lambda progress: "another fingerprint") is None
    train(job)
    assert_as_never_stopped(jobs, job)


def test_two_processes_do_not_train_in_one_folder(jobs: TrainingJobs) -> None:
    job = two_stages(jobs, "shared")
    Path(job.folder).mkdir()
    with (
        alone(Path(job.folder)),
        pytest.raises(SlubenchError, match=f"{os.getpid()} is already training in "),
    ):
        train(job)


def test_what_is_no_adapter_is_not_overwritten(jobs: TrainingJobs, capfd: pytest.CaptureFixture[str]) -> None:
    job = jobs.job([jobs.mixed(4)])
    Path(job.adapter).mkdir()
    (Path(job.adapter) / "thesis.txt").write_text("mine")
    job.save(jobs.folder / "job.json")
    assert main([str(jobs.folder / "job.json")]) == 1
    assert "is not overwritten" in capfd.readouterr().err
    assert (Path(job.adapter) / "thesis.txt").read_text() == "mine"


def test_the_command_reports_what_is_wrong(jobs: TrainingJobs, capfd: pytest.CaptureFixture[str]) -> None:
    assert main([str(jobs.folder / "absent.json")]) == 1
    assert "absent.json" in capfd.readouterr().err
    job = replace(jobs.job([jobs.mixed(4)]), track="open")
    job.save(jobs.folder / "job.json")
    assert main([str(jobs.folder / "job.json")]) == 2
    assert "There is no track 'open'" in capfd.readouterr().err


def test_a_gpu_that_is_lost_is_told_and_the_same_job_goes_on(
    jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.job([jobs.mixed(8)], "lost")

    def lost(self: object) -> None:
        raise torch.AcceleratorError("CUDA error: the GPU fell off the bus\nmore")

    with monkeypatch.context() as broken:
        broken.setattr("slubench.train.train.TrainingLoop.run", lost)
        with pytest.raises(SlubenchError, match=r"GPU stopped.*fell off the bus.*resumes from the last"):
            train(job)
    assert (train(job) / "training.json").exists()
