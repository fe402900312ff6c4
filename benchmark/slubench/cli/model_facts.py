"""What `slubench show MODEL` tells of a declared model or of a checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from slubench.domain.footprint import USABLE, told, training_bytes
from slubench.domain.model import Model
from slubench.domain.peft_method import TRACKS
from slubench.registry import Registry


def model_facts(model: Model, registry: Registry) -> dict[str, Any]:
    """All that is declared of a model, what its family says, and what it needs by estimate."""
    family = registry.family(model.family, model.name)
    lacking = [track for track in TRACKS if track not in model.tracks]
    return {
        "kind": "model",
        **asdict(model),
        "model_types": list(family.model_types),
        "parts": {name: part for name, part in asdict(family.parts).items() if part},
        "tracks without a recipe": lacking,
        "serving": serving(model),
        "memory": memory(model),
        "file": registry.origin(model),
    }


def serving(model: Model) -> str:
    """Which engines serve it, and how an adapter is carried."""
    if model.vllm_architecture:
        return f"vLLM, live or merged ({model.vllm_architecture}); transformers"
    if model.stock_vllm:
        return "vLLM, adapters merged; transformers"
    return "transformers alone"


def memory(model: Model) -> dict[str, str]:
    """GPU memory that training takes at least, by estimate, and on which cards it could fit."""
    if not model.parameters:
        return {"estimate": "the number of parameters is not declared"}
    needed = {track: training_bytes(model, track) for track in model.tracks}

    def cards(size: int) -> str:
        fits = [f"{card} GB" for card in (24, 48, 80) if size < USABLE * card * 10**9]
        return f"about {told(size)} or more by estimate: {', '.join(fits) or 'no card of 80 GB'}"

    return {track: cards(size) for track, size in needed.items()}
