"""Names that a reader takes for one another."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

# Letters of other scripts that look like Latin ones.
_CYRILLIC: Final = dict(zip(
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u0455\u0501\u051b\u04bb\u043a\u043c\u0442",
    "aeopcyxijsdqhkmt", strict=True,
))  # fmt: skip
_GREEK: Final = dict(zip(
    "\u03b1\u03b5\u03bf\u03c1\u03c5\u03c7\u03b9\u03ba\u03bd\u03c4", "aeopuxikvt", strict=True
))  # fmt: skip
_LETTERS: Final = str.maketrans(_CYRILLIC | _GREEK | {"\u0131": "i", "\u0261": "g"})
# What can't be told apart in most fonts.
_SHAPES: Final = str.maketrans("01|i5", "ollls")
_PAIRS: Final = (("rn", "m"), ("vv", "w"))
_SEPARATORS: Final = "-._ +/"


def skeleton(name: str) -> str:
    """What is left of a name when all that a reader may overlook is taken away; not for showing."""
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    shown = (one for one in folded if unicodedata.category(one)[0] not in "MC" and one not in _SEPARATORS)
    text = "".join(shown).translate(_LETTERS).translate(_SHAPES)
    for pair, one in _PAIRS:
        text = text.replace(pair, one)
    return text


def looks_like(name: str, taken: Iterable[str]) -> str:
    """Another name among those taken that a reader takes for this one; empty where there is none."""
    own = skeleton(name)
    return next((one for one in sorted(taken) if one != name and skeleton(one) == own), "")
