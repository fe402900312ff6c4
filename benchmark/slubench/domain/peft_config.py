"""The config of an adapter by a model's recipe, in peft's terms, without a heavy import."""

from __future__ import annotations

from typing import Any

from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.domain.peft_method import PROJECTOR, split_track
from slubench.errors import UsageError


def peft_config(model: Model, track: str, family: Family) -> dict[str, Any]:
    """The config of an adapter on a track, for training and for loading its weights.

    `modules_to_save` are trained whole beside the adapter: the projector, on its track.

    Raises:
        UsageError: The track adapts nothing, or the model has no recipe for it.
    """
    method, base = split_track(track)
    if method is None:
        raise UsageError(f"The track {track} trains all weights and has no adapter.")
    recipe = model.recipe(track)
    targets = f"({model.lora_modules})|({encoder_modules(family)})" if method.encoder else model.lora_modules
    named = {method.rank: recipe.rank, method.alpha: recipe.alpha, method.dropout: recipe.dropout}
    return {
        **{name: value for name, value in named.items() if name},
        **method.more,
        "target_modules": targets,
        "modules_to_save": [model.projector] if base.endswith(PROJECTOR) else None,
    }


def encoder_modules(family: Family) -> str:
    """A regular expression of the linear layers of a Whisper-like encoder's blocks."""
    tower = family.parts.tower.replace(".", r"\.")
    return rf".*{tower}\.layers\.\d+\.(self_attn\.(q_proj|k_proj|v_proj|out_proj)|fc1|fc2)"
