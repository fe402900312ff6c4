"""The shipped families: known by `model_type`, and proven on small random checkpoints against transformers.

A checkpoint is of the real architecture, made by the test, with a processor of its own kind.
"""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from slubench.registry import Registry
from slubench.registry.weights import choose_model
from tests.command import slubench
from tests.families.shipped_names import SHIPPED

MODEL_TYPES = [
    ("voxtral", "voxtral"),
    ("qwen2_5_omni", "qwen2_5_omni"),
    ("qwen2_5_omni_thinker", "qwen2_5_omni"),
    ("audioflamingo3", "audioflamingo3"),
]


@pytest.mark.parametrize(("model_type", "family"), MODEL_TYPES)
def test_a_checkpoint_is_known_by_its_model_type(tmp_path: Path, model_type: str, family: str) -> None:
    folder = tmp_path / "Mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    registry = Registry()
    model = choose_model(str(folder), registry)
    known = registry.families[family]
    assert model.recipes == known.recipes
    assert model.prompt == known.prompt
    assert model.lora_modules == known.lora_modules
    assert (model.name, model.max_seconds) == ("mine", known.max_seconds)


def test_terms_of_a_declared_model_are_not_told_of_somebodys_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "qwen2_5_omni"}))
    model = choose_model(str(folder), Registry())
    assert model.licence == "See the checkpoint's own card."
    assert model.exposure.endswith("this checkpoint is not declared.")
    assert model.parameters == 0


def test_show_tells_all_of_a_folder_that_nobody_declared(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "audioflamingo3"}))
    told = json.loads(slubench("show", folder, "--json").stdout)
    assert (told["kind"], told["family"], told["name"]) == ("model", "audioflamingo3", "mine")
    assert set(told["recipes"]) == {"lora-lm", "lora-lm+projector", "full"}
    assert told["serving"] == "vLLM, live or merged (SlubenchAudioFlamingo3LoRA); transformers"
    assert told["parts"]["language_model"] == "model.language_model"
    assert told["memory"] == {"estimate": "the number of parameters is not declared"}


def test_show_tells_which_cards_a_declared_model_could_train_on() -> None:
    told = json.loads(slubench("show", "voxtral-mini-3b", "--json").stdout)
    assert told["serving"] == "transformers alone"
    assert told["memory"]["lora-lm"] == "about 13 GiB or more by estimate: 24 GB, 48 GB, 80 GB"
    assert told["memory"]["full"] == "about 70 GiB or more by estimate: no card of 80 GB"


def test_every_shipped_family_has_a_declared_model_and_a_recipe_for_each_track_it_can_have() -> None:
    registry = Registry()
    declared = {model.family for model in registry.models.values()}
    for name, family in registry.families.items():
        assert name in declared
        tracks = {"lora-lm", "full"} | ({"lora-lm+projector"} if family.parts.projector else set())
        assert set(family.recipes) == tracks, name


@pytest.fixture(scope="module", params=SHIPPED)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Only the tests that want weights load torch.
    shipped = importlib.import_module("tests.families.shipped")
    made: Path = shipped.checkpoint_of(request.param, tmp_path_factory.mktemp(request.param))
    return made


def bench_of(checkpoint: Path, folder: Path) -> Any:
    model, family = importlib.import_module("tests.families.shipped").declared(checkpoint)
    numbers = importlib.import_module("slubench.conformance.model_numbers")
    return numbers.make_bench(dataclasses.replace(model, reply_tokens=12), family, folder)


def learner_of(bench: Any) -> Any:
    learners = importlib.import_module("slubench.train.learner")
    devices = importlib.import_module("slubench.train.device")
    learner = learners.open_learner(bench.job(), [bench.examples], devices.choose_device(bench.model))
    learner.model.eval()
    return learner


@pytest.mark.slow
def test_loss_training_and_replies_are_those_of_transformers(checkpoint: Path, tmp_path: Path) -> None:
    model, family = importlib.import_module("tests.families.shipped").declared(checkpoint)
    process = importlib.import_module("slubench.conformance.model_process")
    numbers = importlib.import_module("slubench.conformance.model_numbers")
    assert numbers.SECONDS == (1.0, 4.0, 12.0, 29.0, 35.0)
    verdicts = [*process.shapes(model, family), *numbers.numbers(model, family, tmp_path)]
    assert [verdict for verdict in verdicts if verdict.state != "pass"] == []
    assert len(verdicts) == 6


@pytest.mark.slow
def test_its_own_processor_gives_the_same_loss(checkpoint: Path, tmp_path: Path) -> None:
    """Nothing of the family's features, counts or prompt is used on transformers' side."""
    import torch

    builder = importlib.import_module(f"tests.families.random_{checkpoint.name}")
    gather = importlib.import_module("slubench.train.updates").gather
    pace = importlib.import_module("slubench.train.micro_batches").MicroBatches(100_000)
    bench = bench_of(checkpoint, tmp_path)
    learner = learner_of(bench)
    instruction = "Give the scenario, the action and the entities of this request as one line of JSON.\n"
    for example, encoded in zip(bench.examples, learner.encode(bench.examples), strict=True):
        if not example.clips:
            continue
        samples = bench.store.load(example.clips[0])
        given = builder.own_inputs(learner.processor, instruction, samples)
        assert given["input_ids"][0].tolist() == list(encoded.prompt)
        reply = torch.tensor([encoded.reply])
        ids = torch.cat([given.pop("input_ids"), reply], dim=1)
        labels = ids.clone()
        labels[:, : -len(encoded.reply)] = -100
        given["attention_mask"] = torch.ones_like(ids)
        with torch.no_grad():
            logits = learner.base(input_ids=ids, **given).logits[:, :-1].float().flatten(0, 1)
        own = torch.nn.functional.cross_entropy(logits, labels[:, 1:].flatten(), ignore_index=-100)
        ours = gather(learner, [example], pace, nullcontext).loss
        assert math.isclose(ours, float(own), rel_tol=1e-5), (example.utterance, ours, float(own))
