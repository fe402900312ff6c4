"""`slubench doctor`."""

from __future__ import annotations

import json

import typer

from slubench.cli.options import HomeOption, JsonOption


def doctor(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say what this machine has and lacks: GPU, engines, audio decoding, corpora, caches, disk."""
    from slubench.diagnosis import diagnose
    from slubench.home import find_home

    findings = diagnose(find_home(home))
    if as_json:
        print(json.dumps([finding._asdict() for finding in findings], ensure_ascii=False))
    else:
        from rich.console import Console
        from rich.table import Table

        table = Table(show_header=False, box=None, pad_edge=False)
        table.add_column()
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        marks = {"ok": "[green]ok[/]", "lacks": "[yellow]lacks[/]", "broken": "[red]broken[/]"}
        for finding in findings:
            table.add_row(marks[finding.state], finding.what, finding.detail)
        Console(highlight=False).print(table)
    if any(finding.state == "broken" for finding in findings):
        raise typer.Exit(1)
