"""The architectures that this package adds to vLLM, under their own names, imported on first use."""

from __future__ import annotations

import logging
from importlib import import_module
from typing import Any

from slubench.domain.family import Vllm
from slubench.errors import SlubenchError
from slubench.registry import Registry


def register() -> None:
    """Register the families' own architectures; called by vLLM's entry point `vllm.general_plugins`.

    No architecture of vLLM's own is touched, none of the classes is imported, and calling it again
    changes nothing.
    """
    from vllm import ModelRegistry

    known = ModelRegistry.models
    try:
        families = Registry().families.values()
    except SlubenchError as error:
        # Whoever uses vLLM without slubench must not be stopped by somebody's broken plugin.
        logging.getLogger(__name__).warning("no model family was registered: %s", error)
        return
    for family in families:
        way = family.vllm
        if way is not None and isinstance(way.own_class, str) and way.architecture not in ("", *known):
            ModelRegistry.register_model(way.architecture, way.own_class)


def own_class(way: Vllm) -> Any:
    """The class that serves a family's adapters as live LoRA."""
    if not isinstance(way.own_class, str):
        return way.own_class()
    module, _, name = way.own_class.partition(":")
    return getattr(import_module(module), name)
