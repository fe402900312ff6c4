"""Merging an adapter into its base, once, for engines that can't carry it beside."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from slubench.domain.family import Family
from slubench.errors import DataError
from slubench.serve.checkpoint import fingerprint
from slubench.serve.engine import read_processor
from slubench.serve.transformers_engine import attach, load, place, release


def merge(checkpoint: Path, adapter: Path, folder: Path, family: Family) -> Path:
    """Give the folder of the base's weights with the adapter merged in, made unless it is there.

    It appears whole or not at all, under a name that changes with either file.

    Args:
        checkpoint: The base's folder.
        adapter: In peft's layout.
        folder: Where merged weights are kept.
        family: The base's family; tells by which names vLLM reads the weights.

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
        adapted = attach(load(checkpoint, device, dtype, family), adapter)
        try:
            merged = adapted.merge_and_unload(safe_merge=True)
        # peft's three ways to refuse: NaN in the merge or a layer that can't take it; a tuner that does not
        # implement it; prompt learning, whose models lack the method.
        except (ValueError, NotImplementedError, AttributeError) as error:
            raise DataError(f"The adapter {adapter} cannot be merged: {error}") from error
        merged.save_pretrained(temporary)
        read_processor(checkpoint, family).save_pretrained(temporary)
        if family.vllm is not None:
            rename(temporary, family.vllm.renamed)
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


def rename(checkpoint: Path, prefixes: Mapping[str, str]) -> None:
    """Give the weights of a checkpoint the names that another program reads, in place.

    Args:
        checkpoint: Its folder.
        prefixes: Prefixes of names as they are, each with the prefix that is wanted.
    """
    from safetensors import safe_open
    from safetensors.torch import load_file, save_file

    def renamed(name: str) -> str:
        for old, new in prefixes.items():
            if name.startswith(old):
                return new + name.removeprefix(old)
        return name

    for path in checkpoint.glob("*.safetensors"):
        with safe_open(path, framework="numpy") as file:
            changes = any(renamed(name) != name for name in file.keys())  # noqa: SIM118
        if changes:
            weights = {renamed(name): weight for name, weight in load_file(path).items()}
            save_file(weights, path, metadata={"format": "pt"})
    index = checkpoint / "model.safetensors.index.json"
    if index.exists():
        content = json.loads(index.read_text("utf-8"))
        content["weight_map"] = {renamed(name): shard for name, shard in content["weight_map"].items()}
        index.write_text(json.dumps(content, indent=2), "utf-8")
