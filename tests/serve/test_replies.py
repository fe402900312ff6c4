"""Replies on disk: a torn last line is cut off, a broken one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.errors import DataError
from slubench.serve.replies import Reply, append, load, mend

FIRST = Reply("u1", "speech", 'héllo "you"\n', 5, "stop")
SECOND = Reply("u1", "text", "\u2028 line separator", 2, "length")


def test_what_is_appended_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "replies.jsonl"
    append(path, [FIRST])
    append(path, [SECOND])
    assert load(path) == [FIRST, SECOND]
    assert path.read_bytes().count(b"\n") == 2


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_torn_last_line_is_cut_off(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "replies.jsonl"
    append(path, [FIRST, SECOND])
    path.write_bytes(path.read_bytes()[:-cut])
    assert load(path) == [FIRST]
    mend(path)
    append(path, [SECOND])
    assert load(path) == [FIRST, SECOND]


def test_nothing_is_no_reply(tmp_path: Path) -> None:
    mend(tmp_path / "none")
    assert load(tmp_path / "none") == []


@pytest.mark.parametrize("line", ["{}", "[]", "nonsense", '{"utterance": "u"}', ""])
def test_a_broken_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "replies.jsonl"
    append(path, [FIRST])
    path.write_text(path.read_text("utf-8") + line + "\n", "utf-8")
    with pytest.raises(DataError, match=r"replies\.jsonl, line 2 is not a reply"):
        load(path)


def test_lines_that_are_no_replies_are_asked_again(tmp_path: Path) -> None:
    path = tmp_path / "replies.jsonl"
    append(path, [FIRST])
    with path.open("ab") as file:
        file.write(b'nonsense\n\xff\xfe\n[]\n{"utterance": 1, "input": "text"}\n')
    append(path, [SECOND])
    mend(path)
    assert load(path) == [FIRST, SECOND]
