"""A training as a whole: what it learns, reports, repeats and refuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from slubench.errors import DataError, DeclarationError, MissingError, SlubenchError, UsageError
from slubench.runtime.jobs import StageJob
from slubench.train.device import choose_device
from slubench.train.learner import load_model
from slubench.train.read_examples import read_examples
from slubench.train.trackers import trackers
from slubench.train.train import train
from tests.train.training_jobs import BATCH, TrainingJobs


def report(adapter: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((adapter / "training.json").read_text())
    return content


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = load_file(adapter / "adapter_model.safetensors")
    return found


def test_it_learns_a_handful_by_heart_and_says_it(jobs: TrainingJobs) -> None:
    from peft import PeftModel

    from slubench.data.clips import ClipStore
    from slubench.domain.prompt import render

    handful = [jobs.written(0), jobs.spoken(1), jobs.written(2), jobs.spoken(5)]
    recipe = replace(jobs.model.recipe("lora-lm"), rank=16, alpha=16, warmup=0.1)
    job = jobs.job([handful * 150])
    adapter = train(replace(job, model=replace(jobs.model, recipes={"lora-lm": recipe})))
    curve = report(adapter)["curve"]
    assert curve[0]["loss"] > 3
    assert curve[-1]["loss"] < 0.2
    base, processor = load_model(jobs.model, torch.float32, choose_device(jobs.model))
    generate: Any = PeftModel.from_pretrained(base, str(adapter)).eval().generate
    store = ClipStore(jobs.clips, 16_000, 2.0)
    for example in handful:
        audio = {"audio": [store.load(key) for key in example.clips], "sampling_rate": 16_000}
        text = [render(jobs.model, example.parts)]
        inputs = processor(text=text, return_tensors="pt", **(audio if example.clips else {}))
        said = generate(**inputs, max_new_tokens=20, do_sample=False, eos_token_id=2, pad_token_id=0)
        reply = processor.tokenizer.decode(said[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        assert reply == example.target


def test_one_seed_gives_one_adapter_and_another_seed_another(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(12)
    first, second = (weights(train(jobs.job([examples], name))) for name in ("first", "second"))
    other = weights(train(jobs.job([examples], "other", seed=1)))
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first if "lora_A" in name)


def test_a_stage_begins_its_optimiser_and_schedule_afresh_on_the_same_adapter(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(16)
    job = jobs.job([examples[:8], examples[8:]])
    job = replace(job, stages=(StageJob(2, 1e-2), StageJob(2, 6e-3)))
    adapter = train(job)
    rates = [point["rate"] for point in report(adapter)["curve"]]
    assert rates == pytest.approx([1e-2, 5e-3, 6e-3, 3e-3])
    one = weights(train(jobs.job([examples], "one")))
    two = weights(adapter)
    assert max((one[name] - two[name]).abs().max() for name in one) > 1e-4
    alone = weights(train(replace(jobs.job([examples[8:]], "alone"), stages=(StageJob(2, 6e-3),))))
    assert max((alone[name] - two[name]).abs().max() for name in two) > 1e-4


def test_the_report_says_what_was_consumed(jobs: TrainingJobs) -> None:
    examples = [jobs.written(0), jobs.spoken(1), jobs.spoken(1), jobs.spoken(2)] * 2
    job = jobs.job([examples])
    content = report(train(job))
    learner = jobs.learner(examples)
    encoded = learner.encode(examples)
    assert content["updates"] == len(content["curve"]) == 2
    assert content["examples"] == 8
    assert (content["clips_heard"], content["clips_unique"]) == (6, 2)
    assert content["reply_tokens"] == sum(len(example.reply) for example in encoded)
    assert content["tokens"] == sum(map(len, encoded))
    assert content["trainable_parameters"] == 2 * 4 * (
        # r times (in + out) of q and o, k and v, gate, up and down
        2 * (32 + 32) + 2 * (32 + 16) + 3 * (32 + 64)
    )
    assert content["trainable_share"] == content["trainable_parameters"] / content["parameters"]
    assert content["device"] == "cpu"
    assert content["dtype"] == "float32"
    assert content["seconds"] > 0
    assert content["peak_memory_bytes"] > 2**20
    assert set(content["versions"]) == {"slubench", "torch", "transformers", "peft", "accelerate"}
    # Frozen linear layers of the language model, LoRA, norms and biases; head; tower once a clip.
    layer = 2 * 32 * 32 + 2 * 32 * 16 + 3 * 32 * 64 + 64 + (32 + 16 + 16)
    body = 4 * (2 * layer + 32) + 6 * content["trainable_parameters"]
    tower = sum(parameter.numel() for parameter in learner.part("tower").parameters())
    head = 4 * 32 * (256 + 6)
    flops = body * content["tokens"] + head * content["reply_tokens"] + 2 * tower * 50 * 2
    assert content["flops"] == pytest.approx(flops)


def test_what_is_trained_is_not_trained_again(jobs: TrainingJobs) -> None:
    job = jobs.job([jobs.mixed(4)])
    adapter = train(job)
    before = (adapter / "training.json").stat().st_mtime_ns
    Path(job.examples).unlink()
    assert train(job) == adapter
    assert (adapter / "training.json").stat().st_mtime_ns == before
    assert not (Path(job.folder) / "checkpoints").exists()


def test_it_logs_to_tensorboard_and_a_file_and_is_quiet(
    jobs: TrainingJobs, capfd: pytest.CaptureFixture[str]
) -> None:
    from tensorboard.backend.event_processing.event_accumulator import (  # type: ignore[import-untyped]
        EventAccumulator,
    )

    job = jobs.job([jobs.mixed(12)])
    train(job)
    shown = capfd.readouterr()
    assert shown.out == ""
    lines = shown.err.splitlines()
    assert [line.split(",")[0] for line in lines] == ["job: update 1/3", "job: update 3/3"]
    assert "update 2" in (Path(job.folder) / "train.log").read_text()
    events = EventAccumulator(str(Path(job.folder) / "tensorboard" / "slubench"))
    events.Reload()
    assert [point.step for point in events.Scalars("loss")] == [1, 2, 3]


def test_on_a_terminal_it_shows_a_bar(
    jobs: TrainingJobs, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "120")
    train(jobs.job([jobs.mixed(8), jobs.mixed(4)]))
    shown = capfd.readouterr().err
    assert "stage 2/2" in shown
    assert "3/3" in shown
    assert "loss" in shown


def test_wandb_is_used_where_it_is_configured_and_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert trackers() == ["tensorboard"]
    monkeypatch.setenv("WANDB_PROJECT", "slubench")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert trackers() == ["tensorboard"]
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert trackers() == ["tensorboard", "wandb"]
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert trackers() == ["tensorboard"]


def test_a_strategys_own_loss_takes_the_place_of_the_cross_entropy(jobs: TrainingJobs) -> None:
    file = jobs.folder / "mine.py"
    file.write_text(
        '"""A loss that only pulls the adapter to nothing."""\n'
        "from slubench import TEXT, Stage, Strategy\n"
        "def smallest(model, batch):\n"
        "    assert batch['labels'].shape == batch['input_ids'].shape and batch['examples']\n"
        "    return sum(p.square().sum() for n, p in model.named_parameters() if 'lora_A' in n)\n"
        "MINE = Strategy(name='mine', stages=(Stage(learns_from=TEXT, objective=smallest),))\n"
    )
    job = jobs.job([jobs.mixed(16)], objective=True, strategy=str(file))
    adapter = train(job)
    curve = [point["loss"] for point in report(adapter)["curve"]]
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] < curve[0]
    assert all(not tensor.any() for name, tensor in weights(adapter).items() if "lora_B" in name)


def test_an_objective_that_is_gone_is_said(jobs: TrainingJobs) -> None:
    file = jobs.folder / "mine.py"
    file.write_text(
        "from slubench import TEXT, Stage, Strategy\n"
        "MINE = Strategy(name='mine', stages=(Stage(learns_from=TEXT),))\n"
    )
    with pytest.raises(DeclarationError, match=r"Stage 0 .* has no objective"):
        train(jobs.job([jobs.mixed(4)], objective=True, strategy=str(file)))


def test_a_loss_that_is_no_number_names_stage_update_and_utterances(jobs: TrainingJobs) -> None:
    job = jobs.job([jobs.mixed(4), jobs.mixed(12)])
    job = replace(job, stages=(StageJob(1, 1e-3), StageJob(3, 1e30)))
    with pytest.raises(SlubenchError, match=r"stage 2, update 2 .*s5 \(en\), t6 \(en\), s7 \(en\)") as caught:
        train(job)
    assert "t8" not in str(caught.value)
    assert not Path(job.adapter).exists()


def test_lessons_that_do_not_fill_the_updates_are_refused(jobs: TrainingJobs) -> None:
    job = jobs.job([jobs.mixed(8)])
    with pytest.raises(DataError, match=r"stage 0 has 8 rows; 3 updates of 4 examples need 12"):
        train(replace(job, stages=(StageJob(3, 1e-2),)))
    with pytest.raises(DataError, match="stage 0 of 0 is not in the job"):
        read_examples(replace(job, stages=()))
    Path(job.examples).write_bytes(b"PAR1 torn")
    with pytest.raises(DataError, match=r"lessons\.parquet cannot be read"):
        train(job)


@pytest.mark.parametrize("weight", [-1.0, float("nan"), float("inf")])
def test_a_weight_that_is_none_is_refused(jobs: TrainingJobs, weight: float) -> None:
    examples = [*jobs.mixed(BATCH - 1), jobs.written(9, weight=weight)]
    with pytest.raises(DataError, match=r"row 3 \(t9\)"):
        train(jobs.job([examples]))


def test_what_is_missing_is_said(jobs: TrainingJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    job = jobs.job([jobs.mixed(4)])
    with pytest.raises(MissingError, match="cannot be loaded from /nowhere/at/all"):
        train(replace(job, model=replace(jobs.model, repository="/nowhere/at/all")))
    with pytest.raises(UsageError, match="There is no track 'open'"):
        train(replace(job, track="open"))
    with pytest.raises(UsageError, match="unknown family 'nobodys'"):
        train(replace(job, model=replace(jobs.model, family="nobodys")))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MissingError, match="needs a CUDA GPU"):
        train(replace(job, model=replace(jobs.model, needs_gpu=True)))
    recipe = replace(jobs.model.recipe("lora-lm"), schedule="sawtooth")
    with pytest.raises(DeclarationError, match="'sawtooth'"):
        train(replace(job, model=replace(jobs.model, recipes={"lora-lm": recipe})))
