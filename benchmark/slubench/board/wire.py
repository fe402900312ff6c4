"""JSON that is safe wherever a script may stand."""

from __future__ import annotations

import json
from typing import Any

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
