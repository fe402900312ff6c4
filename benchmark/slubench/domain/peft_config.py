"""The config of an adapter by a model's recipe, in peft's terms, without a heavy import."""

from __future__ import annotations

from typing import Any

from slubench.domain.model import Model, parts_of
from slubench.domain.peft_method import split_track
from slubench.errors import UsageError


def peft_config(model: Model, track: str) -> dict[str, Any]:
    """The config of an adapter on a track, for training and for loading its weights.

    `modules_to_save` are trained whole beside the adapter: the projector, on its track.

    Raises:
        UsageError: The track adapts nothing, or the model has no recipe for it.
    """
    method, base = split_track(track)
    if method is None:
        raise UsageError(f"The track {track} trains all weights and has no adapter.")
    recipe = model.recipe(track)
    targets = model.lora_modules
    if base == "lora-all":
        targets = f"({targets})|({model.encoder_modules})"
    named = {method.rank: recipe.rank, method.alpha: recipe.alpha, method.dropout: recipe.dropout}
    whole = "projector" in parts_of(track) and model.projector
    return {
        **{name: value for name, value in named.items() if name},
        **method.more,
        "target_modules": targets,
        "modules_to_save": [model.projector] if whole else None,
    }
