"""Streams the first rows of a Hub set through the datasets library, so that a smoke run downloads little.

Whole splits are not read so: docs/decisions/0011-what-datasets-reads.md says why, measured.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import Any

from slubench.data.hub import Fetched
from slubench.domain.corpus import Corpus, HubRepo, Layout
from slubench.errors import MissingError
from slubench.runtime.digest import digest
from slubench.runtime.files import replacing

HUB = "hf://datasets/"
_COMMIT = re.compile("[0-9a-f]{40}")


def streams(layout: Layout, place: HubRepo | None) -> bool:
    """Whether the first rows of a split can be told without reading the rest."""
    return place is not None and place.on_hub and not (layout.divide or layout.partition or layout.joins)


def stream_first(
    corpus: Corpus, layout: Layout, place: HubRepo, language: str, split: str, limit: int, folder: Path
) -> Fetched:
    """The first rows of a split, in a Parquet file of the columns that are read; made once.

    Args:
        corpus: Whose rows.
        layout: The form they come in.
        place: The repository.
        language: ISO 639-1 code.
        split: As in `train`.
        limit: Rows.
        folder: Where the file goes.

    Raises:
        MissingError: The Hub cannot be reached, or has no such files.
    """
    try:
        revision = commit_of(place)
        locale = corpus.locales[language]
        patterns = layout.patterns(locale, split)
        others = {name: list(names) for name, names in layout.names.items()}
        columns = sorted((*layout.columns, *layout.optional))
        # A file holds what was read of the set: another declaration of the same set has another file.
        read = digest([list(patterns), columns, others, corpus.audio])[:12]
        name = f"{locale}-{split}-first-{limit}-{read}.parquet".replace("/", "-")
        target = folder / place.repository / revision / name
        if not target.is_file():
            for pattern in patterns:
                rows = _stream(f"{HUB}{place.repository}@{revision}/{pattern}", layout, corpus.audio, limit)
                if rows is not None:
                    _write(rows, target)
                    break
            else:
                raise MissingError(f"{place.repository} has no file {patterns[0]}")
    except MissingError:
        raise
    except Exception as error:  # of requests, fsspec, pyarrow and datasets, which share no class
        reason = " ".join(str(error).split())[:300]
        raise MissingError(f"{place.repository} cannot be streamed from the Hub ({reason})") from None
    return Fetched((target,), revision)


def commit_of(place: HubRepo) -> str:
    """The commit that a repository's revision stands for."""
    if place.revision and _COMMIT.fullmatch(place.revision):
        return place.revision
    from huggingface_hub import HfApi

    return str(HfApi().dataset_info(place.repository, revision=place.revision).sha)


def _stream(files: str, layout: Layout, audio: str, limit: int) -> Any:
    """The first rows of files as an Arrow table; None where no file matches."""
    from datasets import Audio, load_dataset
    from datasets.data_files import EmptyDatasetError

    try:
        seen = load_dataset("parquet", data_files={"rows": files}, split="rows", streaming=True)
    except (FileNotFoundError, EmptyDatasetError):
        return None
    features = seen.features or seen._resolve_features().features
    declared = {name: (name, *layout.names.get(name, ())) for name in (*layout.columns, *layout.optional)}
    wanted = {next((one for one in names if one in features), "") for names in declared.values()} | {audio}
    columns = [name for name in features if name in wanted]
    data = load_dataset("parquet", data_files={"rows": files}, split="rows", streaming=True, columns=columns)
    kept = {
        name: Audio(decode=False) if isinstance(features[name], Audio) else features[name] for name in columns
    }
    for name, feature in kept.items():
        if isinstance(feature, Audio):
            data = data.cast_column(name, feature)
    return _table(list(itertools.islice(data, limit)), kept)


def _table(rows: list[dict[str, Any]], features: dict[str, Any]) -> Any:
    import pyarrow as pa
    from datasets import Features

    schema = Features(features).arrow_schema
    return pa.Table.from_pylist(rows, schema=schema)


def _write(table: Any, target: Path) -> None:
    import pyarrow.parquet as pq

    with replacing(target) as temporary:
        pq.write_table(table, temporary)
