"""Merges an adapter into its base model, once, for engines that cannot serve it as LoRA."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import torch

from slubench.domain.family import Family
from slubench.errors import DataError
from slubench.runtime.private_folders import building, own_name, remove, remove_abandoned_merges
from slubench.serve.checkpoint import fingerprint
from slubench.serve.engine import read_processor
from slubench.serve.transformers_engine import attach, load, place, release


def merge(checkpoint: Path, adapter: Path, folder: Path, family: Family) -> Path:
    """The folder of the base's weights with the adapter merged in, written once by this process.

    It appears whole or not at all, under a name that changes with either file and is this process's own.

    Args:
        checkpoint: The base's folder.
        adapter: In peft's layout.
        folder: Where merged weights are kept.
        family: The base's family; tells by which names vLLM reads the weights.

    Raises:
        DataError: The adapter does not fit the base, holds NaN, or is of a kind that can't be merged.
    """
    device, dtype = place()
    kind = f"{fingerprint(checkpoint, adapter)}-{str(dtype).removeprefix('torch.')}"
    out = folder / own_name(f"merged-{kind}")
    if out.exists():
        return out
    remove_abandoned_merges([folder])
    try:
        with building(out) as temporary:
            _merge_into(temporary, checkpoint, adapter, device, dtype, family)
    finally:
        release()
    return out


def _merge_into(
    temporary: Path, checkpoint: Path, adapter: Path, device: str, dtype: torch.dtype, family: Family
) -> None:
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


def discard(folder: Path) -> None:
    """Remove the merged weights of this process and of ended processes in a folder.

    They are large, and made again when they are wanted. Another process's stay.
    """
    for merged in folder.glob(own_name("merged-*")):
        remove(merged)
    remove_abandoned_merges([folder])


def rename(checkpoint: Path, prefixes: Mapping[str, str]) -> None:
    """Rename the weights of a checkpoint in place.

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
