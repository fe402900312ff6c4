"""Log-mels of clips, and the memory that keeps tensors within a budget."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from slubench.data.clips import ClipStore
from slubench.errors import MissingError


class Memory:
    """The tensors used last, within a budget of bytes; several threads may use it at once."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._held = 0
        self._tensors: OrderedDict[str, Tensor] = OrderedDict()

    def get(self, key: str) -> Tensor | None:
        """The tensor kept under that key, or None."""
        with self._lock:
            tensor = self._tensors.get(key)
            if tensor is not None:
                self._tensors.move_to_end(key)
            return tensor

    def put(self, key: str, tensor: Tensor) -> None:
        """Keep a tensor, and drop those used longest ago where the budget does not suffice."""
        with self._lock:
            before = self._tensors.pop(key, None)
            self._held += tensor.nbytes - (before.nbytes if before is not None else 0)
            self._tensors[key] = tensor
            while self._held > self._budget and len(self._tensors) > 1:
                _, dropped = self._tensors.popitem(last=False)
                self._held -= dropped.nbytes


class LogMels:
    """Log-mels of clips, the latest kept in memory."""

    def __init__(self, store: ClipStore, extractor: Any, budget: int) -> None:
        self._store = store
        self._extractor = extractor
        self._memory = Memory(budget)

    def of(self, key: str) -> tuple[Tensor, int]:
        """A clip's log-mels, shape (bins, window) in float32, and how many frames of them are sound.

        Raises:
            MissingError: The clip is not in the store.
        """
        mel = self._memory.get(key)
        if mel is None:
            try:
                samples = self._store.load(key)
            except FileNotFoundError as error:
                raise MissingError(
                    f"The clip {key} is not in {self._store.folder}; it was removed after the run was"
                    " planned. Run the same command again to prepare it."
                ) from error
            made = self._extractor(
                [samples],
                sampling_rate=self._store.sampling_rate,
                padding="max_length",
                return_attention_mask=True,
                return_tensors="pt",
            )
            # The mask travels as one more row, so that one tensor holds a clip.
            mask = made["attention_mask"].to(torch.float32)
            mel = torch.cat([made["input_features"][0], mask])
            self._memory.put(key, mel)
        return mel[:-1], int(mel[-1].sum())

    def batch(self, keys: Sequence[str], device: torch.device) -> tuple[Tensor, Tensor]:
        """Log-mels of clips, (clips, bins, window), and their frames, (clips,), on `device`."""
        made = [self.of(key) for key in keys]
        mels = torch.stack([mel for mel, _ in made]).to(device, non_blocking=True)
        return mels, torch.tensor([frames for _, frames in made], device=device)


def memory_budget() -> int:
    """A quarter of the free main memory in bytes."""
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4
