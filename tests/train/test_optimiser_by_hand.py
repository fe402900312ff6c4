"""A training of five updates beside the same steps in plain PyTorch, weight by weight."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional

from slubench.domain.model import Recipe
from slubench.runtime.jobs import StageJob
from slubench.train.batches import IGNORED, EncodedExample, arrange, collate
from slubench.train.micro_batches import MicroBatches
from slubench.train.read_examples import read_examples
from slubench.train.tracks import learning
from slubench.train.train import train
from slubench.train.updates import gather
from tests.train.training_jobs import BATCH, TrainingJobs

RECIPE = Recipe(
    rate=2e-2,
    rank=4,
    alpha=8,
    batch=BATCH,
    warmup=0.3,
    schedule="linear",
    weight_decay=0.1,
    max_grad_norm=0.5,
)
RATES = (2e-2, 5e-3)


def due_rates(updates: int, rate: float) -> list[float]:
    """A linear rise over the declared part of a stage, then a linear fall to 0."""
    rise = math.ceil(0.3 * updates)
    return [rate * (at / rise if at < rise else (updates - at) / (updates - rise)) for at in range(updates)]


def test_weights_are_those_of_plain_adamw_with_clipping_and_a_schedule_a_stage(
    jobs: TrainingJobs,
) -> None:
    examples = [replace(one, weight=0.5 + at % 3) for at, one in enumerate(jobs.mixed(5 * BATCH - 1))]
    stages = [examples[: 3 * BATCH], examples[3 * BATCH :]]  # the last update holds three
    model = replace(jobs.model, recipes={"lora-lm": RECIPE})
    job = replace(jobs.job(stages), model=model, stages=(StageJob(3, RATES[0]), StageJob(2, RATES[1])))
    adapter = train(job)
    learner = replace(jobs, model=model).learner(examples)
    moments: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}
    losses, norms = [], []
    due = [due_rates(3, RATES[0]), due_rates(2, RATES[1])]
    for stage, rates in zip(stages, due, strict=True):
        moments = {
            name: (torch.zeros_like(one), torch.zeros_like(one))
            for name, one in learning(learner.model).items()
        }
        for at, rate in enumerate(rates):
            # A micro-batch an example: what is learnt does not depend on it.
            some = stage[at * BATCH : (at + 1) * BATCH]
            losses.append(gather(learner, some, MicroBatches(1), nullcontext).loss)
            parameters = learning(learner.model)
            total = math.sqrt(
                sum(float((p.grad**2).sum()) for p in parameters.values() if p.grad is not None)
            )
            norms.append(total)
            for name, parameter in parameters.items():
                assert parameter.grad is not None
                gradient = parameter.grad * min(1.0, 0.5 / (total + 1e-6))
                first, second = moments[name]
                first.mul_(0.9).add_(0.1 * gradient)
                second.mul_(0.999).add_(0.001 * gradient**2)
                step = first / (1 - 0.9 ** (at + 1))
                scale = (second / (1 - 0.999 ** (at + 1))).sqrt() + 1e-8
                with torch.no_grad():
                    parameter.mul_(1 - rate * 0.1).sub_(rate * step / scale)
    assert max(norms) > 0.5 > 0  # clipping has something to do
    curve = json.loads((adapter / "training.json").read_text())["curve"]
    assert [point["rate"] for point in curve] == pytest.approx([rate for rates in due for rate in rates])
    assert [point["loss"] for point in curve] == pytest.approx(losses, rel=1e-4)
    found = load_file(adapter / "adapter_model.safetensors")
    expected = {name.replace(".default", ""): one for name, one in learning(learner.model).items()}
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert tensor.dtype == torch.float32
        torch.testing.assert_close(tensor, expected[name].detach(), rtol=1e-3, atol=2e-5)


def test_the_adapter_tells_the_declared_rank_alpha_and_modules(jobs: TrainingJobs) -> None:
    declared = replace(RECIPE, rank=3, alpha=12, dropout=0.1)
    job = replace(jobs.job([jobs.mixed(BATCH)]), model=replace(jobs.model, recipes={"lora-lm": declared}))
    adapter = train(job)
    config = json.loads((adapter / "adapter_config.json").read_text())
    told = {name: config[name] for name in ("r", "lora_alpha", "lora_dropout", "modules_to_save", "bias")}
    assert told == {
        "r": 3, "lora_alpha": 12, "lora_dropout": 0.1, "modules_to_save": None, "bias": "none",
    }  # fmt: skip
    assert config["target_modules"] == jobs.model.lora_modules
    found = load_file(adapter / "adapter_model.safetensors")
    # Two layers of seven linear layers, two matrices each; nothing of the audio tower or the projector.
    assert len(found) == 2 * 7 * 2
    assert all("language_model.layers" in name for name in found)
    assert {tensor.shape[0] for name, tensor in found.items() if "lora_A" in name} == {3}


def test_lessons_are_learnt_in_the_order_and_by_the_weight_that_is_written(jobs: TrainingJobs) -> None:
    stages = [
        [jobs.written(at, weight=0.25 * at) for at in (3, 1, 2, 5)],
        [jobs.spoken(at) for at in (4, 0, 1, 2)],
    ]
    read = read_examples(jobs.job(stages))
    assert [list(stage) for stage in read] == stages


def encoded(jobs: TrainingJobs, prompt: int, reply: int, weight: float = 1.0) -> EncodedExample:
    example = jobs.written(0, weight)
    return EncodedExample(example, tuple(range(10, 10 + prompt)), tuple(range(100, 100 + reply)))


def test_labels_stand_on_the_reply_and_nowhere_else(jobs: TrainingJobs) -> None:
    batch = collate([encoded(jobs, 3, 2), encoded(jobs, 1, 5, 0.5)], 0, torch.device("cpu"))
    assert batch["input_ids"].tolist() == [[10, 11, 12, 100, 101, 0], [10, 100, 101, 102, 103, 104]]
    assert batch["labels"].tolist() == [
        [IGNORED] * 3 + [100, 101, IGNORED],
        [IGNORED, 100, 101, 102, 103, 104],
    ]
    assert batch["attention_mask"].tolist() == [[1] * 5 + [0], [1] * 6]
    assert batch["weights"].tolist() == [1.0, 0.5]


def test_micro_batches_hold_each_example_once_and_no_more_than_their_tokens(jobs: TrainingJobs) -> None:
    examples = [encoded(jobs, size, 1) for size in (3, 9, 5, 7, 4, 2, 20)]
    found = arrange(examples, 20)
    assert [[len(one) for one in some] for some in found] == [[21], [10, 8], [6, 5, 4], [3]]


def test_the_loss_of_a_reply_is_that_of_the_tokens_before_each_of_its_own(jobs: TrainingJobs) -> None:
    """By the whole of the logits, shifted by one, and weighted by example."""
    examples = [jobs.written(1, 2.0), jobs.spoken(2, 0.5), jobs.written(3)]
    learner = jobs.learner(examples)
    encoded = learner.encode(examples)
    batch = learner.batch(encoded)
    with torch.no_grad():
        logits = learner.model(
            inputs_embeds=batch["inputs_embeds"], attention_mask=batch["attention_mask"]
        ).logits
        total = 0.0
        for row, example in enumerate(encoded):
            begin = len(example.prompt)
            before = logits[row, begin - 1 : len(example) - 1]
            loss = functional.cross_entropy(before, torch.tensor(example.reply), reduction="sum")
            total += float(loss) * example.source.weight
        assert float(learner.reply_loss(batch)) == pytest.approx(total, rel=1e-4)
    weights = sum(len(example.reply) * example.source.weight for example in encoded)
    found = gather(learner, examples, MicroBatches(10_000), nullcontext)
    assert found.loss == pytest.approx(total / weights, rel=1e-4)
    assert found.reply_tokens == sum(len(example.reply) for example in encoded)
    assert found.tokens == int(batch["attention_mask"].sum())
