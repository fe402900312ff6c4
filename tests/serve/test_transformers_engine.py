"""Answers by transformers: greedy whatever the checkpoint says, kept as they come, asked once."""

from __future__ import annotations

import io
import json
import shutil
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from slubench.errors import DataError, MissingError
from slubench.serve import process
from slubench.serve.progress import Reporter
from slubench.serve.requests import Request, load
from slubench.serve.transformers_engine import TransformersEngine
from slubench.serve.transformers_engine import load as load_model
from tests.serve.serving_jobs import Ran, ServingJobs, python, replies, report, serve, start
from tests.serve.tiny_checkpoints import adapt, build, declare


def answers(engine: TransformersEngine, adapter: str, jobs: ServingJobs, number: int = 12) -> dict[Any, str]:
    asked = load(jobs.questions)
    questions = asked[:number] + asked[-number:]
    return {reply.key: reply.reply for handful in engine.ask(adapter, questions) for reply in handful}


def test_sampling_is_pinned_against_the_checkpoints_own(jobs: ServingJobs, checkpoint: Path) -> None:
    demanded = json.loads((checkpoint / "generation_config.json").read_text("utf-8"))
    assert demanded["do_sample"] is True
    assert demanded["repetition_penalty"] == 1.5
    engine = TransformersEngine(jobs.model, checkpoint, jobs.clips)
    question = load(jobs.questions)[-1]
    model = load_model(checkpoint, "cpu", torch.float32, engine.reader.family)
    tokens = engine.reader.processor.tokenizer(question.prompt(jobs.model), return_tensors="pt")["input_ids"]
    greedy: list[int] = []
    with torch.inference_mode():
        while len(greedy) < jobs.model.reply_tokens and not set(greedy) & set(engine.reader.stops):
            ids = torch.cat([tokens, torch.tensor([greedy], dtype=torch.long)], dim=1)
            greedy.append(int(model(input_ids=ids).logits[0, -1].argmax()))
    ((reply,),) = engine.ask("", [question])
    assert reply == engine.reader.reply(question, greedy)
    assert reply.tokens == len(greedy) > demanded["max_new_tokens"]


def test_the_batch_changes_no_answer(jobs: ServingJobs, checkpoint: Path) -> None:
    alone = TransformersEngine(jobs.model, checkpoint, jobs.clips, batch=1)
    together = TransformersEngine(jobs.model, checkpoint, jobs.clips, batch=16)
    first, second = answers(alone, "", jobs), answers(together, "", jobs)
    assert sum(first[key] == second[key] for key in first) >= 0.95 * len(first)


@pytest.mark.parametrize("way", ["ask", "score"])
@pytest.mark.parametrize("failing", [{0}, {1}, {0, 1, 5}])
def test_no_request_is_lost_when_memory_runs_out(
    way: str, failing: set[int], jobs: ServingJobs, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = TransformersEngine(jobs.model, checkpoint, jobs.clips, batch=8)
    whole = engine._batched
    sizes: list[int] = []

    def batched(model: Any, questions: list[Request]) -> list[list[int]]:
        sizes.append(len(questions))
        if len(sizes) - 1 in failing:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return whole(model, questions)

    monkeypatch.setattr(engine, "_batched", batched)
    questions = load(jobs.questions)[:20]
    if way == "ask":
        asked = [reply.key for handful in engine.ask("", questions) for reply in handful]
        assert sorted(asked) == sorted(one.key for one in questions)
    else:
        assert [one.reply.key for one in engine.score("", questions)] == [one.key for one in questions]
    assert max(sizes[max(failing) + 1 :]) <= 4


def test_the_base_is_unchanged_by_adapters_asked_before(
    jobs: ServingJobs, checkpoint: Path, adapters: tuple[Path, Path], projector_adapter: Path
) -> None:
    engine = TransformersEngine(jobs.model, checkpoint, jobs.clips)
    base = answers(engine, "", jobs)
    said = [answers(engine, str(adapter), jobs) for adapter in (*adapters, projector_adapter)]
    assert answers(engine, "", jobs) == base
    assert len({tuple(reply.values()) for reply in (base, *said)}) == 4
    fresh = TransformersEngine(jobs.model, checkpoint, jobs.clips)
    assert answers(fresh, str(adapters[1]), jobs) == said[1]


def test_a_whole_checkpoint_answers_as_itself(jobs: ServingJobs, checkpoint: Path, tmp_path: Path) -> None:
    other = build(tmp_path / "other", seconds=6, hop=320, seed=9)
    engine = TransformersEngine(jobs.model, checkpoint, jobs.clips)
    itself = TransformersEngine(declare(other, stock=False), other, jobs.clips)
    assert answers(engine, str(other), jobs) == answers(itself, "", jobs) != answers(engine, "", jobs)


def test_an_adapter_of_another_model_is_refused(jobs: ServingJobs, checkpoint: Path, tmp_path: Path) -> None:
    larger = tmp_path / "larger"
    shutil.copytree(checkpoint, larger)
    config = json.loads((larger / "config.json").read_text("utf-8"))
    config["text_config"]["num_hidden_layers"] = 1
    config["text_config"]["layer_types"] = ["full_attention"]
    (larger / "config.json").write_text(json.dumps(config), "utf-8")
    adapter = adapt(tmp_path / "adapter", checkpoint)
    engine = TransformersEngine(jobs.model, larger, jobs.clips)
    with pytest.raises(
        DataError, match="does not fit the model: 14 of its tensors do not belong to the model"
    ):
        answers(engine, str(adapter), jobs)


@pytest.mark.slow
def test_a_process_asks_only_what_is_missing(jobs: ServingJobs, adapters: tuple[Path, Path]) -> None:
    job = jobs.job("resumed", [None, adapters[0]], "transformers")
    base, first = job.askings
    ran = serve(job)
    assert (ran.code, ran.stdout) == (0, ""), ran.stderr
    whole = Path(first.replies).read_bytes()
    lines = whole.splitlines(keepends=True)
    assert len(lines) == 80
    kept = json.loads(lines[0]) | {"reply": "kept as it was"}
    killed = json.dumps(kept).encode() + b"\n" + b"".join(lines[1:50]) + lines[50][:17]
    Path(first.replies).write_bytes(killed)
    untouched = Path(base.replies).read_bytes()
    assert serve(job).code == 0
    assert Path(base.replies).read_bytes() == untouched
    again = replies(first)
    assert len(again) == 80
    assert again[kept["utterance"], kept["input"]].reply == "kept as it was"
    assert sorted(Path(first.replies).read_bytes().splitlines()[1:]) == sorted(lines_of(lines[1:]))
    told = report(job)
    assert [(asked["asked"], asked["kept"]) for asked in told["askings"]] == [(0, 80), (30, 50)]
    assert (told["engine"], told["device"], told["dtype"]) == ("transformers", "cpu", "float32")


def lines_of(lines: list[bytes]) -> list[bytes]:
    return [line.rstrip(b"\n") for line in lines]


def test_bad_input_is_told_in_a_line(jobs: ServingJobs, tmp_path: Path) -> None:
    job = jobs.job("bad", [tmp_path / "nowhere"], "transformers")
    ran = serve(job)
    assert (ran.code, ran.stdout) == (1, "")
    assert ran.stderr == f"error: {tmp_path}/nowhere is not an adapter: adapter_config.json is missing.\n"


def test_a_missing_clip_is_found_before_an_engine_starts(jobs: ServingJobs, tmp_path: Path) -> None:
    job = replace(jobs.job("clipless", [None], "transformers"), clips=str(tmp_path))
    with pytest.raises(MissingError, match="of utterance 'u0' is not in"):
        process.answer(job, Reporter(io.StringIO()))
    assert not Path(job.report).exists()


@pytest.mark.slow
def test_ctrl_c_leaves_what_was_answered(checkpoint: Path, tmp_path: Path) -> None:
    jobs = ServingJobs(tmp_path, replace(declare(checkpoint, stock=False), reply_tokens=400))
    jobs.write_questions(80)
    job = jobs.job("interrupted", [None], "transformers")
    kept = Path(job.askings[0].replies)
    with start(job) as running:
        while not kept.exists() and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        _, stderr = running.communicate()
    assert running.returncode == 130, stderr
    assert "interrupted; the same command predicts only what is missing" in stderr
    assert 0 < len(replies(job.askings[0])) < 160
    assert not Path(job.report).exists()


def test_a_wrong_call_is_told_without_loading_anything(tmp_path: Path) -> None:
    assert python("-m", "slubench.serve").code == 2
    missing = python("-m", "slubench.serve", str(tmp_path / "none.json"))
    assert missing == Ran(
        1, "", f"error: The job {tmp_path}/none.json cannot be read (No such file or directory).\n"
    )
    (tmp_path / "other.json").write_text('{"model": {}}', "utf-8")
    other = python("-m", "slubench.serve", str(tmp_path / "other.json"))
    assert (other.code, other.stdout) == (1, "")
    assert "other.json is not a serving job" in other.stderr
