"""Computes features of clips, and caches tensors within a memory limit."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from slubench.data.clips import ClipStore
from slubench.domain.family import Family, Features
from slubench.errors import MissingError
from slubench.runtime.memory import free_memory


class Memory:
    """A thread-safe cache of the most recently used tensors, limited in bytes."""

    def __init__(self, budget: int) -> None:
        self._budget = budget
        self._lock = threading.Lock()
        self._held = 0
        self._tensors: OrderedDict[str, Features] = OrderedDict()

    def get(self, key: str) -> Features | None:
        """The cached tensors of that key, or None."""
        with self._lock:
            tensors = self._tensors.get(key)
            if tensors is not None:
                self._tensors.move_to_end(key)
            return tensors

    def put(self, key: str, tensors: Features) -> None:
        """Cache tensors, and drop the least recently used ones beyond the limit."""
        with self._lock:
            before = self._tensors.pop(key, None)
            self._held += _bytes(tensors) - (_bytes(before) if before is not None else 0)
            self._tensors[key] = tensors
            while self._held > self._budget and len(self._tensors) > 1:
                _, dropped = self._tensors.popitem(last=False)
                self._held -= _bytes(dropped)


def _bytes(tensors: Features) -> int:
    return sum(tensor.nbytes for tensor in tensors.values())


class ClipFeatures:
    """Computes features of clips with a family's feature extractor; recent ones are cached."""

    def __init__(self, store: ClipStore, family: Family, extractor: Any, budget: int) -> None:
        self.family = family
        self._store = store
        self._extractor = extractor
        self._memory = Memory(budget)
        self._tokens: dict[str, int] = {}

    def of(self, key: str) -> Features:
        """A clip's features.

        Raises:
            MissingError: The clip is not in the store.
        """
        made = self._memory.get(key)
        if made is None:
            try:
                samples = self._store.load(key)
            except FileNotFoundError as error:
                raise self._gone(key) from error
            made = self.family.features(self._extractor, samples, self._store.sampling_rate)
            self._memory.put(key, made)
        return made

    def batch(self, keys: Sequence[str]) -> list[Features]:
        """The features of clips in order."""
        return [self.of(key) for key in keys]

    def audio_tokens(self, key: str) -> int:
        """The number of audio tokens of a clip, from its length.

        Raises:
            MissingError: The clip is not in the store.
        """
        if key not in self._tokens:
            try:
                samples = round(self._store.seconds(key) * self._store.sampling_rate)
            except FileNotFoundError as error:
                raise self._gone(key) from error
            self._tokens[key] = self.family.audio_tokens(self._extractor, samples)
        return self._tokens[key]

    def _gone(self, key: str) -> MissingError:
        return MissingError(
            f"The clip {key} is not in {self._store.folder}; it was removed after planning. Run the same"
            " command again to prepare it."
        )


def memory_budget() -> int:
    """A quarter of the free memory in bytes, within the limits of control groups and SLURM."""
    return free_memory() // 4
