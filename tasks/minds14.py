"""MInDS-14: questions to a bank in fourteen languages, labelled with one of fourteen intents.

Gerz et al. 2021, "Multilingual and Cross-Lingual Intent Detection from Spoken Data", arXiv 2104.08524. It has
no slots, and one split, `train`: here three rows in ten are the test and one in ten validation, by SHA-256 of
the recording's name, so that everybody has the same.
"""

import hashlib
from collections.abc import Mapping

from slubench import Corpus, HubRepo, Task
from slubench.data.formats.table import Columns, table
from slubench.domain.corpus import Row
from slubench.domain.languages import LANGUAGES

LOCALES = {
    "cs": "cs-CZ",
    "de": "de-DE",
    "en": "en-GB",
    "en-au": "en-AU",
    "en-us": "en-US",
    "es": "es-ES",
    "fr": "fr-FR",
    "it": "it-IT",
    "ko": "ko-KR",
    "nl": "nl-NL",
    "pl": "pl-PL",
    "pt": "pt-PT",
    "ru": "ru-RU",
    "zh": "zh-CN",
}


def split_of(row: Row) -> str:
    """The split of a row, by its recording's name."""
    named = row.get("path") or row.get("audio")
    name = named.get("path") if isinstance(named, Mapping) else named
    tenth = int.from_bytes(hashlib.sha256(str(name).rpartition("/")[2].encode()).digest()[:4]) % 10
    return "test" if tenth < 3 else "validation" if tenth == 3 else "train"


MINDS14 = Corpus(
    name="minds14",
    locales=LOCALES,
    layouts=(
        table(
            ("{locale}/train-*.parquet", "{locale}/*.parquet"),
            Columns(text="transcription", intent="intent_class", id="path", domain="banking"),
            name="MInDS-14's Parquet files on the Hub",
            hub=HubRepo("PolyAI/minds14"),
            divide=split_of,
        ),
    ),
    licence="CC-BY-4.0",
    terms="Name its authors.",
    home_page="https://huggingface.co/datasets/PolyAI/minds14",
)

TASKS = tuple(
    Task(
        name=f"minds14-{language}",
        corpus=MINDS14,
        test_in=language,
        text_in=(language,),
        speech_in=(language,),
        summary=f"{LANGUAGES[language]} questions to a bank, intents only",
    )
    for language in LOCALES
)
