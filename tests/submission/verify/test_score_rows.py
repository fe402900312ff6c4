"""Score rows held against those that follow from the replies."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from slubench.schemas import SCORES
from slubench.submission.verify.score_rows import unlike_rows
from tests.board.made_scores import score_rows


def table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCORES)


def test_a_bundle_from_before_the_lenient_reading_is_not_blamed_for_lacking_it() -> None:
    rows = score_rows()
    reading = [{**rows[0], "metric": name, "value": 0.25} for name in ("lenient_slu_f1", "format_slu_f1")]
    assert list(unlike_rows(table(rows), table([*rows, *reading]))) == []
    ((number, why),) = unlike_rows(table([*rows, reading[0]]), table([*rows, *reading]))
    assert number is None
    assert "format_slu_f1" in why
    told = [{**reading[0], "value": 0.5}, reading[1]]
    ((number, why),) = unlike_rows(table([*rows, *told]), table([*rows, *reading]))
    assert number == len(rows) + 1
    assert "lenient_slu_f1" in why
    assert any("missing" in why for _, why in unlike_rows(table(rows[1:]), table(rows)))
