"""Speech for pretraining: commands and generic sentences of every language, spoken by the known speakers.

    python -m tools.mini.speech --out DIR --per-language 13000 --workers 2

Writes Parquet shards `<language>-<number>.parquet`, the languages in turns, so that a training can start
on what is there; a shard that exists is whole and is left as it is. `dev-*` and `dev_unseen-*` hold
sentences that no other shard holds, the latter in voices that no other shard holds.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TimeRemainingColumn

from slubench.data.espeak import SAMPLE_RATE as SPOKEN_RATE
from slubench.data.synthesis import Spoken, Synthesizer
from tools.mini.grammar import LANGUAGES, command, generic, part
from tools.mini.recording import MAX_SECONDS, SAMPLE_RATE, Signal, record
from tools.mini.voices import Manner, Speaker, manner, speakers

SHARD_ROWS = 500
DEV_ROWS = 300
DEV_UNSEEN_ROWS = 150
COMMAND_SHARE = 0.55  # of the draws; commands repeat more often, so they are about 47 % of the lines
_FASTER = 25
_FASTEST = 280

SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "language": pa.string(),
        "text": pa.string(),
        "kind": pa.string(),
        "phonemes": pa.string(),
        "speaker_id": pa.string(),
        "rate": pa.int32(),
        "pitch": pa.int32(),
        "condition": pa.string(),
        "seconds": pa.float32(),
        "audio": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
    }
)


@dataclass(frozen=True)
class Line:
    """A sentence to be spoken."""

    text: str
    kind: Literal["command", "generic"]


@dataclass(frozen=True)
class Shard:
    """One file to be written."""

    name: str
    language: str
    lines: tuple[Line, ...]
    unseen: bool


def default_folder() -> Path:
    """Return the cache's place, outside any repository."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "slubench-mini" / "speech"


def lines(language: str) -> Iterator[Line]:
    """Yield distinct sentences of a language without end, none of them the benchmark's; always the same."""
    rng = random.Random(f"speech {language}")
    seen: set[str] = set()
    while True:
        kind: Literal["command", "generic"] = "command" if rng.random() < COMMAND_SHARE else "generic"
        text = command(language, rng).text if kind == "command" else generic(language, rng)
        if text not in seen and part(text) == "pretraining":
            seen.add(text)
            yield Line(text, kind)


def plan(per_language: int) -> list[Shard]:
    """Return the shards in the order of their making: first two of each language, then dev, then the rest."""
    by_language = {}
    for language in LANGUAGES:
        source = lines(language)
        dev = [Shard(f"dev-{language}-0000", language, tuple(islice(source, DEV_ROWS)), False)]
        dev += [Shard(f"dev_unseen-{language}-0000", language, tuple(islice(source, DEV_UNSEEN_ROWS)), True)]
        text = tuple(islice(source, per_language))
        train = [
            Shard(f"{language}-{start // SHARD_ROWS:04d}", language, text[start : start + SHARD_ROWS], False)
            for start in range(0, per_language, SHARD_ROWS)
        ]
        by_language[language] = [*train[:2], *dev, *train[2:]]
    return [shard for turn in zip(*by_language.values(), strict=True) for shard in turn]


def fit(
    synthesizer: Synthesizer, text: str, speaker: Speaker, how: Manner, limit: float = MAX_SECONDS
) -> tuple[Spoken, Manner] | None:
    """Speak a text, faster where it would exceed `limit` seconds; None where no speed suffices."""
    while how.rate <= _FASTEST:
        spoken = synthesizer.speak(text, speaker.voice, how.rate, how.pitch)
        if spoken.samples.size <= limit * SPOKEN_RATE:
            return spoken, how
        how = Manner(how.rate + _FASTER, how.pitch)
    return None


def _rows(shard: Shard) -> Iterator[dict[str, Any]]:
    rng = random.Random(f"shard {shard.name}")
    cast = speakers(shard.language, unseen=shard.unseen)
    voices: list[Signal] = []
    with Synthesizer() as synthesizer:
        for number, line in enumerate(shard.lines):
            speaker = rng.choice(cast)
            fitted = fit(synthesizer, line.text, speaker, manner(speaker, rng))
            if fitted is None:
                continue
            spoken, how = fitted
            clip = record(spoken.samples, rng, voices)
            name = f"{shard.name}-{number:03d}"
            yield {
                "id": name,
                "language": shard.language,
                "text": line.text,
                "kind": line.kind,
                "phonemes": spoken.phonemes,
                "speaker_id": speaker.speaker_id,
                "rate": how.rate,
                "pitch": how.pitch,
                "condition": clip.condition,
                "seconds": clip.seconds,
                "audio": {"bytes": clip.audio, "path": f"{name}.ogg"},
            }


def write(shard: Shard, folder: Path) -> str:
    """Speak a shard and write it; the final name appears only when the file is whole."""
    table = pa.Table.from_pylist(list(_rows(shard)), schema=SCHEMA)
    partial = folder / f"{shard.name}.partial"
    pq.write_table(table, partial, row_group_size=100, compression="zstd")
    partial.replace(folder / f"{shard.name}.parquet")
    return shard.name


def main(
    out: Annotated[Path | None, typer.Option(help="Folder of the shards; default: the user's cache.")] = None,
    per_language: Annotated[int, typer.Option(min=1, help="Sentences a language, dev sets apart.")] = 13_000,
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Make what is missing of the pretraining speech."""
    folder = out or default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    missing = [shard for shard in plan(per_language) if not (folder / f"{shard.name}.parquet").exists()]
    console = Console(stderr=True)
    columns = (*Progress.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with (
        Progress(*columns, console=console) as progress,
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task(f"speech at {SAMPLE_RATE} Hz", total=len(missing))
        for future in as_completed([pool.submit(write, shard, folder) for shard in missing]):
            progress.console.print(f"{future.result()}.parquet")
            progress.advance(task)


if __name__ == "__main__":
    typer.run(main)
