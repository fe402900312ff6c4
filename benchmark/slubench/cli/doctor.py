"""`slubench doctor`."""

from __future__ import annotations

import typer

from slubench.cli.options import HomeOption, JsonOption, print_json
from slubench.cli.printed_table import plain_console


def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Check this machine: GPU, engines, audio decoding, corpora, caches, disk."""
    from slubench.cli.diagnosis import diagnose
    from slubench.runtime.home import find_home

    findings = diagnose(find_home(home))
    if as_json:
        print_json([finding._asdict() for finding in findings])
    else:
        from rich.table import Table
        from rich.text import Text

        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column()
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        colours = {"ok": "green", "lacks": "yellow", "broken": "red"}
        for finding in findings:
            table.add_row(Text(finding.state, style=colours[finding.state]), finding.what, finding.detail)
        plain_console().print(table)
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(1)
