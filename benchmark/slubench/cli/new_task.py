"""Looks at a folder or a Hub set, and writes the task that reads it, for `slubench new task`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Final

from slubench.data.csv_files import cells_of
from slubench.data.formats.table import SPLITS
from slubench.data.row_files import open_parquet
from slubench.data.table_files import numbered_rows
from slubench.errors import UsageError, unknown

ENDINGS: Final = ("parquet", "jsonl", "csv", "tsv", "json")
GUESSES: Final[Mapping[str, tuple[str, ...]]] = {
    "text": ("text", "transcript", "transcription", "sentence", "utterance", "utt", "query"),
    "intent": ("intent", "intents", "intent_str", "intent_class", "label", "labels", "action", "category"),
    "audio": ("audio", "file", "path", "audio_file", "audio_path", "wav", "filename", "recording", "clip"),
    "id": ("id", "sentence_id", "utterance_id", "uid"),
    "scenario": ("scenario", "scenario_str", "domain"),
    "entities": ("entities", "slots", "annot_utt", "ner"),
    "speaker": ("speaker", "speaker_id", "worker_id", "user_id"),
    "partition": ("split", "partition", "subset", "fold"),
}
"""Names that columns bear in people's tables, by what they hold."""
NEEDED: Final = ("text", "intent")
PLACEHOLDER: Final = {"text": "text", "intent": "intent", "audio": "audio"}


@dataclass(frozen=True)
class TableFound:
    """What a task's file needs to know of a set.

    Attributes:
        files: Patterns of its tables.
        columns: The column that holds each part, where there is one.
        root: The absolute folder of its files; empty for a set on the Hub.
        hub: Its repository on the Hub.
        revision: The commit that is pinned; empty for none.
        divided: Whether it has no splits, so that its rows are divided by a hash.
        rows: Rows that were looked at.
    """

    files: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=lambda: dict(PLACEHOLDER))
    root: str = ""
    hub: str = ""
    revision: str = ""
    divided: bool = False
    rows: int = 0


def look_at(folder: Path, named: Mapping[str, str]) -> TableFound:
    """Find the tables of a folder, and which column holds what.

    Args:
        folder: With one table for each split, or one for all; recordings below it.
        named: Columns that the user names, by what they hold.

    Raises:
        UsageError: There is no table, a column is not there, or text and intent cannot be told.
        DataError: A table cannot be read.
    """
    if not folder.is_dir():
        raise UsageError(f"--from {folder} is not a folder. Give the folder that holds the table.")
    tables = [path for ending in ENDINGS for path in sorted(folder.glob(f"*.{ending}"))]
    if not tables:
        raise UsageError(
            f"{folder} holds no table. Put one there for each split, such as train.csv and test.csv, or one"
            f" for all; formats: {', '.join(ENDINGS)}."
        )
    by_split = {name: _of_split(tables, names) for name, names in SPLITS.items()}
    first = by_split["train"] or by_split["test"] or tables[0]
    header, rows = _header(first)
    columns = _columns(header, named, first)
    root = str(folder.resolve())
    if by_split["train"] and by_split["test"]:
        return TableFound(_patterns(by_split.values()), columns, root, rows=rows)
    divided = "partition" not in columns
    return TableFound((first.name,), columns, root, divided=divided, rows=rows)


def _of_split(tables: Iterable[Path], names: Iterable[str]) -> Path | None:
    wanted = tuple(names)
    return next(
        (path for path in tables if path.name.partition(".")[0].partition("-")[0].lower() in wanted), None
    )


def _patterns(tables: Iterable[Path | None]) -> tuple[str, ...]:
    endings = dict.fromkeys(path.suffix for path in tables if path is not None)
    plain = [f"{{split}}{ending}" for ending in endings]
    return tuple(itertools.chain(plain, (f"{{split}}-*{ending}" for ending in endings)))


def _header(path: Path) -> tuple[list[str], int]:
    if path.suffix == ".parquet":
        file = open_parquet(path)
        return list(file.schema_arrow.names), file.metadata.num_rows
    if path.name.removesuffix(".gz").endswith((".csv", ".tsv")):
        lines = [cells for _, cells in itertools.islice(cells_of(path), 200)]
        return list(lines[0]) if lines else [], len(lines)
    names: dict[str, None] = {}
    rows = 0
    for _, row in itertools.islice(numbered_rows(path), 200):
        names |= dict.fromkeys(row)
        rows += 1
    return list(names), rows


def _columns(header: list[str], named: Mapping[str, str], path: Path) -> dict[str, str]:
    for part, name in named.items():
        if name and name not in header:
            raise unknown(f"column for --{part} in {path}", name, header)
    lower = {name.lower(): name for name in reversed(header)}
    found: dict[str, str] = {}
    for part, guesses in GUESSES.items():
        name = named.get(part) or next((lower[guess] for guess in guesses if guess in lower), "")
        if name and name not in found.values():
            found[part] = name
    for part in NEEDED:
        if part not in found:
            raise UsageError(
                f"Which column of {path} holds the {part}? Name it with --{part}. Columns:"
                f" {', '.join(header)}."
            )
    return found


def task_text(template: str, name: str, language: str, found: TableFound) -> str:
    """The text of a task's file.

    Args:
        template: `new_task.txt`.
        name: Of the task.
        language: ISO 639-1 code.
        found: What is known of the set.
    """
    shown = {part: column for part, column in found.columns.items() if part != "partition"}
    columns = "\n".join(
        f"                {part}={json.dumps(column, ensure_ascii=False)}," for part, column in shown.items()
    )
    options = []
    if found.root:
        options.append(f"root={json.dumps(found.root, ensure_ascii=False)},")
    if found.hub:
        pinned = f", revision={json.dumps(found.revision)}" if found.revision else ""
        options.append(f"hub=HubRepo({json.dumps(found.hub)}{pinned}),")
    if partition := found.columns.get("partition"):
        options.append(f"partition={json.dumps(partition)},")
    if found.divided:
        options.append("# It has no splits: two tenths become the test, one tenth validation, by a hash.")
        options.append("divided=True,")
    return Template(template).substitute(
        name=name,
        title=name.replace("-", " ").capitalize(),
        language=language,
        imports="HubRepo, Task" if found.hub else "Task",
        files=f"({', '.join(map(json.dumps, found.files))},)",
        columns=columns,
        options="\n".join(f"            {line}" for line in options) or "",
    )
