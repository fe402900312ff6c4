"""Reads an adapter's files to decide whether it is served as live LoRA or merged, and why.

What vLLM does with adapters it can't carry (seen on 0.32): parts on the audio tower, the projector or the
output head are dropped in silence, or the engine hangs or dies. So all of them are told apart here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slubench.domain.model import Model
from slubench.errors import DataError, MissingError
from slubench.runtime.files import read_object

PREFIX: Final = "base_model.model."
WEIGHTS: Final = "adapter_model.safetensors"
PICKLED: Final = ("adapter_model.bin", "adapter_model.pt", "pytorch_model.bin")
# vLLM's `max_lora_rank` takes these values and no others.
RANKS: Final = (8, 16, 32, 64, 128, 256, 320, 512)
# Ways of starting that leave the base's weights as they are; the others change them when peft loads.
HARMLESS_STARTS: Final = (True, False, None, "gaussian", "eva", "orthogonal", "lora_ga")
# Entries of adapter_config.json that change what an adapter computes and that vLLM knows nothing of.
UNCARRIED: Final = {
    "use_dora": "DoRA",
    "modules_to_save": "fully trained modules (modules_to_save)",
    "lora_bias": "LoRA biases",
    "layer_replication": "replicated layers",
    "alora_invocation_tokens": "activated LoRA",
    "use_bdlora": "block-diagonal LoRA",
    "use_qalora": "QALoRA",
    "trainable_token_indices": "trained token embeddings",
    "target_parameters": "LoRA on bare parameters",
}


@dataclass(frozen=True)
class AdapterFiles:
    """The description of an adapter.

    Attributes:
        folder: Where it lies, in peft's layout.
        rank: The largest rank among its matrices.
        obstacles: Why live LoRA can't carry it, a phrase each; empty where it can.
        plain: Whether it is additive LoRA alone, so that the base is as it was once it is taken off.
    """

    folder: Path
    rank: int
    obstacles: tuple[str, ...]
    plain: bool

    @property
    def live(self) -> bool:
        """Whether it can be served as live LoRA."""
        return not self.obstacles

    @property
    def max_lora_rank(self) -> int:
        """The `max_lora_rank` that it needs in vLLM."""
        return next(rank for rank in RANKS if rank >= self.rank)


def inspect(folder: Path, model: Model) -> AdapterFiles:
    """Read an adapter's config and the header of its weights.

    Args:
        folder: In peft's layout.
        model: The model it was trained on: its `lora_modules` are what live LoRA may touch.

    Raises:
        MissingError: The folder or one of its two files is not there.
        DataError: The weights are pickled, or the files cannot be read, or hold no weights.
    """
    config = _config(folder)
    shapes = _shapes(folder)
    targets: dict[str, int] = {}
    obstacles = [words for entry, words in UNCARRIED.items() if config.get(entry)]
    if (kind := config.get("peft_type", "LORA")) != "LORA":
        obstacles.append(f"a peft adapter of type {kind}")
    if config.get("bias", "none") != "none":
        obstacles.append(f"trained biases (bias={config['bias']!r})")
    if (start := config.get("init_lora_weights", True)) not in HARMLESS_STARTS:
        obstacles.append(f"an initialisation that changes the base's weights ({start})")
    others = set()
    for name, shape in shapes.items():
        module, found, matrix = name.removeprefix(PREFIX).rpartition(".lora_")
        if found and matrix == "A.weight":
            targets[module] = shape[0]
        elif not found or matrix != "B.weight":
            others.add(name.removeprefix(PREFIX).rpartition(".")[0])
    plain = not obstacles and not others
    strangers = sorted({_generic(name) for name in targets if not re.fullmatch(model.lora_modules, name)})
    if strangers:
        obstacles.append(f"LoRA outside the language model's linear layers ({_few(strangers)})")
    if others and not obstacles:
        obstacles.append(f"weights that are not LoRA matrices ({_few(sorted(map(_generic, others)))})")
    rank = max(targets.values(), default=0)
    if rank > RANKS[-1]:
        obstacles.append(f"rank {rank}, above vLLM's limit of {RANKS[-1]}")
    return AdapterFiles(folder, rank, tuple(obstacles), plain)


def names(folder: Path) -> frozenset[str]:
    """The names of the adapter's tensors."""
    return frozenset(_shapes(folder))


def _config(folder: Path) -> Mapping[str, Any]:
    path = folder / "adapter_config.json"
    if not path.exists():
        raise MissingError(f"{folder} is not an adapter: adapter_config.json is missing.")
    return read_object(path)


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    from safetensors import SafetensorError, safe_open

    path = folder / WEIGHTS
    if not path.exists():
        pickled = next((name for name in PICKLED if (folder / name).exists()), None)
        if pickled:
            raise DataError(
                f"{folder / pickled} is pickled and is refused, since reading it can run code. "
                "Save the adapter with save_pretrained(..., safe_serialization=True)."
            )
        raise MissingError(f"{folder} has no {WEIGHTS}.")
    try:
        with safe_open(path, framework="numpy") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise DataError(f"{path} cannot be read ({error}).") from None
    if not shapes:
        raise DataError(f"{path} contains no weights.")
    return shapes


def _generic(module: str) -> str:
    return re.sub(r"\.\d+(?=\.|$)", ".*", module)


def _few(names: list[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
