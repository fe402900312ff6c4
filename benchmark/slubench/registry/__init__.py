"""Names to declarations, and adapters to their cards. What is found where stands in `kinds`."""

from slubench.registry.load import kind_of_file
from slubench.registry.registry import Registry, strategy_in

__all__ = ["Registry", "kind_of_file", "strategy_in"]
