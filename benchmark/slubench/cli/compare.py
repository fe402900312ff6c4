"""`slubench compare A B`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.compared_files import SCORE_FILE, is_file_of, named_by
from slubench.cli.completion import complete_strategy
from slubench.cli.options import HomeOption, JsonOption, print_json, say
from slubench.errors import UsageError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from slubench.board.analysis.compare_runs import RunComparison, RunPair
    from slubench.board.runs import ScoredRun

SHOWN = 5


def compare(
    first: Annotated[
        str,
        typer.Argument(
            metavar="A",
            autocompletion=complete_strategy,
            help="A strategy or its file, a run's name or fingerprint, or a file: scores (.parquet) or an"
            " adapter's card (.json).",
        ),
    ],
    second: Annotated[
        str, typer.Argument(metavar="B", autocompletion=complete_strategy, help="What it is compared with.")
    ],
    task: Annotated[
        str | None, typer.Option("--task", help="When comparing strategies: only this task.")
    ] = None,
    speech: Annotated[
        str | None, typer.Option("--speech", help="When comparing strategies: only this budget.")
    ] = None,
    metric: Annotated[str, typer.Option("--metric", help="Metric to test for significance.")] = "slu_f1",
    input_kind: Annotated[
        str, typer.Option("--input", metavar="speech|text|asr", help="Input to compare: speech, text or asr.")
    ] = "speech",
    asked: Annotated[str | None, typer.Option("--asked", hidden=True)] = None,
    by: Annotated[
        str,
        typer.Option("--by", metavar="COLUMN", help="Compare each slice of this column, such as entities."),
    ] = "all",
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Compare two runs or two strategies on the same sentences, seed by seed."""
    from slubench.board import read_scores, score_files
    from slubench.board.analysis.compare_runs import compare as compare_pairs
    from slubench.board.panels import panels_of
    from slubench.board.read.replicates import read_replicates
    from slubench.board.read.sums import SumsBeside
    from slubench.board.runs import runs_of
    from slubench.domain.budget import Budget
    from slubench.domain.renamed_columns import INPUTS
    from slubench.registry import Registry
    from slubench.runtime.home import find_home

    if asked is not None:
        say("--asked is now called --input")
        input_kind = INPUTS.get(asked, asked)
    place = find_home(home)
    registry = Registry(place.root)
    metrics = registry.metrics
    if metric not in metrics:
        raise unknown("metric", metric, metrics)
    handed = [Path(name).resolve() for name in (first, second) if is_file_of(name, SCORE_FILE)]
    reading = read_scores(list(dict.fromkeys([*score_files(place.root), *handed])))
    for refused in reading.refused:
        say(f"left out: {refused}")
    runs = runs_of(reading.table)
    first, second = (named_by(name, registry) for name in (first, second))
    pairs = _pairs(runs, first, second, task, str(Budget.parse(speech)) if speech else None)
    sums = SumsBeside(reading.sources)
    if by != "all":
        columns = sums.columns(pairs[0].first[0].row["scores_fingerprint"])
        if by not in columns:
            raise unknown("column to slice by", by, columns)
    others = list(metrics.values())
    panels = panels_of(runs, read_replicates(reading.files, reading.sources), metrics)
    found = compare_pairs(
        pairs, sums, metrics[metric], input_kind=input_kind, by=by, others=others, panels=panels
    )
    if not found:
        raise UsageError(
            f"Nothing to compare: {metrics[metric].title} on {input_kind} input was not counted for both."
            " If the scores are from an earlier version, or from before the metric was declared, run"
            " `slubench rescore`."
        )
    if as_json:
        from slubench.board.sentences import summary_of

        rows = [
            asdict(one)
            | {"others": [other._asdict() for other in one.others]}
            | {"verdict": one.difference.verdict, "summary": summary_of(one)}
            for one in found
        ]
        print_json(rows)
    else:
        _print(found)


def _pairs(
    runs: Sequence[ScoredRun], first: str, second: str, task: str | None, speech: str | None
) -> list[RunPair]:
    from slubench.board.analysis.compare_runs import RunPair, pairs_of

    strategies = {run.strategy for run in runs}
    if first in strategies and second in strategies:
        if first == second:
            raise UsageError(f"{first} cannot be compared with itself; name two strategies.")
        tasks = {str(run.row["task"]) for run in runs}
        if task is not None and task not in tasks:
            raise unknown("scored task", task, tasks)
        pairs = pairs_of(runs, first, second, task=task, speech=speech)
        if not pairs:
            raise UsageError(
                f"{first} and {second} share no seed on the same task, setting, engine and budget; "
                "`slubench leaderboard show` lists all scored runs."
            )
        return pairs
    if task is not None or speech is not None:
        raise UsageError("--task and --speech only apply when two strategies are compared, not two runs.")
    named = {name: _named(runs, name) for name in (first, second)}
    for name in (first, second):
        if not named[name] and name not in strategies:
            every = {*strategies, *(str(run.row["run"]) for run in runs)}
            raise unknown("scored run or strategy", name, every)
    for name in (first, second):
        if not named[name]:
            raise UsageError(f"{name} is a strategy; compare it with another strategy, or name two runs.")
    ours, theirs = (_newest(named[name], name) for name in (first, second))
    return [RunPair([ours], [theirs], (first, second), False)]


def _named(runs: Sequence[ScoredRun], name: str) -> list[ScoredRun]:
    """The runs of that name, with or without the digits of a fingerprint, or of that fingerprint."""
    from slubench.registry.adapters import stem

    return [
        run
        for run in runs
        if name in (run.row["run"], stem(run.row["run"], run.row["scores_fingerprint"]))
        or (len(name) >= 6 and run.row["scores_fingerprint"].startswith(name))
        or name == run.row["train_fingerprint"]
    ]


def _newest(named: Sequence[ScoredRun], name: str) -> ScoredRun:
    newest = max(named, key=lambda run: (run.row["created"], run.row["scores_fingerprint"]))
    if len({run.row["scores_fingerprint"] for run in named}) > 1:
        say(f"{name}: matches {len(named)} runs; using the newest, {newest.row['scores_fingerprint'][:8]}")
    return newest


def _print(found: Sequence[RunComparison]) -> None:
    from slubench.board.sentences import summary_of

    for one in found:
        print(summary_of(one))
        print(f"  fixed: {_items(one.fixed)}; broken: {_items(one.broken)}")
        for line in _others(one):
            print(line)


def _others(one: RunComparison) -> Iterator[str]:
    """The other metrics in columns; their intervals are not corrected and test nothing."""
    from slubench.board.text import percent, points

    if not one.others:
        return
    width = max(len(other.title) for other in one.others)
    yield "  other metrics, with 95 % intervals that are not corrected for their number:"
    for other in one.others:
        write = percent if other.form == "percent" else points
        ends = f"[{points(other.low)}, {points(other.high)}]"
        values = f"{write(other.first)} against {write(other.second)}"
        yield f"    {other.title:<{width}}  {points(other.value, signed=True):>6} {ends}  ({values})"


def _items(changed: object) -> str:
    assert isinstance(changed, dict)
    if not changed:
        return "none"
    shown = ", ".join(list(changed)[:SHOWN]) + (", ..." if len(changed) > SHOWN else "")
    return f"{len(changed)} sentence{'' if len(changed) == 1 else 's'} ({shown})"
