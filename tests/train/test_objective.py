"""A strategy's own loss: what its batch offers, what its passes cost, and how its faults are told."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from slubench.errors import DeclarationError
from slubench.train.learner import Learner
from slubench.train.micro_batches import MicroBatches
from slubench.train.objective_batch import ObjectiveBatch
from slubench.train.read_examples import TrainExample
from slubench.train.train import train
from slubench.train.updates import Gathered, gather
from tests.train.test_updates import assert_equal, awaken, gradient
from tests.train.training_jobs import TrainingJobs


def batch_of(learner: Learner, examples: list[TrainExample]) -> ObjectiveBatch:
    return ObjectiveBatch.of(learner, learner.encode(examples))


def heard(jobs: TrainingJobs, count: int) -> list[TrainExample]:
    return [replace(jobs.spoken(n), transcript=f"say {n}") for n in range(count)]


def test_fields_have_the_shapes_that_are_documented(jobs: TrainingJobs) -> None:
    learner = jobs.learner(jobs.mixed(4))
    batch = batch_of(learner, jobs.mixed(4))
    rows, longest = batch["input_ids"].shape
    told = batch.forward(hidden=True)
    vocabulary, width = len(batch.tokenizer), learner.base.config.get_text_config().hidden_size
    assert rows == 4
    assert batch["labels"].shape == batch["attention_mask"].shape == (4, longest)
    assert batch["inputs_embeds"].shape == (4, longest, width)
    assert batch["weights"].shape == (4,)
    assert told.logits.shape == (4, longest, vocabulary)
    assert [one.shape for one in told.hidden] == [(4, longest, width)] * 3
    assert batch.reply_log_probs().shape == batch.reply_mask.shape == (4, longest - 1)
    assert len(batch.examples) == len(batch["examples"]) == 4


def test_its_cross_entropy_is_the_usual_loss(jobs: TrainingJobs) -> None:
    examples = [replace(example, weight=1.0 + n % 2) for n, example in enumerate(jobs.mixed(6))]
    learner = jobs.learner(examples)
    awaken(learner)
    whole = gradient(learner, examples)
    assert_equal(whole, gradient(learner, examples, tokens=120, objective=lambda _, b: b.cross_entropy()))

    def by_log_probs(model: Any, batch: ObjectiveBatch) -> Tensor:
        weights = batch.reply_mask * batch["weights"][:, None]
        loss: Tensor = -(batch.reply_log_probs() * batch["weights"][:, None]).sum() / weights.sum()
        return loss

    assert_equal(whole, gradient(learner, examples, objective=by_log_probs))


def test_both_modalities_of_a_pair_stand_row_by_row_in_one_batch(jobs: TrainingJobs) -> None:
    examples = [jobs.written(0), *heard(jobs, 2), jobs.spoken(5)]
    learner = jobs.learner(examples)
    pair = batch_of(learner, examples).pair()
    assert pair is not None
    assert [one.utterance for one in pair.heard.examples] == ["s0", "s1"]
    assert [one.parts for one in pair.written.examples] == [("say 0",), ("say 1",)]
    assert [one.target for one in pair.written.examples] == [one.target for one in pair.heard.examples]
    for row in range(2):
        replies = [side["labels"][row][side["labels"][row] >= 0] for side in pair]
        assert torch.equal(*replies)
    assert (pair.heard["input_ids"] == learner.audio_token).any()
    assert not (pair.written["input_ids"] == learner.audio_token).any()
    assert batch_of(learner, [jobs.written(0)]).pair() is None


def test_the_model_as_it_was_is_asked_without_lora(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(2)
    learner = jobs.learner(examples)
    before = batch_of(learner, examples).forward().logits
    awaken(learner)
    batch = batch_of(learner, examples)
    torch.testing.assert_close(batch.forward(base=True).logits, before)
    assert (batch.forward().logits - before).abs().max() > 1e-3
    whole = jobs.learner(examples, "full", "whole")
    with pytest.raises(DeclarationError, match="on the track full there is none"):
        batch_of(whole, examples).forward(base=True)


def test_replies_are_generated_as_the_model_stands(jobs: TrainingJobs) -> None:
    examples = jobs.mixed(3)
    learner = jobs.learner(examples)
    batch = batch_of(learner, examples)
    greedy = batch.generate(temperature=0, max_new_tokens=5)
    assert [len(one) for one in greedy] == [1, 1, 1]
    assert learner.model.training
    # Prompts of other lengths beside it change nothing.
    alone = [batch_of(learner, [one]).generate(temperature=0, max_new_tokens=5)[0] for one in examples]
    assert greedy == alone
    torch.manual_seed(0)
    several = batch.generate(4, max_new_tokens=5)
    assert [len(one) for one in several] == [4, 4, 4]
    assert len({reply for replies in several for reply in replies}) > 3


def spent(learner: Learner, examples: list[TrainExample], objective: Callable[..., Any]) -> Gathered:
    return gather(learner, examples, MicroBatches(10_000), nullcontext, objective)


def test_extra_passes_are_counted_with_and_without_gradient(jobs: TrainingJobs) -> None:
    examples = heard(jobs, 2)
    learner = jobs.learner(examples)
    size = batch_of(learner, examples)["input_ids"].numel()

    def thrice(model: Any, batch: ObjectiveBatch) -> Tensor:
        with torch.no_grad():
            model(inputs_embeds=batch["inputs_embeds"])
        return batch.cross_entropy() + batch.forward().logits.mean() + batch.forward().logits.mean()

    assert spent(learner, examples, lambda _, batch: batch.cross_entropy()).extra == (0, 0, 0, 0)
    found = spent(learner, examples, thrice).extra
    assert found == (2 * size, size, 2 * size, size)
    made = spent(learner, examples, lambda _, b: b.cross_entropy() * len(b.generate(2, max_new_tokens=3)))
    assert made.extra[0] == 0
    assert made.extra[1] >= 2 * 2


def strategy_file(jobs: TrainingJobs, body: str) -> Path:
    file = jobs.folder / "mine.py"
    file.write_text(
        '"""A loss."""\n'
        "from slubench import TEXT, Stage, Strategy\n"
        "def loss(model, batch):\n"
        f"    {body}\n"
        "MINE = Strategy(name='mine', stages=(\n"
        "    Stage(learns_from=TEXT, share=0.5),\n"
        "    Stage(learns_from=TEXT, share=0.5, objective=loss)))\n"
    )
    return file


def trained(jobs: TrainingJobs, body: str, name: str = "job") -> Path:
    job = jobs.job([jobs.mixed(4), jobs.mixed(4)], name, strategy=str(strategy_file(jobs, body)))
    first, second = job.stages
    return train(replace(job, stages=(first, replace(second, objective=True))))


def test_extra_passes_are_in_the_report_s_flops(jobs: TrainingJobs) -> None:
    def flops(adapter: Path) -> float:
        return float(json.loads((adapter / "training.json").read_text("utf-8"))["flops"])

    once = trained(jobs, "return batch.cross_entropy()", "once")
    twice = trained(jobs, "return batch.cross_entropy() + 0 * batch.forward().logits.mean()", "twice")
    assert flops(twice) > 1.2 * flops(once)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return batch.cross_entropy() * float('nan')", r"returned nan on .*division by 0"),
        ("return batch.forward().logits", r"returned a Tensor of shape \(2, "),
        ("return 0.5", "returned a float; .*scalar tensor"),
        ("return None", "returned a NoneType"),
        ("return batch.cross_entropy().detach()", "returned a loss without gradient"),
        ("return batch['speech']", "failed, line 4: KeyError: 'speech'"),
        ("return batch.view([]).cross_entropy()", "a batch needs at least one example"),
    ],
)
def test_a_faulty_objective_is_told_before_the_first_update(
    jobs: TrainingJobs, body: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from slubench.train.loop import TrainingLoop

    monkeypatch.setattr(TrainingLoop, "_update", lambda *_: pytest.fail("an update was made"))
    with pytest.raises(DeclarationError, match=told) as failed:
        trained(jobs, body)
    if "view" not in body:
        assert "objective of mine, stage 2 (mine.py, line 3, loss)" in str(failed.value)


def test_trying_an_objective_changes_no_weights(jobs: TrainingJobs) -> None:
    plain = train(jobs.job([jobs.mixed(4), jobs.mixed(4)], "plain"))
    own = trained(jobs, "return batch.cross_entropy()", "own")
    curves = [json.loads((one / "training.json").read_text("utf-8"))["curve"] for one in (plain, own)]
    assert [point["loss"] for point in curves[1]] == pytest.approx([point["loss"] for point in curves[0]])
