"""The LoRA configuration of a model's recipe, in peft's terms, without a heavy import."""

from __future__ import annotations

from typing import Any

from slubench.domain.model import Model


def lora_config(model: Model, track: str) -> dict[str, Any]:
    """The config of an adapter on a track, for training and for loading its weights.

    `modules_to_save` are trained whole beside LoRA: the projector, on its track.
    """
    recipe = model.recipe(track)
    modules = model.lora_modules
    if track == "lora-all":
        modules = f"({modules})|({model.encoder_modules})"
    whole = track in ("lora-lm+projector", "lora-all") and model.projector
    return {
        "r": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": recipe.dropout,
        "target_modules": modules,
        "modules_to_save": [model.projector] if whole else None,
    }
