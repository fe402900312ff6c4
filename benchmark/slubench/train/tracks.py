"""Tracks: which parts of a model are trained, and how they are saved."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.domain.peft_config import peft_config
from slubench.domain.peft_method import split_track
from slubench.errors import DeclarationError
from slubench.registry.families import family_of


def open_track(model: nn.Module, declared: Model, track: str) -> nn.Module:
    """Make the parts of a track trainable and freeze all others.

    `lora-lm` puts LoRA on the language model's linear layers. `lora-lm+projector` also trains the projector
    as a whole (peft's `modules_to_save`), as those do who publish it: `merge_and_unload` takes it in, and at
    one layer of a few million parameters a low-rank form would save nothing. `lora-all` adds LoRA on the
    audio encoder's linear layers. Another method of peft (`slubench.domain.peft_method`) takes LoRA's place.
    `full` trains every parameter.

    What learns is held in float32, whatever the rest is held in: an update of 1e-4 of a weight is lost in
    bfloat16's eight bits.

    Args:
        model: The conditional-generation model.
        declared: Its declaration.
        track: One of `slubench.domain.peft_method.every_track`.

    Returns:
        A `PeftModel`, or on `full` the model itself.

    Raises:
        DeclarationError: `lora_modules` names nothing, or something that is no linear layer of the language
            model.
    """
    if track == "full":
        return model.requires_grad_(True)
    import peft

    adapted_modules(model, declared)
    method, base = split_track(track)
    assert method is not None
    if base == "lora-all":
        _check_encoder(model, declared)
    config = getattr(peft, method.config)(**peft_config(declared, track), revision=declared.revision)
    adapted: nn.Module = peft.get_peft_model(model, config)
    config.base_model_name_or_path = declared.repository
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
    return adapted


def adapted_modules(model: nn.Module, declared: Model) -> list[str]:
    """The names of the modules with LoRA: only linear layers of the language model.

    Raises:
        DeclarationError: The declaration's expression names nothing, or something else.
    """
    names = [name for name, _ in model.named_modules() if re.fullmatch(declared.lora_modules, name)]
    within = family_of(declared.family, declared.family_file).parts.language_model + "."
    wrong = [
        name
        for name in names
        if not (name.startswith(within) and isinstance(model.get_submodule(name), nn.Linear))
    ]
    if wrong or not names:
        found = f"also {wrong[0]!r}" if wrong else "nothing"
        raise DeclarationError(
            f"lora_modules of {declared.name} names {found}; it must match, in full, the linear layers of"
            f" {within[:-1]} and no other module. It is: {declared.lora_modules}"
        )
    return names


def _check_encoder(model: nn.Module, declared: Model) -> None:
    """Check that `encoder_modules` names linear layers of the audio encoder and nothing else."""
    within = family_of(declared.family, declared.family_file).parts.tower + "."
    found = [
        (name, module)
        for name, module in model.named_modules()
        if re.fullmatch(declared.encoder_modules, name)
    ]
    wrong = [name for name, module in found if not (within in name and isinstance(module, nn.Linear))]
    if wrong or not found:
        what = f"also {wrong[0]!r}" if wrong else "nothing"
        raise DeclarationError(
            f"encoder_modules of {declared.name} names {what}; on the track lora-all it must match, in full,"
            f" linear layers of {within[:-1]}. It is: {declared.encoder_modules}"
        )


def part_of(name: str, family: Family) -> str:
    """The part that a parameter belongs to, as `Stage(trains=...)` names it.

    Args:
        name: The parameter's name, with or without peft's wrapper.
        family: The model's family.
    """
    parts = family.parts
    if parts.projector and f"{parts.projector}." in name:
        return "projector"
    return "encoder" if f"{parts.tower}." in name else "lm"


def train_parts(learnable: Mapping[str, nn.Parameter], trains: Sequence[str], family: Family) -> None:
    """Let some parts learn, and freeze the others for now.

    Args:
        learnable: All that learns on the track, by parameter name.
        trains: The parts; empty for all.
        family: The model's family.
    """
    for name, parameter in learnable.items():
        parameter.requires_grad_(not trains or part_of(name, family) in trains)
        parameter.grad = None


def learning(model: nn.Module) -> dict[str, nn.Parameter]:
    """The trainable parameters by name."""
    return {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}


def save_learnt(model: Any, processor: Any, declared: Model, dtype: torch.dtype, folder: Path) -> None:
    """Save the trained weights to `folder`: in peft's layout, or a full checkpoint on the track `full`.

    Args:
        model: What `open_track` gave.
        processor: Written beside a whole checkpoint, so that the folder serves as a model.
        declared: The model's declaration.
        dtype: Type in which a whole checkpoint is written; adapters stay in float32.
        folder: Exists and is empty.
    """
    from peft import PeftModel

    if isinstance(model, PeftModel):
        # peft would ask the Hub whether the vocabulary grew; embeddings never learn here.
        model.save_pretrained(str(folder), save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)
        return
    # Through main memory: beside the optimiser's state a GPU may have no room for another copy.
    weights = {
        name: tensor.detach().to(device="cpu", dtype=dtype) for name, tensor in model.state_dict().items()
    }
    kept = model.config.dtype
    model.config.dtype = dtype
    try:
        model.save_pretrained(str(folder), state_dict=weights)
    finally:
        model.config.dtype = kept
    processor.save_pretrained(str(folder))
