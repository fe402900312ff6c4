"""Reads every row and every clip of corpora and reports all that is not as it should be, at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from slubench.clips import hear
from slubench.corpora.columns import differences, renamed
from slubench.corpora.recordings import Watch, encoded_clips, unwatched
from slubench.corpora.rows import joined_tables, read_file
from slubench.corpora.source import Shards, Source
from slubench.corpora.tables import kind_of, open_parquet
from slubench.data.findings import Checked, Finding, Report, Severity
from slubench.data.parts import Part
from slubench.errors import DataError, MissingError
from slubench.utterance import Clip, Utterance

REFETCH = "Fetch the file again, or mend the mirror"
LEFT_OUT = "It is left out of training and listed on the card; a test with such a row is not asked"


def inspect(
    parts: Iterable[Part],
    source: Source,
    sampling_rate: int,
    max_seconds: float,
    watch: Watch = unwatched,
) -> Report:
    """Check parts of corpora from end to end; nothing is fetched.

    Args:
        parts: What is checked.
        source: Where it is looked for.
        sampling_rate: Hertz that the model hears; what is lower is remarked.
        max_seconds: What the model hears of a clip; what is longer is remarked.
        watch: Opens a progress bar for the clips of a part.
    """
    report = Report()
    looking = dataclasses.replace(source, looks_only=True)
    read: list[tuple[Part, list[Utterance]]] = []
    for part in parts:
        checked = Checked(str(part), part.purpose, published=part.corpus.published(part.language, part.split))
        report.parts.append(checked)
        try:
            shards = looking.find(part.corpus, part.language, part.split)
        except (MissingError, DataError) as error:
            missing = isinstance(error, MissingError)
            severity: Severity = "remark" if missing and part.purpose == "target" else "problem"
            remedy = "Only --target needs it" if part.purpose == "target" else "Nothing can be run without it"
            kind = "missing" if missing else "file"
            report.findings.append(_finding(severity, kind, str(part), str(error), remedy))
            continue
        checked.form, checked.assumed = shards.form.name, shards.form.assumed
        utterances = list(_rows(shards, report))
        read.append((part, utterances))
        checked.rows = len(utterances)
        checked.sentences = len({utterance.id for utterance in utterances})
        if checked.published is not None and checked.rows != checked.published:
            what = f"{checked.rows:,} rows can be used, {checked.published:,} are published"
            remedy = "A part of the corpus is no fault in itself, but its scores are not the corpus's"
            report.findings.append(_finding("remark", "size", str(part), what, remedy))
        _clips(shards, utterances, checked, report, sampling_rate, max_seconds, watch)
    report.findings += _across(read)
    return report


def _rows(shards: Shards, report: Report) -> Iterator[Utterance]:
    seen: set[str] = set()
    try:
        joined = joined_tables(shards)
    except DataError as error:
        report.findings.append(_finding("problem", "file", str(shards), str(error), REFETCH))
        return
    for path in shards.files:
        try:
            report.findings += _columns(shards, path)
            for each in read_file(shards, path, joined, seen):
                if isinstance(each, Utterance):
                    for remark in each.remarks:
                        report.findings.append(
                            Finding(
                                "remark", remark, str(shards), path.name, -1, each.key, remark, "It is used"
                            )
                        )
                    yield each
                else:
                    report.findings.append(
                        Finding(
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
            report.findings.append(_finding("problem", "file", str(shards), str(error), REFETCH, path.name))


def _columns(shards: Shards, path: Path) -> Iterator[Finding]:
    """Columns that a file has beyond, or lacks of, what is declared; those that make it unreadable apart."""
    if path.suffix != ".parquet":
        return
    held = {column.name: kind_of(column.type) for column in open_parquet(path).schema_arrow}
    for column, what, serious in differences(shards.form, renamed(shards.form, held), held):
        if not serious and column != shards.corpus.audio:
            yield _finding(
                "remark", "column", str(shards), f"the column {column} {what}", "It is used", path.name
            )


def _clips(
    shards: Shards,
    utterances: Sequence[Utterance],
    checked: Checked,
    report: Report,
    sampling_rate: int,
    max_seconds: float,
    watch: Watch,
) -> None:
    by_clip: Mapping[Clip, Utterance] = {u.clip: u for u in utterances if u.clip is not None}
    if shards.form.spoken:
        for utterance in utterances:
            if utterance.clip is None:
                report.findings.append(
                    _finding("problem", "clip", str(shards), "there is no recording", LEFT_OUT, "", utterance)
                )
    with watch(f"checking {shards}", len(by_clip)) as done:
        for number, (clip, encoded) in enumerate(encoded_clips(list(by_clip), shards.corpus.audio)):
            utterance = by_clip[clip]
            try:
                if isinstance(encoded, DataError):
                    raise encoded
                sound = hear(encoded)
            except DataError as error:
                report.findings.append(_of_clip("problem", "clip", shards, utterance, str(error), LEFT_OUT))
                continue
            finally:
                done(number + 1)
            checked.clips += 1
            checked.minutes += sound.seconds / 60
            odd = []
            if sound.channels > 1:
                odd.append(("channels", f"the clip has {sound.channels} channels", "They are averaged"))
            if sound.rate < sampling_rate:
                odd.append(
                    (
                        "rate",
                        f"the clip's {sound.rate:,} Hz are fewer than the model's {sampling_rate:,}",
                        "It is resampled; what is above half its rate is not there",
                    )
                )
            if sound.seconds > max_seconds:
                remedy = f"It is cut at {max_seconds:g} s"
                odd.append(("length", f"the clip is {sound.seconds:.1f} s long", remedy))
            if not sound.samples.any():
                odd.append(("silence", "the clip is silent from end to end", "It is used as it is"))
            report.findings += [_of_clip("remark", kind, shards, utterance, *told) for kind, *told in odd]


def _across(read: Sequence[tuple[Part, Sequence[Utterance]]]) -> Iterator[Finding]:
    """Sentences of a test in what is learnt: by id a leak, by text or speaker a slice of the scores."""
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
                yield _finding("problem", "leak", str(part), what, "Training is refused; mend the mirror")
            if part.language == asked.language:
                texts = {utterance.text for utterance in utterances}
                repeats = len({utterance.id for utterance in test if utterance.text in texts})
                if repeats:
                    what = f"{repeats:,} sentences of {asked} are in it word for word"
                    yield _finding("remark", "repeat", str(part), what, "Scores have slices: seen and unseen")


def _finding(
    severity: Severity,
    kind: str,
    place: str,
    what: str,
    remedy: str,
    file: str = "",
    utterance: Utterance | None = None,
) -> Finding:
    return Finding(severity, kind, place, file, -1, utterance.key if utterance else "", what, remedy)


def _of_clip(
    severity: Severity, kind: str, shards: Shards, utterance: Utterance, what: str, remedy: str
) -> Finding:
    clip = utterance.clip or Clip("")
    row = -1 if clip.row is None else clip.row
    return Finding(severity, kind, str(shards), Path(clip.file).name, row, utterance.key, what, remedy)
