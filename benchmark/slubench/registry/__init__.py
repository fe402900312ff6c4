"""Finds declarations by name, and adapters by their cards; `kinds` lists the kinds of declarations."""

from slubench.registry.load import kind_of_file
from slubench.registry.registry import Registry, strategy_in

__all__ = ["Registry", "kind_of_file", "strategy_in"]
