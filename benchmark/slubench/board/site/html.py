"""Addresses of pages within the site, and JSON for scripts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import Any

from slubench.board.panel import Panel, representative
from slubench.domain.strategy import NAME


def run_link(page: str) -> str:
    """Address of a run's page, from the site's root."""
    return f"run.html#{page}"


def strategy_link(name: str) -> str:
    """Address of a strategy's page; an invalid name, which score files may hold, is hashed."""
    stem = name if len(name) <= 64 and NAME.fullmatch(name) else f"x-{sha256(name.encode()).hexdigest()[:12]}"
    return f"strategies/{stem}.html"


def runs_behind(panel: Panel, row: Any) -> Sequence[str]:
    """The pages of the runs behind a row of a table: those of its cell, or of the cell that it is about."""
    if known := getattr(row, "runs", ()):
        return tuple(known)
    strategy, speech = getattr(row, "strategy", None), getattr(row, "speech", None)
    cells = [cell for cell in panel.cells if cell.strategy == strategy]
    wanted = [cell for cell in cells if cell.speech == speech] or [
        cell for cell in cells if not cell.uses_speech
    ]
    shown = representative(wanted)
    return shown.runs if speech is not None and shown is not None else ()


# `<` ends a script element early or opens a comment in it; the two separators end a line of JavaScript.
_ESCAPES = {letter: f"\\u{ord(letter):04x}" for letter in "<>&\u2028\u2029"}


def script_json(content: Any) -> str:
    """`content` as JSON that holds no `<`, `>`, `&` or line separator.

    Raises:
        ValueError: A number in it is not finite.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter, escape in _ESCAPES.items():  # far quicker than translate, as most texts hold none of them
        text = text.replace(letter, escape)
    return text
