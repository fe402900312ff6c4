"""Which parts of the corpora are available, found without downloading or reading them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from slubench.data.check.task_splits import TaskSplit
from slubench.data.row_files import open_parquet
from slubench.data.source import Source, SplitFiles
from slubench.errors import DataError, MissingError


@dataclass(frozen=True)
class Holding:
    """One part of a corpus, available or missing.

    Attributes:
        part: Corpus, language and split, as in `speech-massive/de/train`.
        purpose: `learn`, `ask` or `target`.
        state: `here`, `missing`, or `broken`.
        form: The form its files come in.
        files: How many there are.
        size: Their bytes; recordings in files of their own are not counted.
        rows: Their rows, where the files tell without being read.
        published: Rows as published, where known.
        licence: SPDX or the terms' own name.
        terms: What the terms ask.
        home_page: Where they are found.
        remedy: How to get or mend it; empty where it is here.
    """

    part: str
    purpose: str
    state: str
    form: str
    files: int
    size: int
    rows: int | None
    published: int | None
    licence: str
    terms: str
    home_page: str
    remedy: str


def holdings(parts: Iterable[TaskSplit], source: Source) -> Iterator[Holding]:
    """Look for parts of corpora without downloading.

    Args:
        parts: What is looked for.
        source: Where.
    """
    looking = dataclasses.replace(source, looks_only=True)
    for part in parts:
        try:
            shards = looking.find(part.corpus, part.language, part.split)
            yield _holding(part, source, "here", shards)
        except MissingError as error:
            yield _holding(part, source, "missing", None, str(error))
        except DataError as error:
            yield _holding(part, source, "broken", None, str(error))


def _holding(
    part: TaskSplit, source: Source, state: str, shards: SplitFiles | None, remedy: str = ""
) -> Holding:
    corpus = source.here(part.corpus)
    files: tuple[Path, ...] = shards.files if shards else ()
    assumed = " (assumed)" if shards and shards.form.assumed else ""
    return Holding(
        part=str(part),
        purpose=part.purpose,
        state=state,
        form=shards.form.name + assumed if shards else "",
        files=len(files),
        size=sum(file.stat().st_size for file in files),
        rows=_count(shards) if shards else None,
        published=corpus.published(part.language, part.split) if source.published else None,
        licence=corpus.licence,
        terms=corpus.terms,
        home_page=corpus.home_page,
        remedy=remedy,
    )


def _count(shards: SplitFiles) -> int | None:
    if any(file.suffix != ".parquet" for file in shards.files):
        return None
    return sum(int(open_parquet(file).metadata.num_rows) for file in shards.files)
