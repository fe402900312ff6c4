"""Encodes clips with the audio encoder, and caches the outputs of a frozen one.

A frozen tower's output for a clip never changes, so it is computed once and kept, in memory within a budget
and on disk beside the clips, for every epoch, strategy and seed. It is the very tensor that the tower gives.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import threading
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from slubench.data.clips import ClipStore
from slubench.train.device import Device
from slubench.train.features import ClipFeatures, Memory

DISK_KEPT_FREE = 5 * 2**30


class AudioEncoder(Protocol):
    """Encodes clips into audio tokens of the encoder's width."""

    def prepare(self, keys: Sequence[str], threads: int) -> None:
        """Prepare clips that are needed now, on several threads."""
        ...

    def count(self, key: str) -> int:
        """The number of audio tokens of a clip."""
        ...

    def hear(self, keys: Sequence[str]) -> list[Tensor]:
        """The encoder's output for clips, one tensor (audio tokens, width) each, on the device."""
        ...


class TrainedEncoder:
    """Encodes clips with an encoder that is trained: its output is part of the graph and is never cached."""

    def __init__(self, tower: Any, features: ClipFeatures) -> None:
        self._tower = tower
        self._features = features

    def prepare(self, keys: Sequence[str], threads: int) -> None:
        """Compute the features of clips."""
        _each(self._features.of, keys, threads)

    def count(self, key: str) -> int:
        """The number of audio tokens of a clip."""
        return self._features.audio_tokens(key)

    def hear(self, keys: Sequence[str]) -> list[Tensor]:
        """The encoder's output for clips, with gradient."""
        return self._features.family.encode(self._tower, self._features.batch(keys)) if keys else []


class CachedEncoder:
    """Encodes clips with a frozen encoder: each clip is encoded once.

    Args:
        tower: The audio encoder, frozen.
        features: Features of clips.
        device: Where the tower is.
        order: Keys of the run's clips in the order in which they are heard first, so that clips soon
            needed are heard in one batch with the one that is needed now.
        folder: Where outputs are kept on disk, or None.
        budget: Most bytes kept in memory.
        together: Most clips heard in one batch. The default is 1 on a CPU, where a batch gains little and a
            clip's output then has the same bits whatever was heard before; 32 on a GPU.
    """

    def __init__(
        self,
        tower: Any,
        features: ClipFeatures,
        device: Device,
        order: Sequence[str],
        folder: Path | None,
        budget: int,
        together: int | None = None,
    ) -> None:
        self._tower = tower.eval()
        self._features = features
        self._device = device
        self._order = tuple(order)
        self._place = {key: place for place, key in enumerate(self._order)}
        self._folder = folder
        self._memory = Memory(budget)
        self._together = together or (32 if device.is_gpu else 1)

    def prepare(self, keys: Sequence[str], threads: int) -> None:
        """Encode clips that are not cached yet."""
        _each(self._output, [key for key in keys if self._kept(key) is None], threads)

    def count(self, key: str) -> int:
        """The number of audio tokens of a clip."""
        return self._features.audio_tokens(key)

    def hear(self, keys: Sequence[str]) -> list[Tensor]:
        """The encoder's output for clips, without gradient."""
        return [self._output(key).to(self._device.where, non_blocking=True) for key in keys]

    def _output(self, key: str) -> Tensor:
        output = self._kept(key)
        return self._hear_now(self._with_coming(key))[0] if output is None else output

    def _kept(self, key: str) -> Tensor | None:
        kept = self._memory.get(key)
        if kept is None and self._folder is not None and (path := self._path(key)).exists():
            kept = read_kept(path)
            if kept is None:
                return None
            self._memory.put(key, kept)
        return None if kept is None else kept["heard"]

    def _with_coming(self, key: str) -> list[str]:
        """The clip and the next ones that are not cached, at most one batch."""
        keys = [key]
        place = self._place.get(key)
        if place is not None:
            for coming in self._order[place + 1 : place + 8 * self._together]:
                if len(keys) == self._together:
                    break
                if self._memory.get(coming) is None and not self._path(coming).exists():
                    keys.append(coming)
        return keys

    def _hear_now(self, keys: Sequence[str]) -> list[Tensor]:
        # Outside autocast, which would give other numbers than the tower's own type does.
        with torch.no_grad(), torch.autocast(self._device.where.type, enabled=False):
            outputs = [
                output.to("cpu", copy=True)
                for output in self._features.family.encode(self._tower, self._features.batch(keys))
            ]
        room = self._folder is not None and shutil.disk_usage(self._folder).free > DISK_KEPT_FREE
        for key, output in zip(keys, outputs, strict=True):
            self._memory.put(key, {"heard": output})
            if room:
                path = self._path(key)
                path.parent.mkdir(exist_ok=True)
                temporary = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}.tmp")
                save_file({"heard": output}, temporary, metadata={"crc32": checksum(output)})
                temporary.replace(path)
        return outputs

    def _path(self, key: str) -> Path:
        return (self._folder or Path(os.devnull)) / key[:2] / f"{key}.safetensors"


def checksum(output: Tensor) -> str:
    """The CRC-32 of a tensor's bytes."""
    return f"{zlib.crc32(output.detach().contiguous().view(torch.uint8).numpy().data):08x}"


def read_kept(path: Path) -> dict[str, Tensor] | None:
    """A cached output; None if the file is damaged, so that the clip is encoded again."""
    try:
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get("crc32")
            output: Tensor = file.get_tensor("heard")
    except (SafetensorError, OSError, KeyError):
        return None
    # Outputs of earlier versions have no checksum.
    return {"heard": output} if told is None or told == checksum(output) else None


def _each(function: Callable[[str], object], keys: Sequence[str], threads: int) -> None:
    keys = tuple(dict.fromkeys(keys))
    if threads > 1 and len(keys) > 1:
        with ThreadPoolExecutor(threads) as pool:
            for _ in pool.map(function, keys):
                pass
    else:
        for key in keys:
            function(key)


def tower_identity(tower: Any, extractor: Any, store: ClipStore, device: Device) -> str:
    """A 16-digit hash of what an encoder's output depends on besides the clip."""
    digest = hashlib.sha256()
    for name, tensor in tower.state_dict().items():
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
    setting = [extractor.to_dict(), store.sampling_rate, store.max_seconds, str(device.dtype)]
    digest.update(json.dumps([*setting, device.where.type], sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]
