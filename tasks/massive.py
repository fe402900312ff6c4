"""Speech-MASSIVE: spoken commands in twelve languages, labelled with scenario, intent and slots.

Lee et al. 2024, "Speech-MASSIVE: A Multilingual Speech Dataset for SLU and Beyond", arXiv 2408.03900;
text from MASSIVE (FitzGerald et al. 2022, arXiv 2204.08582). German and French have a full training
split; the other languages have 115 training sentences.
"""

from slubench import Corpus, HubRepo, Layout, Task
from slubench.data.formats.massive import SLICES, read_spoken, read_written
from slubench.domain.corpus import INTEGER, LIST, STRING
from slubench.domain.languages import LANGUAGES

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
# Columns as third-party loaders expect them; a file with other columns is an error that names them.
COLUMNS = {"id": STRING, "scenario_str": STRING, "intent_str": STRING, "utt": STRING, "annot_utt": STRING}
OPTIONAL = {
    "locale": STRING,
    "scenario": INTEGER,
    "intent_idx": INTEGER,
    "tokens": LIST,
    "labels": LIST,
    "speaker_id": STRING,
    **dict.fromkeys(SLICES, STRING),
}

SPEECH_MASSIVE = Corpus(
    name="speech-massive",
    locales=LOCALES,
    layouts=(
        Layout(
            name="Speech-MASSIVE's Parquet files on the Hub",
            places={
                "*": HubRepo("FBK-MT/Speech-MASSIVE"),
                "test": HubRepo("FBK-MT/Speech-MASSIVE-test", gated=True),
            },
            files=("{locale}/{split}-[0-9]*-of-[0-9]*.parquet",),
            columns=COLUMNS,
            optional=OPTIONAL,
            read=read_spoken,
        ),
    ),
    licence="CC-BY-NC-SA-4.0",
    terms="Non-commercial, share alike. Accept the terms of the test set on the Hub.",
    home_page="https://huggingface.co/datasets/FBK-MT/Speech-MASSIVE",
    sizes={"train": 11_514, "train_115": 115, "validation": 2_033, "test": 2_974},
)

# All target-language text of the cross-lingual tasks: official JSON lines, the Hub's Parquet files, or the
# text of Speech-MASSIVE's training split if the language has one (as in the mini edition).
MASSIVE_TEXT = Corpus(
    name="massive-text",
    locales=LOCALES,
    layouts=(
        Layout(
            name="MASSIVE's official JSON lines",
            files=tuple(
                f"{folder}{{locale}}.jsonl{ending}"
                for folder in ("massive/", "massive/data/", "1.1/data/", "1.0/data/")
                for ending in ("", ".gz")
            ),
            columns={
                "id": STRING,
                "locale": STRING,
                "partition": STRING,
                "scenario": STRING,
                "intent": STRING,
                "utt": STRING,
                "annot_utt": STRING,
            },
            partition="partition",
            splits={"validation": ("dev",)},
            spoken=False,
            read=read_written,
        ),
        Layout(
            name="the text of Speech-MASSIVE",
            places={"*": HubRepo("FBK-MT/Speech-MASSIVE", on_hub=False)},
            files=("{locale}/{split}-[0-9]*-of-[0-9]*.parquet",),
            columns=COLUMNS,
            optional={"locale": STRING},
            spoken=False,
            read=read_spoken,
        ),
        Layout(
            name="MASSIVE's Parquet files on the Hub",
            places={"*": HubRepo("AmazonScience/massive", revision="refs/convert/parquet")},
            files=("{locale}/{split}/[0-9]*.parquet", "{locale}/massive-{split}.parquet"),
            columns={
                "id": STRING,
                "scenario": INTEGER,
                "intent": INTEGER,
                "utt": STRING,
                "annot_utt": STRING,
            },
            optional={"locale": STRING},
            spoken=False,
            assumed=True,
            read=read_written,
        ),
    ),
    licence="CC-BY-4.0",
    terms="Credit its authors: FitzGerald et al. 2022, Amazon.",
    home_page="https://huggingface.co/datasets/AmazonScience/massive",
    sizes={"train": 11_514, "validation": 2_033, "test": 2_974},
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
        few="train_115",
        summary=f"{LANGUAGES[language]} commands" + ("" if language in FULL else ", 115 training sentences"),
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
        few="train_115",
        target_text=MASSIVE_TEXT,
        summary=f"{LANGUAGES[target]} commands, trained on {LANGUAGES[source]}",
    )
    for source in FULL
    for target in LOCALES
    if target != source
)
