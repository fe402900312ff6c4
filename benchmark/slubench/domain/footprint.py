"""How much memory and disk a model needs, by estimate. Nothing of it was measured on large models."""

from __future__ import annotations

from slubench.domain.model import Model

GIBI = 2**30
BESIDE_WEIGHTS = 4 * GIBI
"""Bytes for one example at a time, an adapter and its optimiser's state."""
HALF = 2
"""Bytes of a parameter in bfloat16."""
FULL_TUNING = 16
"""Bytes of a parameter with its gradient and AdamW's two moments, all in float32."""
USABLE = 0.92
"""The share of the memory that counts: CUDA takes some, and memory is never without gaps."""


def training_bytes(model: Model, track: str) -> int:
    """Memory that training takes at least; 0 where the number of parameters is not known."""
    if not model.parameters:
        return 0
    if track == "full":
        return FULL_TUNING * model.parameters
    return serving_bytes(model) + (BESIDE_WEIGHTS // 2 if model.needs_gpu else 0)


def serving_bytes(model: Model) -> int:
    """Memory that prediction takes at least; 0 where the number of parameters is not known."""
    if not model.needs_gpu:
        # In float32, on a CPU.
        return 2 * HALF * model.parameters
    return HALF * model.parameters + BESIDE_WEIGHTS // 2 if model.parameters else 0


def saved_bytes(model: Model, track: str) -> int:
    """Disk that a training takes at least: checkpoints and what it saves; 0 for an adapter, which is small.

    A checkpoint on the track `full` holds weights and AdamW's two moments in float32. Two are kept while a
    third is written. The trained weights are saved in bfloat16.
    """
    return (3 * 12 + HALF) * model.parameters if track == "full" else 0


def merged_bytes(model: Model) -> int:
    """Disk that merged weights take while they are served."""
    return HALF * model.parameters


def told(size: float) -> str:
    """A size in GiB."""
    return f"{size / GIBI:.0f} GiB" if size >= 10 * GIBI else f"{size / GIBI:.1f} GiB"
