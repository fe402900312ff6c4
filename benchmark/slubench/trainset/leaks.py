"""Which ids of a test occur in the splits that are learnt from (MASSIVE ids are SLURP ids)."""

from __future__ import annotations

from collections.abc import Iterable

from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles


def leaked_ids(test: SplitFiles, pools: Iterable[SplitFiles]) -> dict[str, list[str]]:
    """The test's ids in each pool, whatever its language, in order; pools without any are left out."""
    asked = {utterance.id for utterance in read_rows(test).utterances}
    found = {
        str(pool): sorted(asked & {utterance.id for utterance in read_rows(pool).utterances})
        for pool in pools
    }
    return {name: ids for name, ids in found.items() if ids}
