"""Prints the scores of runs that were just made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from slubench.cli.options import print_json, say
from slubench.cli.printed_table import plain_console

if TYPE_CHECKING:
    from slubench.pipeline.context import Context
    from slubench.pipeline.outcomes import Outcome

SERVING: Final = ("auto", "live", "merged")


def report(outcomes: list[Outcome], context: Context, as_json: bool) -> None:
    """Print the scores of runs, as a table or as JSON."""
    import pyarrow.parquet as pq

    from slubench.board.read.public import public_rows

    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        for row in public_rows(pq.read_table(outcome.scores)).to_pylist():
            rows.append({**row, "cached": outcome.cached})
    if as_json:
        print_json(rows)
        return

    from slubench.board.terminal import result_table

    plain_console().print(result_table(rows, context.registry.metrics))
    for outcome in outcomes:
        took = "found" if outcome.cached else f"{outcome.seconds:.0f} s"
        say(f"{outcome.scores} ({took})")
