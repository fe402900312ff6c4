"""Reads every row and clip of corpora and reports all issues at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from slubench.data.check.clips import LEFT_OUT, inspect_clips
from slubench.data.check.issues import Checked, CheckReport, Issue, Severity, finding
from slubench.data.check.task_splits import TaskSplit
from slubench.data.columns import differences, renamed
from slubench.data.recordings import Progress, no_progress
from slubench.data.row_files import kind_of, open_parquet
from slubench.data.rows import joined_tables, read_file
from slubench.data.source import Source, SplitFiles
from slubench.domain.utterance import Utterance
from slubench.errors import DataError, MissingError

REFETCH = "Download the file again, or correct the mirror"


def inspect(
    parts: Iterable[TaskSplit],
    source: Source,
    sampling_rate: int,
    max_seconds: float,
    watch: Progress = no_progress,
) -> CheckReport:
    """Check parts of corpora completely, without downloading.

    Args:
        parts: What is checked.
        source: Where it is looked for.
        sampling_rate: Hertz that the model hears; what is lower is remarked.
        max_seconds: What the model hears of a clip; what is longer is remarked.
        watch: Opens a progress bar for the clips of a part.
    """
    report = CheckReport()
    looking = dataclasses.replace(source, looks_only=True)
    read: list[tuple[TaskSplit, list[Utterance]]] = []
    for part in parts:
        checked = Checked(str(part), part.purpose)
        if source.published:
            checked.published = part.corpus.published(part.language, part.split)
        report.parts.append(checked)
        try:
            shards = looking.find(part.corpus, part.language, part.split)
        except (MissingError, DataError) as error:
            missing = isinstance(error, MissingError)
            severity: Severity = "remark" if missing and part.purpose == "target" else "problem"
            remedy = "Only needed for --target" if part.purpose == "target" else ("Runs need it")
            kind = "missing" if missing else "file"
            report.findings.append(finding(severity, kind, str(part), str(error), remedy))
            continue
        checked.form, checked.assumed = shards.form.name, shards.form.assumed
        utterances = list(_rows(shards, report))
        read.append((part, utterances))
        checked.rows = len(utterances)
        checked.sentences = len({utterance.id for utterance in utterances})
        if checked.published is not None and checked.rows != checked.published:
            what = f"{checked.rows:,} rows are usable, {checked.published:,} are published"
            remedy = "A subset is not an error, but its scores are not those of the full corpus"
            report.findings.append(finding("remark", "size", str(part), what, remedy))
        inspect_clips(shards, utterances, checked, report, sampling_rate, max_seconds, watch)
    report.findings += _across(read)
    return report


def _rows(shards: SplitFiles, report: CheckReport) -> Iterator[Utterance]:
    seen: set[str] = set()
    try:
        joined = joined_tables(shards)
    except DataError as error:
        report.findings.append(finding("problem", "file", str(shards), str(error), REFETCH))
        return
    for path in shards.files:
        try:
            report.findings += _columns(shards, path)
            for each in read_file(shards, path, joined, seen):
                if isinstance(each, Utterance):
                    for remark in each.remarks:
                        report.findings.append(
                            Issue(
                                "remark", remark, str(shards), path.name, -1, each.key, remark, "It is used"
                            )
                        )
                    yield each
                else:
                    report.findings.append(
                        Issue(
                            "problem",
                            "row",
                            each.place,
                            each.file,
                            each.row,
                            each.utterance,
                            each.reason,
                            LEFT_OUT,
                        )
                    )
        except DataError as error:
            report.findings.append(finding("problem", "file", str(shards), str(error), REFETCH, path.name))


def _columns(shards: SplitFiles, path: Path) -> Iterator[Issue]:
    """Issues of missing and undeclared columns, other than those that make a file unreadable."""
    if path.suffix != ".parquet":
        return
    held = {column.name: kind_of(column.type) for column in open_parquet(path).schema_arrow}
    for column, what, serious in differences(shards.form, renamed(shards.form, held), held):
        if not serious and column != shards.corpus.audio:
            yield finding(
                "remark",
                "column",
                str(shards),
                f"the column {column} {what}",
                "This is not an error",
                path.name,
            )


def _across(read: Sequence[tuple[TaskSplit, Sequence[Utterance]]]) -> Iterator[Issue]:
    """Test sentences in training data: by id a leak, by text or speaker a slice of the scores."""
    for asked, test in read:
        if asked.purpose != "ask":
            continue
        ids = {utterance.id for utterance in test}
        for part, utterances in read:
            if part.purpose == "ask":
                continue
            leaked = sorted(ids & {utterance.id for utterance in utterances})
            if leaked:
                what = f"{len(leaked)} test ids of {asked} are in it: {', '.join(leaked[:10])}"
                yield finding("problem", "leak", str(part), what, "Training is refused; correct the mirror")
            if part.language == asked.language:
                texts = {utterance.text for utterance in utterances}
                repeats = len({utterance.id for utterance in test if utterance.text in texts})
                if repeats:
                    what = f"it contains {repeats:,} sentences of {asked} verbatim"
                    yield finding(
                        "remark", "repeat", str(part), what, "Scores are sliced into seen and unseen"
                    )
