"""Each track: what learns, what stays bit for bit, and that what is kept loads and says the same."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from slubench.domain.model import Model
from slubench.errors import DeclarationError
from slubench.train.device import choose_device
from slubench.train.learner import Learner, load_model
from slubench.train.micro_batches import MicroBatches
from slubench.train.read_examples import TrainExample
from slubench.train.tracks import adapted_modules, learning, open_track
from slubench.train.train import train
from slubench.train.updates import gather
from tests.train.training_jobs import TrainingJobs

TRACKS = ["lora-lm", "lora-lm+projector", "lora-all", "full"]


def loaded(folder: Path, model: Model, track: str) -> Any:
    """The trained model as a stranger would load it."""
    from peft import PeftModel

    if track == "full":
        whole, _ = load_model(replace(model, repository=str(folder)), torch.float32, choose_device(model))
        return whole.eval()
    base, _ = load_model(model, torch.float32, choose_device(model))
    return PeftModel.from_pretrained(base, str(folder)).eval()


def logits(model: Any, learner: Learner, source: TrainExample) -> Tensor:
    """Through the processor and the model's own forward pass, audio and all."""
    from slubench.data.clips import ClipStore
    from slubench.domain.prompt import render

    store = ClipStore(learner.hearing._features._store.folder, 16_000, 2.0)  # type: ignore[attr-defined]
    inputs = learner.processor(
        text=[render(learner.declared, source.parts)],
        audio=[store.load(key) for key in source.clips],
        sampling_rate=16_000,
        return_tensors="pt",
    )
    with torch.no_grad():
        given: Tensor = model(**inputs).logits
    return given


@pytest.mark.parametrize("track", TRACKS)
def test_a_track_learns_is_kept_and_loads(jobs: TrainingJobs, track: str) -> None:
    examples = jobs.mixed(16)
    job = jobs.job([examples], track=track)
    adapter = train(job)
    probe = jobs.learner(examples, track, "probe")
    base, _ = load_model(jobs.model, torch.float32, choose_device(jobs.model))
    after = loaded(adapter, jobs.model, track)
    spoken = jobs.spoken(3)
    heard = logits(after, probe, spoken)
    assert (heard - logits(base.eval(), probe, spoken)).abs().max() > 1e-3

    before = dict(base.named_parameters())
    if track == "full":
        changed = {name for name, value in after.named_parameters() if not torch.equal(value, before[name])}
        for part in ("audio_tower.conv1", "multi_modal_projector", "language_model.layers.1", "lm_head"):
            assert any(part in name for name in changed), part
        return
    kept = load_file(adapter / "adapter_model.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in kept.values())
    projector = {name for name in kept if "multi_modal_projector" in name}
    assert bool(projector) == (track != "lora-lm")
    encoder = {name for name in kept if "audio_tower.layers" in name}
    assert bool(encoder) == (track == "lora-all")
    assert all("language_model.layers" in name for name in kept.keys() - projector - encoder)
    merged = after.merge_and_unload()
    torch.testing.assert_close(logits(merged, probe, spoken), heard, rtol=1e-3, atol=1e-4)
    for name, value in merged.named_parameters():
        learnt = "proj" in name and "language_model" in name
        learnt |= bool(encoder) and "audio_tower.layers" in name
        if not learnt and not (projector and "multi_modal_projector" in name):
            assert torch.equal(value, before[name]), name
    if projector:
        name = "model.multi_modal_projector.linear.weight"
        assert not torch.equal(merged.get_parameter(name), before[name])


@pytest.mark.parametrize("track", TRACKS)
def test_what_is_frozen_stays_bit_for_bit_while_training(jobs: TrainingJobs, track: str) -> None:
    examples = jobs.mixed(4)
    learner = jobs.learner(examples, track)
    before = {name: parameter.detach().clone() for name, parameter in learner.model.named_parameters()}
    optimiser = torch.optim.AdamW(learning(learner.model).values(), lr=1e-2)
    for _ in range(2):
        gather(learner, examples, MicroBatches(999), nullcontext)
        optimiser.step()
    learnt = learning(learner.model)
    for name, parameter in learner.model.named_parameters():
        if name in learnt:
            assert parameter.dtype == torch.float32
        else:
            assert torch.equal(parameter, before[name]), name
    moved = [name for name, parameter in learnt.items() if not torch.equal(parameter, before[name])]
    assert len(moved) >= len(learnt) * 0.9
    assert (len(learnt) == len(before)) == (track == "full")


def test_only_the_language_model_is_adapted(jobs: TrainingJobs) -> None:
    from peft.tuners.tuners_utils import BaseTunerLayer

    learner = jobs.learner(jobs.mixed(2))
    adapted = [n for n, module in learner.base.named_modules() if isinstance(module, BaseTunerLayer)]
    assert len(adapted) == 2 * 7
    assert all(name.startswith("model.language_model.layers.") for name in adapted)
    assert all("lora_" in name and "language_model" in name for name in learning(learner.model))


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        (r".*(q_proj|v_proj)", "audio_tower"),
        (r".*language_model\.layers\.\d+\.mlp", "mlp"),
        (r".*lm_head", "lm_head"),
        (r"q_proj", "nothing"),
    ],
)
def test_an_expression_that_names_other_modules_is_refused(
    jobs: TrainingJobs, expression: str, found: str
) -> None:
    declared = replace(jobs.model, lora_modules=expression)
    base, _ = load_model(jobs.model, torch.float32, choose_device(jobs.model))
    with pytest.raises(DeclarationError, match=found):
        open_track(base, declared, "lora-lm")
    with pytest.raises(DeclarationError, match="lora_modules of random"):
        adapted_modules(base, declared)


def test_the_adapter_names_its_base(jobs: TrainingJobs) -> None:
    model = replace(jobs.model, revision="main")
    adapter = train(replace(jobs.job([jobs.mixed(4)]), model=model))
    config = json.loads((adapter / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == jobs.model.repository
    assert config["revision"] == "main"
    assert config["target_modules"] == jobs.model.lora_modules
    assert (config["r"], config["lora_alpha"], config["peft_type"]) == (4, 8, "LORA")
    assert {file.name for file in adapter.iterdir()} == {
        "adapter_config.json",
        "adapter_model.safetensors",
        "training.json",
    }
