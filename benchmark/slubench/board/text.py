"""Formats numbers, budgets and languages for readers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from unicodedata import category

from slubench.board.panel import Estimate, Panel
from slubench.domain.languages import LANGUAGES

NO_VALUE = "\N{EN DASH}"
SPACE = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def language(code: str) -> str:
    """The English name of a language, or its code if the name is unknown."""
    return LANGUAGES.get(code, clipped(code))


def clipped(text: str, length: int = 80) -> str:
    """`text` in one line of at most `length` characters."""
    if len(text) <= length and text.isprintable():
        return text
    kept = (
        letter if letter.isprintable() or category(letter) == "Zs" else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )
    line = "".join(islice(kept, length))
    return line if len(text) <= length else line[:-1] + "\N{HORIZONTAL ELLIPSIS}"


def all_clipped(texts: Sequence[str], length: int = 80) -> list[str]:
    """Each text in one line of at most `length` characters; fast if there is nothing to shorten."""
    if "".join(texts).isprintable() and max(map(len, texts), default=0) <= length:
        return list(texts)
    return [clipped(text, length) for text in texts]


def listed(words: Sequence[str]) -> str:
    """Joins words: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def points(value: float, *, signed: bool = False) -> str:
    """A score in [0, 1] as points out of 100, with one decimal."""
    rounded = round(100 * value, 1) + 0.0
    sign = MINUS if rounded < 0 else "+" if signed and rounded > 0 else ""
    return f"{sign}{abs(rounded):.1f}"


def rank_set(first: int, last: int) -> str:
    """All ranks from the best to the worst that a strategy may have."""
    return f"{first}" if first == last else f"{first}\N{EN DASH}{last}"


def rounded(value: float) -> str:
    """A share in whole per cent, without the per cent sign."""
    whole = round(100 * value)
    return f"{MINUS if whole < 0 else ''}{abs(whole)}"


def whole_points(value: float) -> str:
    """A signed difference in whole points; in tenths where it would round to nothing."""
    if abs(value) < 0.005:
        return points(value, signed=True)
    return f"{'+' if value > 0 else MINUS}{abs(100 * value):.0f}"


def percent(value: float, *, signed: bool = False) -> str:
    """A rate in [0, 1], or above 1, in percent with one decimal."""
    return f"{points(value, signed=signed)}{SPACE}%"


def interval(estimate: Estimate, *, signed: bool = False) -> str:
    """The interval of a score in points, empty if there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    low, high = points(estimate.low, signed=signed), points(estimate.high, signed=signed)
    return f"{low} to {high}" if signed else f"{low}\N{EN DASH}{high}"


def count(value: float) -> str:
    """A count with thousands separators."""
    return f"{value:,.0f}".replace(",", SPACE)


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever reads best."""
    if seconds < 120:
        return f"{seconds:.0f}{SPACE}s"
    if seconds < 7200:
        return f"{seconds / 60:.0f}{SPACE}min"
    return f"{seconds / 3600:.1f}{SPACE}h"


_PLAIN = str.maketrans({MINUS: "-", SPACE: " ", "\N{WORD JOINER}": None, "\N{NO-BREAK SPACE}": " "})


def plain_text(text: str) -> str:
    """`text` for programs: plain minus signs and spaces."""
    return text.translate(_PLAIN)


def memory(size: float) -> str:
    """Bytes in GiB, or in MiB below one."""
    if size < 1 << 30:
        return f"{size / (1 << 20):.0f}{SPACE}MiB"
    return f"{size / (1 << 30):.1f}{SPACE}GiB"


def budget(speech: str) -> str:
    """A speech budget as written in a sentence."""
    if speech == "0":
        return "none"
    if match := re.fullmatch(r"(\d+(?:\.\d+)?)(%|min)?", speech):
        return f"{match[1]}{SPACE}{match[2] or 'clips'}"
    return clipped(speech)


def bought(speech: str, uses_speech: bool) -> str:
    """The source speech of a row: `0`, or `0 + target` where the target language alone is heard."""
    if not uses_speech:
        return "0"
    return "0 + target" if speech == "0" else budget(speech)


def seeds(number: int) -> str:
    """The number of seeds in words."""
    return "1 seed" if number == 1 else f"{number} seeds"


def heading(panel: Panel) -> str:
    """Title of a panel: the language of the test, and that of the training speech if it differs."""
    test = f"{language(panel.test_in)} speech"
    if not panel.cross_lingual:
        return test
    source = listed([language(code) for code in panel.speech_in]) or "no"
    target = f", target data: {clipped(panel.target)}" if panel.target else ""
    return f"{test} after {source} speech{target}"
