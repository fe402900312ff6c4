"""Switches an adapter off in some of a model's modules, to see what they do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from slubench.serve.scored_reply import ALL


def adapter_layers(model: Any) -> dict[str, list[Any]]:
    """The layers that an adapter changes, by the last part of their name, as in `o_proj`; and all of them.

    Empty for a model without an adapter.
    """
    from peft.tuners.tuners_utils import BaseTunerLayer
    from peft.utils.other import AuxiliaryTrainingWrapper

    kinds: dict[str, list[Any]] = {}
    for name, module in model.named_modules():
        if isinstance(module, BaseTunerLayer | AuxiliaryTrainingWrapper):
            kinds.setdefault(name.rpartition(".")[2], []).append(module)
            kinds.setdefault(ALL, []).append(module)
    return kinds


@contextmanager
def switched_off(layers: Sequence[Any]) -> Iterator[None]:
    """Let the layers compute as the base model does while the block runs."""
    for layer in layers:
        layer.enable_adapters(False)
    try:
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)
