"""Speech-MASSIVE: spoken commands in twelve languages with scenario, intent and slots.

Lee et al. 2024, "Speech-MASSIVE: A Multilingual Speech Dataset for SLU and Beyond", arXiv 2408.03900;
text from MASSIVE (FitzGerald et al. 2022, arXiv 2204.08582). German and French have a full training
split; the other languages offer their 115 recorded sentences.
"""

from collections.abc import Mapping
from typing import Any

from slubench import Clip, Corpus, Meaning, Place, Task, Utterance
from slubench.errors import DataError
from slubench.meaning import AnnotationError, from_annotation

LOCALES = {
    "ar": "ar-SA",
    "de": "de-DE",
    "es": "es-ES",
    "fr": "fr-FR",
    "hu": "hu-HU",
    "ko": "ko-KR",
    "nl": "nl-NL",
    "pl": "pl-PL",
    "pt": "pt-PT",
    "ru": "ru-RU",
    "tr": "tr-TR",
    "vi": "vi-VN",
}
NAMES = {
    "ar": "Arabic",
    "de": "German",
    "es": "Spanish",
    "fr": "French",
    "hu": "Hungarian",
    "ko": "Korean",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ru": "Russian",
    "tr": "Turkish",
    "vi": "Vietnamese",
}
# Columns by which scores are sliced; a mirror may lack them (the miniature adds `condition`).
SLICES = ("speaker_sex", "speaker_age", "speaker_country_of_birth", "speaker_first_language", "condition")


def read(row: Mapping[str, Any], language: str, clip: Clip | None) -> Utterance:
    """Turn a row into an utterance.

    Raises:
        DataError: The annotation's brackets do not parse or disagree with `utt`, or the intent is not
            of the row's scenario.
    """
    scenario, intent = row["scenario_str"], row["intent_str"]
    if not scenario or not intent or not intent.startswith(f"{scenario}_") or intent not in INTENTS:
        raise DataError(f"unknown intent {intent!r} (scenario {scenario!r})")
    try:
        text, entities = from_annotation(row["annot_utt"] or "")
    except AnnotationError as error:
        raise DataError(str(error)) from None
    if " ".join(text.split()) != " ".join((row["utt"] or "").split()):
        raise DataError(f"annot_utt without its brackets is not utt: {text!r} and {row['utt']!r}")
    if not text.strip():
        raise DataError("utt is empty")
    slices = {name: str(row[name]) for name in SLICES if row.get(name) is not None}
    return Utterance(
        id=str(row["id"]),
        language=language,
        text=row["utt"],
        meaning=Meaning(scenario, intent.removeprefix(f"{scenario}_"), entities),
        clip=clip,
        speaker=str(row["speaker_id"]) if row.get("speaker_id") is not None else None,
        slices=slices,
    )


# The sixty intents of MASSIVE, which are SLURP's.
INTENTS = frozenset(
    f"{scenario}_{action}"
    for scenario, actions in {
        "alarm": "query remove set",
        "audio": "volume_down volume_mute volume_other volume_up",
        "calendar": "query remove set",
        "cooking": "query recipe",
        "datetime": "convert query",
        "email": "addcontact query querycontact sendemail",
        "general": "greet joke quirky",
        "iot": "cleaning coffee hue_lightchange hue_lightdim hue_lightoff hue_lighton hue_lightup"
        " wemo_off wemo_on",
        "lists": "createoradd query remove",
        "music": "dislikeness likeness query settings",
        "news": "query",
        "play": "audiobook game music podcasts radio",
        "qa": "currency definition factoid maths stock",
        "recommendation": "events locations movies",
        "social": "post query",
        "takeaway": "order query",
        "transport": "query taxi ticket traffic",
        "weather": "query",
    }.items()
    for action in actions.split()
)

SPEECH_MASSIVE = Corpus(
    name="speech-massive",
    places={
        "*": Place("FBK-MT/Speech-MASSIVE"),
        "test": Place("FBK-MT/Speech-MASSIVE-test", gated=True),
    },
    locales=LOCALES,
    files="{locale}/{split}-[0-9]*-of-[0-9]*.parquet",
    columns=("id", "scenario_str", "intent_str", "utt", "annot_utt"),
    optional=("speaker_id", *SLICES),
    read=read,
    licence="CC-BY-NC-SA-4.0",
    home_page="https://huggingface.co/datasets/FBK-MT/Speech-MASSIVE",
)

FULL = ("de", "fr")

MONOLINGUAL = tuple(
    Task(
        name=f"massive-{language}",
        corpus=SPEECH_MASSIVE,
        test_in=language,
        text_in=(language,),
        speech_in=(language,),
        train="train" if language in FULL else "train_115",
        summary=f"{NAMES[language]} commands" + ("" if language in FULL else ", from 115 sentences"),
    )
    for language in LOCALES
)

CROSS_LINGUAL = tuple(
    Task(
        name=f"massive-{source}-to-{target}",
        corpus=SPEECH_MASSIVE,
        test_in=target,
        text_in=(source,),
        speech_in=(source,),
        summary=f"{NAMES[target]} commands, from {NAMES[source]}",
    )
    for source in FULL
    for target in LOCALES
    if target != source
)
