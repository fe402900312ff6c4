"""Reads rows annotated as in MASSIVE: `utt`, `annot_utt`, an intent, and perhaps a speaker.

Speech-MASSIVE, MASSIVE's own text and the miniature share it; they differ in the columns' names alone.
"""

from __future__ import annotations

from slubench.data.formats.ontology import INTENTS, SCENARIOS, check_label, check_slot_types, split_intent
from slubench.domain.corpus import Row
from slubench.domain.meaning import AnnotationError, Entity, Meaning, from_annotation
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError

# Columns by which scores are sliced; a mirror may lack them (the miniature adds `condition`).
SLICES = ("speaker_sex", "speaker_age", "speaker_country_of_birth", "speaker_first_language", "condition")


def read_spoken(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a row of Speech-MASSIVE, whose string and integer labels must agree.

    Raises:
        DataError: The annotation's brackets do not parse or disagree with `utt`, the intent is not of the
            row's scenario or beyond the ontology, or the row is of another language.
    """
    _check_locale(row, language)
    scenario, action = split_intent(row["intent_str"])
    if scenario != row["scenario_str"]:
        raise DataError(
            f"intent_str {row['intent_str']!r} does not belong to scenario_str {row['scenario_str']!r}"
        )
    check_label("scenario", row.get("scenario"), SCENARIOS, scenario)
    check_label("intent_idx", row.get("intent_idx"), INTENTS, row["intent_str"])
    text, entities = annotated(row["annot_utt"], row["utt"])
    return Utterance(
        id=str(row["id"]),
        language=language,
        text=text,
        meaning=Meaning(scenario, action, entities),
        clip=clip,
        speaker=str(row["speaker_id"]) if row.get("speaker_id") is not None else None,
        slices={name: str(row[name]) for name in SLICES if row.get(name) is not None},
        remarks=_remarks(row),
    )


def read_written(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a row of MASSIVE's text; labels are strings (official files) or integers (the Hub's).

    Raises:
        DataError: As `read_spoken`.
    """
    _check_locale(row, language)
    intent, scenario = _named(row["intent"], INTENTS), _named(row["scenario"], SCENARIOS)
    of_intent, action = split_intent(intent)
    if of_intent != scenario:
        raise DataError(f"intent {intent!r} does not belong to scenario {scenario!r}")
    text, entities = annotated(row["annot_utt"], row["utt"])
    return Utterance(str(row["id"]), language, text, Meaning(of_intent, action, entities), clip)


def annotated(annotation: str | None, text: str | None) -> tuple[str, tuple[Entity, ...]]:
    """The sentence and entities of an `annot_utt`; without its brackets it must be the sentence.

    Raises:
        DataError: It is not, its brackets do not parse, a type is beyond the ontology, or it is empty.
    """
    try:
        plain, entities = from_annotation(annotation or "")
    except AnnotationError as error:
        raise DataError(str(error)) from None
    if text is None or " ".join(plain.split()) != " ".join(text.split()):
        raise DataError(f"annot_utt without its brackets differs from utt: {plain!r} and {text!r}")
    if not text.strip():
        raise DataError("utt is empty")
    check_slot_types({entity.type for entity in entities})
    return text, entities


def _check_locale(row: Row, language: str) -> None:
    locale = row.get("locale")
    if locale and str(locale).split("-")[0] != language:
        raise DataError(f"the row's locale is {locale!r}, but the file's language is {language!r}")


def _named(label: object, names: tuple[str, ...]) -> object:
    if isinstance(label, int):
        if not 0 <= label < len(names):
            raise DataError(f"label {label} is out of range; the ontology has {len(names)}")
        return names[label]
    return label


def _remarks(row: Row) -> tuple[str, ...]:
    tokens, labels = row.get("tokens"), row.get("labels")
    found: list[str] = []
    if tokens is not None and " ".join(tokens).split() != (row["utt"] or "").split():
        found.append("utt does not match its tokens")
    if tokens is not None and labels is not None and len(tokens) != len(labels):
        found.append("different numbers of tokens and labels")
    return tuple(found)
