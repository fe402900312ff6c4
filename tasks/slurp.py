"""SLURP: English commands for a home assistant, recorded near and far from the microphone.

Bastianelli et al. 2020, "SLURP: A Spoken Language Understanding Resource Package", arXiv 2011.13205. Its
`intent` field is never used, because it lacks the scenario in some rows. The intent is scenario and action.
"""

from collections.abc import Callable

from slubench import Corpus, HubRepo, Join, Layout, Task
from slubench.data.formats.massive import SLICES, read_spoken
from slubench.data.formats.slurp import (
    AUDIO,
    by_recording,
    by_sentence,
    first_recording,
    mirrored_name,
    read_mirrored,
    read_sentence,
    recordings,
    sentence_of,
)
from slubench.domain.corpus import ANY, INTEGER, LIST, STRING, Download, Row

TEXT = "slurp/dataset/slurp"
GITHUB = "https://raw.githubusercontent.com/pswietojanski/slurp/master/dataset/slurp"
ZENODO = "https://zenodo.org/records/4274930/files"


def speakers(on: Callable[[Row], str]) -> Join:
    """The speakers, which only `metadata.json` contains."""
    return Join(
        name="metadata",
        files=(f"{TEXT}/metadata.json",),
        keyed=by_recording,
        on=on,
        needed=False,
        remedy=f"Download it from {GITHUB}/metadata.json.",
    )


LABELS = Join(
    name="labels",
    files=(f"{TEXT}/{{split}}.jsonl", f"{TEXT}/{{split}}.jsonl.gz"),
    keyed=by_sentence,
    on=sentence_of,
    remedy="Download it with `slubench data prepare slurp --corpora DIR`. Labels of Hub mirrors are not"
    " used.",
)


def mirror(repository: str, sentence: str) -> Layout:
    """A Hub mirror in Parquet; only its audio is used."""
    return Layout(
        name=f"the Parquet files of {repository}",
        places={"*": HubRepo(repository)},
        files=("data/{split}-*.parquet", "{split}-*.parquet", "*/{split}-*.parquet"),
        splits={"devel": ("devel", "validation", "dev")},
        columns={"id": ANY},
        names={"id": (sentence,)},
        read=read_mirrored,
        clip_names=True,
        joins=(LABELS, speakers(mirrored_name)),
        assumed=True,
    )


SLURP = Corpus(
    name="slurp",
    locales={"en": "en-US"},
    layouts=(
        Layout(
            name="the authors' JSON lines and FLAC files",
            files=(f"{TEXT}/{{split}}.jsonl", f"{TEXT}/{{split}}.jsonl.gz"),
            columns={
                "id": ANY,
                "sentence": STRING,
                "tokens": LIST,
                "scenario": STRING,
                "action": STRING,
                "entities": LIST,
                "recordings": LIST,
            },
            names={"id": ("slurp_id",)},
            read=read_sentence,
            recordings=recordings,
            folders=AUDIO,
            joins=(speakers(first_recording),),
            downloads=(
                *(
                    Download(f"{GITHUB}/{split}.jsonl", f"{TEXT}/{split}.jsonl", (split,))
                    for split in ("train", "devel", "test", "train_synthetic")
                ),
                Download(f"{GITHUB}/metadata.json", f"{TEXT}/metadata.json"),
                Download(
                    f"{ZENODO}/slurp_real.tar.gz", "slurp/audio", ("train", "devel", "test"), archive=True
                ),
                Download(f"{ZENODO}/slurp_synth.tar.gz", "slurp/audio", ("train_synthetic",), archive=True),
            ),
        ),
        mirror("qmeeus/slurp", "slurp_id"),
        mirror("marcel-gohsen/slurp", "slurp_id"),
        Layout(
            name="the mini edition's Parquet files",
            places={"*": HubRepo("slubench/mini-slurp", on_hub=False)},
            files=("{locale}/{split}-[0-9]*-of-[0-9]*.parquet",),
            splits={"devel": ("validation",)},
            columns=dict.fromkeys(("id", "scenario_str", "intent_str", "utt", "annot_utt"), STRING),
            optional={
                **dict.fromkeys(("locale", "speaker_id", *SLICES), STRING),
                **dict.fromkeys(("scenario", "intent_idx"), INTEGER),
                **dict.fromkeys(("tokens", "labels"), LIST),
            },
            read=read_spoken,
        ),
    ),
    licence="CC-BY-4.0 (text), CC-BY-NC-4.0 (audio)",
    terms="The audio is for non-commercial use only.",
    home_page="https://github.com/pswietojanski/slurp",
    sizes={"test": 13_078},
)

SLURP_RECORDINGS = Task(
    name="slurp",
    corpus=SLURP,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    validation="devel",
    summary="English commands, tested on every recording",
)
SLURP_SENTENCES = Task(
    name="slurp-sentences",
    corpus=SLURP,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    validation="devel",
    unit="sentences",
    summary="English commands, tested on one recording per sentence",
)
SLURP_SYNTHETIC = Task(
    name="slurp-synthetic",
    corpus=SLURP,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    validation="devel",
    speech="train_synthetic",
    data_track="open",
    summary="English commands, trained on the authors' synthetic speech",
)
