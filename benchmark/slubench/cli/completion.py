"""Completes names of tasks, strategies and models in a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from slubench.registry import Registry


def _completing(names: Callable[[Registry], Iterable[str]]) -> Callable[[str], list[str]]:
    def complete(incomplete: str) -> list[str]:
        from slubench.errors import SlubenchError
        from slubench.registry import Registry
        from slubench.runtime.home import find_home

        # `sweep` takes several names: the last is completed.
        before, comma, begun = incomplete.rpartition(",")
        try:
            found = sorted(names(Registry(find_home().root)))
        except (SlubenchError, OSError):
            return []
        return [f"{before}{comma}{name}" for name in found if name.startswith(begun)]

    return complete


complete_task = _completing(lambda registry: registry.tasks)
complete_strategy = _completing(lambda registry: registry.strategies)
complete_model = _completing(lambda registry: registry.models)
complete_name = _completing(lambda registry: [*registry.tasks, *registry.strategies, *registry.models])
