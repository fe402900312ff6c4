"""Reads SLURP: the authors' JSON lines, `metadata.json`, and the rows of Hub mirrors.

Bastianelli et al. 2020, arXiv 2011.13205. Labels are scenario and action; the `intent` field, which in some
rows has lost the scenario, is never read.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slubench.data.formats.ontology import check_slot_types, split_intent
from slubench.domain.corpus import Row
from slubench.domain.meaning import Entity, Meaning
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError

# Where the authors' recordings lie below a mirror's root: spoken by people, and by machines.
AUDIO = ("slurp/audio/slurp_real", "slurp/audio/slurp_synth")

# A speaker's id is sex (F, M, UNK), then English as first language or another (E, O), then a number.
SEXES = {"F": "Female", "M": "Male"}
FIRST_LANGUAGES = {"E": "English", "O": "other"}


def recordings(row: Row) -> Iterable[tuple[Row, tuple[str, ...]]]:
    """One row for each recording of a sentence, with the paths where its file may be."""
    for recording in row["recordings"] or ():
        name = str(recording["file"])
        yield {**row, "recording": name}, tuple(f"{folder}/{name}" for folder in AUDIO)


def read_sentence(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a sentence of the authors' JSON lines, or one of its recordings.

    Raises:
        DataError: Scenario and action are no intent, an entity's span or type is not there, or it is empty.
    """
    scenario, action = split_intent(f"{row['scenario']}_{row['action']}")
    if not (row["sentence"] or "").strip():
        raise DataError("the sentence is empty")
    tokens = [str(token["surface"]) for token in row["tokens"]]
    recording = row.get("recording", "")
    slices: dict[str, str] = {}
    speaker: str | None = None
    if recording:
        slices["microphone"] = "close" if "-headset" in recording else "far"
        speaker = ((row.get("metadata") or {}).get(recording) or {}).get("usrid")
    if speaker:
        slices |= of_speaker(speaker)
    spoken = "".join("".join(tokens).lower().split()) == "".join(row["sentence"].lower().split())
    return Utterance(
        id=str(row["id"]),
        language=language,
        text=row["sentence"],
        meaning=Meaning(scenario, action, entities(row["entities"], tokens)),
        clip=clip,
        recording=recording,
        speaker=speaker,
        slices=slices,
        synthetic=clip is not None and f"/{AUDIO[1]}/" in f"/{clip.file}",
        remarks=() if spoken else ("the sentence does not match its tokens",),
    )


def entities(spans: Iterable[Row], tokens: Sequence[str]) -> tuple[Entity, ...]:
    """`spanned`, limited to known types and spans of at least one token.

    Raises:
        DataError: A span is empty or beyond the tokens, or a type beyond the ontology.
    """
    spans = list(spans)
    for entity in spans:
        if not entity["span"]:
            raise DataError(f"the span of {entity['type']!r} is empty")
    found = spanned(spans, tokens)
    check_slot_types({entity.type for entity in found})
    return found


def spanned(spans: Iterable[Row], tokens: Sequence[str]) -> tuple[Entity, ...]:
    """Type and filler of each entity; fillers are lower-cased tokens, as in the official scorer.

    Raises:
        DataError: A span is no list of token numbers, or beyond the tokens.
    """
    found = []
    for entity in spans:
        span, kind = entity["span"], str(entity.get("type", "unknown"))
        if not isinstance(span, list) or not all(isinstance(at, int) for at in span):
            raise DataError(f"the span {span} of {kind!r} is not a list of token numbers")
        if any(not 0 <= at < len(tokens) for at in span):
            raise DataError(f"the span {span} of {kind!r} goes beyond the {len(tokens)} tokens")
        found.append(Entity(kind, " ".join(tokens[place] for place in span).lower()))
    return tuple(found)


def labels_of(spans: Iterable[Row], tokens: Sequence[str]) -> list[str]:
    """A BIO label for each token, from the spans that `spanned` accepts."""
    labels = ["O"] * len(tokens)
    for entity in spans:
        for at, place in enumerate(sorted(entity["span"])):
            labels[place] = f"{'I' if at else 'B'}-{entity.get('type', 'unknown')}"
    return labels


def of_speaker(speaker: str) -> dict[str, str]:
    """Sex and first language, as encoded in a speaker's id."""
    sex = next((sex for sex in (*SEXES, "UNK") if speaker.startswith(sex)), "")
    native = speaker.removeprefix(sex)[:1] if sex else ""
    told = {"speaker_sex": SEXES.get(sex), "speaker_first_language": FIRST_LANGUAGES.get(native)}
    return {name: value for name, value in told.items() if value}


def read_mirrored(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a recording of a Hub mirror, with labels from the authors' JSON lines.

    Raises:
        DataError: The JSON lines know no such sentence; or as `read_sentence`.
    """
    labels = row["labels"]
    if labels is None:
        raise DataError(f"no sentence in SLURP's JSON lines has slurp_id {row['id']}")
    name = mirrored_name(row)
    if not name and clip is not None:
        name = f"row-{clip.file.rsplit('/', 1)[-1]}-{clip.row}"
    return read_sentence({**labels, "recording": name, "metadata": row["metadata"]}, language, clip)


def by_recording(records: Row) -> Iterable[tuple[str, Row]]:
    """The records of `metadata.json`, which cover all recordings of a sentence, by each recording's file."""
    for record in records.values():
        told = record.get("recordings") or {}
        yield from ((name, told) for name in told)


def by_sentence(sentence: Row) -> Iterable[tuple[str, Row]]:
    """A sentence of the JSON lines by its id, under the name that `read_sentence` uses."""
    yield str(sentence["slurp_id"]), {**sentence, "id": sentence["slurp_id"]}


def sentence_of(row: Row) -> str:
    """The id of a row's sentence."""
    return str(row["id"])


def first_recording(row: Row) -> str:
    """The file of a sentence's first recording."""
    return str(row["recordings"][0]["file"]) if row["recordings"] else ""


def mirrored_name(row: Row) -> str:
    """The file of a Hub mirror's recording; empty if the mirror does not name it."""
    return str((row.get("audio") or {}).get("path") or "").rsplit("/", 1)[-1]
