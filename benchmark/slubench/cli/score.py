"""`slubench score` and `slubench rescore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.options import CorporaOption, EditionOption, HomeOption, JsonOption, print_json, say
from slubench.errors import UsageError

if TYPE_CHECKING:
    from slubench.scoring.gold import GoldSet


def score(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="Predictions: SLURP's JSONL, or JSONL or Parquet of replies."),
    ],
    task: Annotated[
        str | None,
        typer.Option("--task", envvar="SLUBENCH_TASK", metavar="NAME", help="Score against its test."),
    ] = None,
    gold: Annotated[
        Path | None,
        typer.Option("--gold", metavar="FILE", help="Score against SLURP's test.jsonl, or rows of MASSIVE."),
    ] = None,
    gold_transcripts: Annotated[
        bool,
        typer.Option("--gold-transcripts", help="Sentences were asked, named by slurp_id, not recordings."),
    ] = False,
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="COLUMN", help="Slice by it, as in headset or intent; may be repeated."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Every label, and the mean over labels.")] = False,
    edition: EditionOption = "auto",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Score a file of predictions of any system.

    Gold without a prediction is skipped in the official number, as SLURP's scorer does, and wrong in the
    strict one; normalised numbers, which are ranked, stand beside both.
    """
    from slubench.metrics import SCORER_VERSION
    from slubench.scoring.external import read_predictions
    from slubench.scoring.gold_files import gold_of_file
    from slubench.scoring.score_file import score_file

    if (task is None) == (gold is None):
        raise UsageError("Name what to score against: either --task NAME or --gold FILE.")
    if gold_transcripts and gold is None:
        raise UsageError("--gold-transcripts is for --gold FILE; a task's items are named by their own ids.")
    wanted = list(dict.fromkeys(name for part in by or [] for name in part.split(",")))
    if gold is not None:
        truth = gold_of_file(gold, gold_transcripts=gold_transcripts)
    else:
        truth = _of_task(task or "", edition, home, corpora, lengths="length" in wanted)
    reports = score_file(read_predictions(file, truth.keys), truth, wanted)
    if as_json:
        content = {"file": str(file), "gold": truth.place, "scorer_version": SCORER_VERSION}
        found = [report.to_json(full=full) for report in reports]
        print_json(content | {"reports": found})
        return
    from rich.console import Console

    from slubench.cli.score_tables import tables

    console = Console(highlight=False)
    for report in reports:
        for table in tables(report, truth.place, full=full):
            console.print(table)


def rescore(
    runs: Annotated[
        list[str] | None, typer.Argument(help="Names of scored runs; all where none is given.")
    ] = None,
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make scores again from kept answers, with the scorer of this version. No model is loaded."""
    from slubench.pipeline.rescore import rescore_runs
    from slubench.runtime.home import find_home

    done = rescore_runs(find_home(home), runs or [], corpora, say)
    if as_json:
        print_json([one._asdict() for one in done])
        return
    for one in done:
        print(f"{one.scores}  {one.before} -> {one.after}")


def _of_task(task: str, edition: str, home: Path | None, corpora: Path | None, *, lengths: bool) -> GoldSet:
    from slubench.data.editions import check_offered, choose
    from slubench.data.splits import find_test
    from slubench.registry import Registry
    from slubench.runtime.digest import Digests
    from slubench.runtime.home import find_home
    from slubench.scoring.gold_tasks import gold_of_task

    place = find_home(home)
    registry = Registry(place.root)
    named = registry.task(task)
    chosen, reason = choose(edition)
    if reason:
        say(reason)
    source = chosen.source(corpora, Digests(place.digests))
    check_offered(source, named, registry.tasks)
    return gold_of_task(find_test(named, source), lengths=lengths)
