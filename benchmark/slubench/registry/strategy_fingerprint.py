"""Which strategy it is: one digest for all that is declared of it and all that its functions can reach."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import Final

from slubench.domain.strategy import Stage, Strategy
from slubench.errors import DeclarationError
from slubench.registry.function_source import function_source
from slubench.registry.static_read import Unreadable, read_strategy
from slubench.runtime.digest import digest

LATER: Final[Mapping[str, object]] = {"trains": (), "start": None, "average": ()}
"""Fields of a stage that were added later, with their defaults; a fingerprint holds what differs."""
_PARSING: Final = Lock()
"""Score files are read in several threads, and in CPython 3.11 `ast.parse` sometimes fails in two at once."""


def _later(stage: Stage) -> dict[str, object]:
    return {name: getattr(stage, name) for name, default in LATER.items() if getattr(stage, name) != default}


def strategy_fingerprint(strategy: Strategy) -> str:
    """The digest of a strategy; comments, docstrings and layout of its file are not in it.

    Raises:
        DeclarationError: What its functions can reach is not settled by source.
    """
    stages = [
        [
            int(stage.learns_from.value),
            stage.share,
            stage.rate,
            stage.passes,
            *(
                function_source(function) if function is not None else None
                for function in (stage.compose, stage.objective, stage.transform)
            ),
            *([later] if (later := _later(stage)) else []),
        ]
        for stage in strategy.stages
    ]
    own: list[object] = [function_source(strategy.choose)] if strategy.choose is not None else []
    own += ["unlabelled"] * strategy.unlabelled
    return digest([strategy.name, stages, strategy.track, strategy.ontology, *own])


def fingerprint_of_file(text: str, name: str, sha256: str) -> str | None:
    """The digest of the strategy that a file declares, unrun; None where that does not tell.

    Args:
        text: The file's text as it was kept.
        name: The strategy's name.
        sha256: Of the file; a text that was cut does not have it, and tells nothing.
    """
    if hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() != sha256:
        return None
    with _PARSING:
        return _read(text, name)


@lru_cache(maxsize=256)
def _read(text: str, name: str) -> str | None:
    try:
        return strategy_fingerprint(read_strategy(text, name))
    except (Unreadable, DeclarationError):
        return None
