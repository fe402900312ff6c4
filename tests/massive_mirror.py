"""Makes small mirrors of Speech-MASSIVE in the Hub's own layout, for tests."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile

from slubench.data.formats.ontology import INTENTS, SCENARIOS
from slubench.domain.meaning import SLOT

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("locale", pa.string()),
        ("partition", pa.string()),
        ("scenario", pa.int64()),
        ("scenario_str", pa.string()),
        ("intent_idx", pa.int64()),
        ("intent_str", pa.string()),
        ("utt", pa.string()),
        ("annot_utt", pa.string()),
        ("worker_id", pa.string()),
        ("slot_method", pa.struct([("slot", pa.list_(pa.string())), ("method", pa.list_(pa.string()))])),
        (
            "judgments",
            pa.struct(
                [
                    ("worker_id", pa.list_(pa.string())),
                    ("intent_score", pa.list_(pa.int8())),
                    ("slots_score", pa.list_(pa.int8())),
                    ("grammar_score", pa.list_(pa.int8())),
                    ("spelling_score", pa.list_(pa.int8())),
                    ("language_identification", pa.list_(pa.string())),
                ]
            ),
        ),
        ("tokens", pa.list_(pa.string())),
        ("labels", pa.list_(pa.string())),
        ("audio", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
        ("path", pa.string()),
        ("is_transcript_reported", pa.bool_()),
        ("is_validated", pa.bool_()),
        ("speaker_id", pa.string()),
        ("speaker_sex", pa.string()),
        ("speaker_age", pa.string()),
        ("speaker_ethnicity_simple", pa.string()),
        ("speaker_country_of_birth", pa.string()),
        ("speaker_country_of_residence", pa.string()),
        ("speaker_nationality", pa.string()),
        ("speaker_first_language", pa.string()),
    ]
)

SENTENCES = [
    ("alarm_set", "wecke mich um [time : fünf uhr]"),
    ("alarm_remove", "lösche den wecker [date : morgen]"),
    ("weather_query", "wie wird das wetter in [place_name : berlin]"),
    ("music_likeness", "das lied gefällt mir"),
    ("iot_hue_lightoff", "licht im [house_place : bad] aus"),
]


def tone(seconds: float = 0.5, rate: int = 44_100, pitch: float = 220.0) -> bytes:
    """A tone as WAV bytes."""
    return wav(0.3 * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate), rate)


def wav(samples: np.ndarray[Any, Any], rate: int, subtype: str = "PCM_16") -> bytes:
    """Samples as WAV bytes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="WAV", subtype=subtype)
    return buffer.getvalue()


def row(
    number: int, intent: str, annotated: str, locale: str, partition: str, audio: bytes | None, speaker: str
) -> dict[str, Any]:
    """A row with every column of Speech-MASSIVE."""
    scenario = intent.split("_")[0]
    text = SLOT.sub(r"\2", annotated)
    tokens, labels, rest = [], [], annotated
    for match in SLOT.finditer(annotated):
        before = rest[: rest.index(match.group(0))].split()
        tokens += [*before, *match.group(2).split()]
        labels += ["Other"] * len(before) + [match.group(1)] * len(match.group(2).split())
        rest = rest[rest.index(match.group(0)) + len(match.group(0)) :]
    tokens += rest.split()
    labels += ["Other"] * len(rest.split())
    name = f"{number}.wav"
    return {
        "id": str(number),
        "locale": locale,
        "partition": partition,
        "scenario": SCENARIOS.index(scenario) if scenario in SCENARIOS else 0,
        "scenario_str": scenario,
        "intent_idx": INTENTS.index(intent) if intent in INTENTS else 0,
        "intent_str": intent,
        "utt": text,
        "annot_utt": annotated,
        "worker_id": "1",
        "slot_method": {"slot": [], "method": []},
        "judgments": None,
        "tokens": tokens,
        "labels": labels,
        "audio": {"bytes": audio, "path": name},
        "path": name,
        "is_transcript_reported": False,
        "is_validated": True,
        "speaker_id": speaker,
        "speaker_sex": "Female" if number % 2 else "Male",
        "speaker_age": "33",
        "speaker_ethnicity_simple": "",
        "speaker_country_of_birth": "Germany",
        "speaker_country_of_residence": "Germany",
        "speaker_nationality": "Germany",
        "speaker_first_language": "German",
    }


def write_split(
    root: Path, split: str, rows: Sequence[Mapping[str, Any]], locale: str = "de-DE", shards: int = 1
) -> list[Path]:
    """Write a split's shards where the Hub has them; gives their paths."""
    repository = "FBK-MT/Speech-MASSIVE-test" if split == "test" else "FBK-MT/Speech-MASSIVE"
    folder = root / repository / locale
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(shards):
        path = folder / f"{split}-{number:05d}-of-{shards:05d}.parquet"
        table = pa.Table.from_pylist(list(rows[number::shards]), schema=SCHEMA)
        pq.write_table(table, path, row_group_size=50)
        paths.append(path)
    return paths


def make_mirror(
    root: Path,
    train: int = 20,
    test: int = 8,
    locale: str = "de-DE",
    audio: Callable[[int], bytes | None] = lambda number: tone(pitch=200.0 + number),
    speakers: int = 4,
) -> Path:
    """A mirror of tones: not speech, but every column and both repositories."""
    for split, first, size in (("train", 0, train), ("test", 10_000, test)):
        rows = []
        for number in range(first, first + size):
            intent, annotated = SENTENCES[number % len(SENTENCES)]
            rows.append(row(number, intent, annotated, locale, split, audio(number), str(number % speakers)))
        write_split(root, split, rows, locale)
    return root
