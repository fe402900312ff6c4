"""Slices over few speakers are shown nowhere, and unknown speakers do not pass as five."""

from __future__ import annotations

import pyarrow as pa
import pytest

from slubench.board.read.public import may_be_shown, public_rows


@pytest.mark.parametrize(
    ("column", "speakers", "shown"),
    [
        ("all", 1, True),
        ("all", None, True),
        ("speaker_sex", 4, False),
        ("speaker_sex", 5, True),
        ("speaker_sex", None, False),
        ("microphone", None, False),
        ("condition", None, False),
        ("speaker", None, False),
        ("intent", None, True),
        ("intent", 4, False),
        ("intent", 5, True),
    ],
)
def test_five_speakers_are_enough_and_four_or_unknown_are_not(
    column: str, speakers: int | None, shown: bool
) -> None:
    assert may_be_shown(column, speakers) is shown
    table = pa.table({"slice_by": [column], "speakers": pa.array([speakers], pa.int32())})
    assert len(public_rows(table)) == shown
