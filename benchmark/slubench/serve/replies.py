"""The file of replies: one line of JSON each, appended as they come."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from slubench.domain.renamed_columns import row_of_today
from slubench.errors import DataError
from slubench.runtime.files import replacing


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
        """The request that it answers."""
        return self.utterance, self.input


def mend(path: Path) -> None:
    """Remove lines that are not replies, such as a killed process's last; they are predicted again."""
    if not path.exists():
        return
    *lines, torn = path.read_bytes().split(b"\n")
    kept = [line for line in lines if _is_reply(line)]
    if torn or len(kept) < len(lines):
        with replacing(path) as temporary:
            temporary.write_bytes(b"".join(line + b"\n" for line in kept))


def _is_reply(line: bytes) -> bool:
    try:
        reply = Reply(**row_of_today(json.loads(line)))
    except (ValueError, TypeError, AttributeError):
        return False
    texts = (reply.utterance, reply.input, reply.reply, reply.finish)
    return all(isinstance(text, str) for text in texts) and isinstance(reply.tokens, int)


def load(path: Path) -> list[Reply]:
    """Read the replies of a file that `append` wrote, without an incomplete last line.

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
    """Append replies and flush, so that only the last line can be incomplete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(json.dumps(asdict(reply), ensure_ascii=False) + "\n" for reply in replies)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(lines)
