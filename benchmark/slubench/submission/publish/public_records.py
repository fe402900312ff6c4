"""The public form of a run's record: facts of known names in readable lines, and few replies."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from slubench.runtime.redaction import public_line, redacted

if TYPE_CHECKING:
    import pyarrow as pa

LONGEST: Final = 1_000
"""Characters of a reply that is shown."""
_FACTS: Final = re.compile(
    r"(?:base|weights|licence|strategy_digest|(?:pools|recipe|sha256|ledger|training|answering)\..+)"
)
_FREE: Final = ("training.", "answering.")
"""What a machine tells of itself; the rest follows from names."""


def public_record(table: pa.Table) -> pa.Table:
    """Rows of `slubench.schemas.RECORDS` as all may read them."""
    import pyarrow as pa

    rows = [_public(row) for row in table.to_pylist()]
    return pa.Table.from_pylist(rows, schema=table.schema)


def _public(row: Mapping[str, Any]) -> dict[str, Any]:
    facts = [
        (public_line(name), public_line(redacted(value) if name.startswith(_FREE) else value))
        for name, value in row["facts"] or ()
        if _FACTS.fullmatch(name)
    ]
    samples = [
        {**sample, **{name: shown_reply(sample[name]) for name in ("reply", "said", "meant")}}
        for sample in row["samples"] or ()
    ]
    # A plugin's name is no path; a file's folder is nobody's business.
    file = row["strategy_file"] or ""
    place = PurePath(file).name if PurePath(file).is_absolute() else file
    return {**row, "strategy_file": place, "facts": facts, "samples": samples}


def shown_reply(text: str | None) -> str | None:
    """A reply as it is shown: what hides, controls or turns the direction of reading is escaped."""
    if text is None:
        return None
    shown = "".join(one if one.isprintable() or one == "\n" else ascii(one)[1:-1] for one in text[:LONGEST])
    return shown if len(text) <= LONGEST else f"{shown}..."
