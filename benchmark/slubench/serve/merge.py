"""Merging an adapter into its base, once, for engines that can't carry it beside."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Final

from slubench.errors import DataError
from slubench.serve.checkpoint import fingerprint
from slubench.serve.engine import read_processor
from slubench.serve.transformers_engine import attach, load, place, release

# transformers 5.17 saves a model that was built, rather than loaded, under doubled names, keeps them when it
# is loaded and saved again, and reads both; vLLM's own class reads the single ones.
DOUBLED: Final = "language_model.model.model."
SINGLE: Final = "language_model.model."


def merge(checkpoint: Path, adapter: Path, folder: Path) -> Path:
    """Give the folder of the base's weights with the adapter merged in, made unless it is there.

    It appears whole or not at all, under a name that changes with either file.

    Args:
        checkpoint: The base's folder.
        adapter: In peft's layout.
        folder: Where merged weights are kept.

    Raises:
        DataError: The adapter does not fit the base, holds NaN, or is of a kind that can't be merged.
    """
    device, dtype = place()
    out = folder / f"merged-{fingerprint(checkpoint, adapter)}-{str(dtype).removeprefix('torch.')}"
    if out.exists():
        return out
    temporary = folder / f".{out.name}.{os.getpid()}.tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        adapted = attach(load(checkpoint, device, dtype), adapter)
        try:
            merged = adapted.merge_and_unload(safe_merge=True)
        # peft's three ways to refuse: NaN in the merge or a layer that can't take it; a tuner that does not
        # implement it; prompt learning, whose models lack the method.
        except (ValueError, NotImplementedError, AttributeError) as error:
            raise DataError(f"The adapter {adapter} cannot be merged: {error}") from error
        merged.save_pretrained(temporary)
        read_processor(checkpoint).save_pretrained(temporary)
        undouble(temporary)
        temporary.rename(out)
        del adapted, merged
    finally:
        release()
        shutil.rmtree(temporary, ignore_errors=True)
    return out


def discard(folder: Path) -> None:
    """Remove the merged weights kept in a folder: they are large, and made again when they are wanted."""
    for merged in folder.glob("merged-*"):
        shutil.rmtree(merged)


def undouble(checkpoint: Path) -> None:
    """Give the weights of a checkpoint their single names, in place."""
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    for path in checkpoint.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            doubled = any(name.startswith(DOUBLED) for name in file.keys())  # noqa: SIM118
        if doubled:
            weights = {_single(name): weight for name, weight in load_file(path).items()}
            save_file(weights, path, metadata={"format": "pt"})
    index = checkpoint / "model.safetensors.index.json"
    if index.exists():
        content = json.loads(index.read_text("utf-8"))
        content["weight_map"] = {_single(name): shard for name, shard in content["weight_map"].items()}
        index.write_text(json.dumps(content, indent=2), "utf-8")


def _single(name: str) -> str:
    return SINGLE + name.removeprefix(DOUBLED) if name.startswith(DOUBLED) else name
