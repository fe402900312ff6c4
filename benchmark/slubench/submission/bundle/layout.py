"""The files of a bundle: names and maximum sizes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from slubench import schemas

BUNDLE_VERSION: Final = 1
MANIFEST: Final = "manifest.json"
ENVIRONMENT: Final = "environment.json"
CARD: Final = "card.json"
REPORT: Final = "report.json"
SCORES: Final = "scores.parquet"
REPLIES: Final = "replies.parquet"
EXAMPLES_FILE: Final = "lessons.parquet"
OF_A_RUN: Final = (CARD, REPORT, SCORES, REPLIES, EXAMPLES_FILE)

TIERS: Final = tuple(tier for tier in schemas.TIERS if tier != "local")
"""The tiers of what is handed in, lowest first."""

MEBI: Final = 2**20
MOST_FILES: Final = 20_000
MOST_RUNS: Final = 2_000
DEEPEST: Final = 4
REPLY_LENGTH: Final = 20_000
"""Maximum characters of a reply; models generate at most some hundred tokens."""
SLOTS: Final = 400
"""Slots of a reply; one takes some five tokens."""
SLOT_TYPES: Final = 200
"""Different types of slots of a reply; the corpora have some sixty."""
DEEPEST_JSON: Final = 20
"""Nesting of a file of JSON; a card has six levels."""
MOST_VALUES: Final = 500_000
"""Of a file of JSON."""

_STEM = r"[a-z0-9][A-Za-z0-9.+_-]{0,250}"


@dataclass(frozen=True)
class FileKind:
    """A kind of file that may be in a bundle.

    Attributes:
        pattern: Its path below the bundle, in full.
        most: Bytes that it may have.
        rows: Rows that it may have, for Parquet.
    """

    pattern: re.Pattern[str]
    most: int
    rows: int = 0


def _kind(pattern: str, most: int, rows: int = 0) -> FileKind:
    return FileKind(re.compile(pattern), most, rows)


KINDS: Final = (
    _kind(re.escape(MANIFEST), 16 * MEBI),
    _kind(re.escape(ENVIRONMENT), MEBI),
    _kind(rf"strategies/{_STEM}\.py", MEBI // 4),
    _kind(rf"runs/{_STEM}/{re.escape(CARD)}", 8 * MEBI),
    _kind(rf"runs/{_STEM}/{re.escape(REPORT)}", MEBI),
    _kind(rf"runs/{_STEM}/{re.escape(SCORES)}", 16 * MEBI, 50_000),
    _kind(rf"runs/{_STEM}/{re.escape(REPLIES)}", 64 * MEBI, 200_000),
    _kind(rf"runs/{_STEM}/{re.escape(EXAMPLES_FILE)}", 64 * MEBI, 300_000),
    _kind(rf"adapters/{_STEM}/{_STEM}\.safetensors", 64 * 1024 * MEBI),
)


def kind_of(path: str) -> FileKind | None:
    """The kind of file with that path; None if the path is not allowed."""
    return next((kind for kind in KINDS if kind.pattern.fullmatch(path)), None)
