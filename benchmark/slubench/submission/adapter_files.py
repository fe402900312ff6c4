"""Writes the files that an engine needs beside untrusted weights, all from the declared model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from slubench.domain.model import Model
from slubench.domain.peft_config import peft_config
from slubench.domain.peft_method import split_track
from slubench.registry.weights import locate
from slubench.runtime.digest import Digests


def dress(folder: Path, model: Model, track: str, digests: Digests) -> None:
    """Write the config of an adapter, or what belongs to a whole checkpoint, beside its weights.

    Args:
        folder: Holds the weights in safetensors.
        model: What was trained.
        track: Which parts learnt.
        digests: Digests of the model's files.

    Raises:
        MissingError: The model's own files are not here.
    """
    if track == "full":
        _complete(folder, model, digests)
        return
    method, _ = split_track(track)
    config = {
        "peft_type": method.kind if method else "LORA",
        "base_model_name_or_path": None,
        **peft_config(model, track),
        **({"bias": "none"} if method and method.kind == "LORA" else {}),
        "inference_mode": True,
    }
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=1), "utf-8")


def _complete(folder: Path, model: Model, digests: Digests) -> None:
    """Lay the base model's own config, tokenizer and processor beside a whole checkpoint's weights."""
    located, _ = locate(model, digests)
    for path in Path(located.repository).iterdir():
        if path.suffix in (".json", ".jinja", ".txt") and not path.name.endswith(".index.json"):
            shutil.copyfile(path, folder / path.name)
    parts = sorted(folder.glob("*.safetensors"))
    if len(parts) > 1:
        places = {name: part.name for part in parts for name in tensors(part)}
        index = json.dumps({"metadata": {}, "weight_map": places})
        (folder / "model.safetensors.index.json").write_text(index, "utf-8")


def tensors(path: Path) -> list[str]:
    """The names of the tensors of a safetensors file.

    Raises:
        SafetensorError: It is none.
    """
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as weights:
        return list(weights.keys())
