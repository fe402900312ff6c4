"""The LoRA configuration that a model's recipe gives, as peft names its values; no heavy import."""

from __future__ import annotations

from typing import Any

from slubench.domain.model import Model


def lora_config(model: Model, track: str) -> dict[str, Any]:
    """What an adapter trained on a track has in its config, for training it and for reading its weights.

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
