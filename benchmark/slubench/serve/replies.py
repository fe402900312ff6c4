"""Replies as they are kept: a line of JSON each, appended as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from slubench.domain.renamed_columns import row_of_today
from slubench.errors import DataError


@dataclass(frozen=True)
class Reply:
    """One reply.

    Attributes:
        utterance: The utterance's id.
        input: What the model was given: `speech`, `text` or `asr`.
        reply: What was generated, without special tokens.
        tokens: Number of tokens generated, the closing one included.
        finish: `stop` where the model ended it, `length` where the cap did.
    """

    utterance: str
    input: str
    reply: str
    tokens: int
    finish: str

    @property
    def key(self) -> tuple[str, str]:
        """What it answers."""
        return self.utterance, self.input


def mend(path: Path) -> None:
    """Cut off a last line that a killed process left without its end."""
    if not path.exists():
        return
    with path.open("r+b") as file:
        content = file.read()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            file.truncate(whole)


def load(path: Path) -> list[Reply]:
    """Read the replies of a file that `append` wrote; a torn last line is not among them.

    Raises:
        DataError: A whole line is not a reply.
    """
    if not path.exists():
        return []
    replies = []
    *lines, _torn = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            replies.append(Reply(**row_of_today(json.loads(line))))
        except (ValueError, TypeError, AttributeError) as error:
            raise DataError(
                f"{path}, line {number} is not a reply ({error}). Delete the line and run the command again."
            ) from None
    return replies


def append(path: Path, replies: Iterable[Reply]) -> None:
    """Append replies and flush, so that no more than the last line can be torn."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(asdict(reply), ensure_ascii=False) + "\n" for reply in replies)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(lines)
