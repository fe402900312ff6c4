"""The LoRA configuration of a model's recipe, in peft's terms, without a heavy import."""

from __future__ import annotations

from typing import Any

from slubench.domain.model import Model


def lora_config(model: Model, track: str) -> dict[str, Any]:
    """The config of an adapter on a track, for training and for loading its weights.

    `modules_to_save` are trained whole beside LoRA: the projector, on its track.
    """
    recipe = model.recipe(track)
    return {
        "r": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": recipe.dropout,
        "target_modules": model.lora_modules,
        "modules_to_save": [model.projector] if track == "lora-lm+projector" else None,
    }
