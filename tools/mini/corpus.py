"""Makes the embedded corpus in Speech-MASSIVE's columns and layout; English stands in for SLURP.

    python -m tools.mini.corpus --out benchmark/slubench/mini/data/corpus

Audio made anew sounds the same but is not the same file, so the corpus is made once and kept.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer
from rich.console import Console
from rich.progress import Progress

from slubench.data.synthesis import SynthesisError, Synthesizer
from tools.mini.grammar.draw_sentences import Sentence
from tools.mini.grammar.language import LANGUAGES
from tools.mini.grammar.ontology import INTENTS, LOCALES, SCENARIOS
from tools.mini.parallel import PARTITIONS, SIZES, Parallel, parallels
from tools.mini.recording import Disturbed, Signal, record
from tools.mini.speech import fit
from tools.mini.voices import Speaker, manner, speakers

UNSEEN_SHARE = 1 / 3
ROW_GROUP = 100

_STRINGS = pa.list_(pa.string())
_SCORES = pa.list_(pa.int8())
SCHEMA = pa.schema(
    {
        "id": pa.string(),
        "locale": pa.string(),
        "partition": pa.string(),
        "scenario": pa.int64(),
        "scenario_str": pa.string(),
        "intent_idx": pa.int64(),
        "intent_str": pa.string(),
        "utt": pa.string(),
        "annot_utt": pa.string(),
        "worker_id": pa.string(),
        "slot_method": pa.struct({"slot": _STRINGS, "method": _STRINGS}),
        "judgments": pa.struct(
            {
                "worker_id": _STRINGS,
                "intent_score": _SCORES,
                "slots_score": _SCORES,
                "grammar_score": _SCORES,
                "spelling_score": _SCORES,
                "language_identification": _STRINGS,
            }
        ),
        "tokens": _STRINGS,
        "labels": _STRINGS,
        "audio": pa.struct({"bytes": pa.binary(), "path": pa.string()}),
        "path": pa.string(),
        "is_transcript_reported": pa.bool_(),
        "is_validated": pa.bool_(),
        "speaker_id": pa.string(),
        "speaker_sex": pa.string(),
        "speaker_age": pa.string(),
        "speaker_ethnicity_simple": pa.string(),
        "speaker_country_of_birth": pa.string(),
        "speaker_country_of_residence": pa.string(),
        "speaker_nationality": pa.string(),
        "speaker_first_language": pa.string(),
        "condition": pa.string(),
    }
)


@dataclass(frozen=True)
class Split:
    """One file of the corpus."""

    language: str
    partition: str
    rows: tuple[Parallel, ...]

    @property
    def path(self) -> Path:
        """Where it lies, in the Hub's layout."""
        locale, file = LOCALES[self.language], f"{self.partition}-00000-of-00001.parquet"
        if self.language == "en":
            return Path("slubench", "mini-slurp", locale, file)
        dataset = "Speech-MASSIVE-test" if self.partition == "test" else "Speech-MASSIVE"
        return Path("FBK-MT", dataset, locale, file)


def labels(sentence: Sentence) -> list[str]:
    """Return a label for each word: the slot's plain name, or `Other`."""
    found: list[str] = []
    slot = "Other"
    for word in sentence.annotated.replace("[", "[ ").replace("]", " ]").split():
        if word == "[":
            slot = ""
        elif word == "]":
            slot = "Other"
        elif slot == "":
            slot = word
        elif word != ":":
            found.append(slot)
    return found


def splits() -> list[Split]:
    """Return the files to be made, the largest first."""
    by_partition: dict[str, list[Parallel]] = {name: [] for name in PARTITIONS}
    for row in parallels():
        by_partition[row.partition].append(row)
    made = [
        Split(language, name, tuple(sorted(by_partition[name][:size], key=lambda row: row.number)))
        for language in LANGUAGES
        for name, size in SIZES[language].items()
    ]
    return sorted(made, key=lambda split: -len(split.rows))


def _row(
    sentence: Sentence, number: int, partition: str, speaker: Speaker, clip: Disturbed
) -> dict[str, Any]:
    file = f"{LOCALES[sentence.language]}-{number}.ogg"
    slots = list(dict.fromkeys(slot for slot, _ in sentence.entities))
    return {
        "id": str(number),
        "locale": LOCALES[sentence.language],
        "partition": partition,
        "scenario": SCENARIOS.index(sentence.scenario),
        "scenario_str": sentence.scenario,
        "intent_idx": INTENTS.index(sentence.intent),
        "intent_str": sentence.intent,
        "utt": sentence.text,
        "annot_utt": sentence.annotated,
        "worker_id": "grammar",
        "slot_method": {"slot": slots, "method": ["translation"] * len(slots)},
        "judgments": {name: [] for name in SCHEMA.field("judgments").type.names},
        "tokens": sentence.text.split(),
        "labels": labels(sentence),
        "audio": {"bytes": clip.audio, "path": file},
        "path": file,
        "is_transcript_reported": False,
        "is_validated": True,
        "speaker_id": speaker.speaker_id,
        "speaker_sex": speaker.sex,
        "speaker_age": speaker.age,
        "speaker_ethnicity_simple": "Synthetic",
        "speaker_country_of_birth": speaker.country,
        "speaker_country_of_residence": speaker.country,
        "speaker_nationality": speaker.country,
        "speaker_first_language": speaker.first_language,
        "condition": clip.condition,
    }


def rows(split: Split) -> Iterator[dict[str, Any]]:
    """Speak a split; a third of the test is said by people whom nothing else hears.

    Raises:
        SynthesisError: a sentence does not fit into a clip at any speed.
    """
    rng = random.Random(f"corpus {split.language} {split.partition}")
    known, unseen = (speakers(split.language, unseen=which) for which in (False, True))
    voices: list[Signal] = []
    with Synthesizer() as synthesizer:
        for row in split.rows:
            sentence = row.sentences[split.language]
            stranger = split.partition == "test" and rng.random() < UNSEEN_SHARE
            speaker = rng.choice(unseen if stranger else known)
            fitted = fit(synthesizer, sentence.text, speaker, manner(speaker, rng))
            if fitted is None:
                raise SynthesisError(f"{sentence.text!r} is too long for a clip; shorten its template")
            clip = record(fitted[0].samples, rng, voices)
            yield _row(sentence, row.number, split.partition, speaker, clip)


def write(split: Split, folder: Path) -> Path:
    """Speak and write a split; the final name appears only when the file is whole."""
    path = folder / split.path
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist(list(rows(split)), schema=SCHEMA)
    partial = path.with_suffix(".partial")
    pq.write_table(table, partial, row_group_size=ROW_GROUP, compression="zstd", compression_level=12)
    partial.replace(path)
    return path


def main(
    out: Annotated[Path, typer.Option(help="Folder of the corpus.")],
    workers: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
) -> None:
    """Make what is missing of the embedded corpus."""
    missing = [split for split in splits() if not (out / split.path).exists()]
    console = Console(stderr=True)
    with (
        Progress(console=console) as progress,
        ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool,
    ):
        task = progress.add_task("corpus", total=len(missing))
        for future in as_completed([pool.submit(write, split, out) for split in missing]):
            path = future.result()
            progress.console.print(f"{path}: {path.stat().st_size / 2**20:.2f} MiB")
            progress.advance(task)


if __name__ == "__main__":
    typer.run(main)
