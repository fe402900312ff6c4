"""Whether this machine can train and serve a model, told before anything is fetched or loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable

from slubench.domain.footprint import USABLE, serving_bytes, told, training_bytes
from slubench.domain.model import Model
from slubench.errors import MissingError
from slubench.runtime import gpu
from slubench.runtime.engines import has_cuda
from slubench.runtime.memory import usable_memory


def require_gpu(model: Model) -> None:
    """Refuse a model that needs a GPU where torch can use none.

    Raises:
        MissingError: There is none, or torch cannot use it; says what to do.
    """
    if not model.needs_gpu:
        return
    if trouble := gpu.trouble_with_gpu():
        raise MissingError(f"{model.name} needs a CUDA GPU. {trouble}")
    if not has_cuda():
        raise MissingError(
            f"{model.name} needs a CUDA GPU, and none was found (looked for with libcuda;"
            f" CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')})."
            " Meanwhile `--edition mini` runs on any machine, and `--model tiny` on any corpus."
        )


def require_memory(model: Model, track: str, models: Iterable[Model] = (), *, trains: bool = True) -> None:
    """Refuse a model that cannot fit, by estimate, and name what would.

    Args:
        model: The model.
        track: Which parts are trained.
        models: Declared models, of which smaller ones are named.
        trains: Whether it is trained or only predicts.

    Raises:
        MissingError: The memory is too small, or other processes hold it.
    """
    needed = training_bytes(model, track) if trains else serving_bytes(model)
    total, place = capacity(model)
    if total is None or not needed:
        return
    doing = f"Training {model.name} on the track {track}" if trains else f"Predicting with {model.name}"
    if needed > total * USABLE:
        raise MissingError(
            f"{doing} takes {told(needed)} or more by estimate; {place} has {told(total)}."
            f" {_what_fits(model, track, total, models)}"
        )
    free = _free(model)
    if free is not None and needed > free:
        raise MissingError(
            f"{doing} takes {told(needed)} or more by estimate; {place} has {told(total)}, but other"
            f" processes leave {told(free)} free. End them (nvidia-smi lists them), or choose another GPU"
            " with CUDA_VISIBLE_DEVICES, and run the same command again."
        )


def capacity(model: Model) -> tuple[int | None, str]:
    """The memory in bytes that a model would be trained in, and what has it; None where it is not known."""
    driver = gpu.find_driver()
    if driver is not None and driver.gpus and not gpu.trouble_with_gpu():
        first = driver.gpus[0]
        return first.total or None, first.name or "the GPU"
    if model.needs_gpu:
        return None, "the GPU"
    return usable_memory(), "this machine"


def why_not(model: Model, track: str = "lora-lm") -> str:
    """Why a model cannot be trained here, in a sentence; empty where it can."""
    try:
        require_gpu(model)
        require_memory(model, track)
    except MissingError as error:
        return str(error)
    return ""


def fitting_tracks(model: Model, total: int) -> list[str]:
    """The tracks of a model whose training fits into so much memory by estimate."""
    return [track for track in model.tracks if training_bytes(model, track) <= total * USABLE]


def _free(model: Model) -> int | None:
    driver = gpu.find_driver()
    return gpu.free_now() if model.needs_gpu and driver is not None and driver.gpus else None


def _what_fits(model: Model, track: str, total: int, models: Iterable[Model]) -> str:
    tracks = fitting_tracks(model, total)
    if tracks:
        fits = f"--track {tracks[0]} ({told(training_bytes(model, tracks[0]))})"
    else:
        smaller = [
            other
            for other in models
            if other.parameters and other.name != model.name and track in fitting_tracks(other, total)
        ]
        # The largest that fits.
        smaller.sort(key=lambda other: -other.parameters)
        if not smaller:
            return "No declared model fits; use a larger GPU, or `--edition mini`."
        named = [f"--model {one.name} ({told(training_bytes(one, track))})" for one in smaller[:3]]
        fits = " or ".join(named)
    return f"What fits here: {fits}."
