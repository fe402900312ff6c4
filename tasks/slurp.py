"""SLURP: English commands for a home assistant, recorded near and far from the microphone.

Bastianelli et al. 2020, "SLURP: A Spoken Language Understanding Resource Package", arXiv 2011.13205. Its
`intent` field is never read: in some rows it has lost the scenario. An intent is scenario and action.
"""

from collections.abc import Callable, Iterable

from slubench import Clip, Corpus, Entity, Join, Layout, Meaning, Place, Task, Utterance
from slubench.corpus import ANY, INTEGER, LIST, STRING, Download, Row
from slubench.errors import DataError
from slubench.massive_rows import SLICES, read_spoken
from slubench.ontology import check_slot_types, split_intent

TEXT = "slurp/dataset/slurp"
AUDIO = ("slurp/audio/slurp_real", "slurp/audio/slurp_synth")
GITHUB = "https://raw.githubusercontent.com/pswietojanski/slurp/master/dataset/slurp"
ZENODO = "https://zenodo.org/records/4274930/files"

# A speaker's id is sex (F, M, UNK), then English as first language or another (E, O), then a number.
SEXES = {"F": "Female", "M": "Male"}
FIRST_LANGUAGES = {"E": "English", "O": "other"}


def recordings(row: Row) -> Iterable[tuple[Row, tuple[str, ...]]]:
    """A row for each recording of a sentence, and where its file may lie."""
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
    slices, speaker = {}, None
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
        synthetic="slurp_synth" in clip.file if clip is not None else False,
        remarks=() if spoken else ("the sentence does not match its tokens",),
    )


def entities(spans: Iterable[Row], tokens: list[str]) -> tuple[Entity, ...]:
    """Type and filler of each entity; the filler is lower-cased tokens, as the official scorer has it.

    Raises:
        DataError: A span is beyond the tokens, or a type beyond the ontology.
    """
    found = []
    for entity in spans:
        span = entity["span"]
        if not span or min(span) < 0 or max(span) >= len(tokens):
            raise DataError(f"the span {span} of {entity['type']!r} is beyond the {len(tokens)} tokens")
        found.append(Entity(entity["type"], " ".join(tokens[place] for place in span).lower()))
    check_slot_types({entity.type for entity in found})
    return tuple(found)


def of_speaker(speaker: str) -> dict[str, str]:
    """Sex and first language, as a speaker's id tells them."""
    sex = next((sex for sex in SEXES if speaker.startswith(sex)), "")
    native = speaker.removeprefix(sex)[:1] if sex else ""
    told = {"speaker_sex": SEXES.get(sex), "speaker_first_language": FIRST_LANGUAGES.get(native)}
    return {name: value for name, value in told.items() if value}


def read_mirrored(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a recording of a Hub mirror, whose labels are those of the authors' JSON lines.

    Raises:
        DataError: The JSON lines know no such sentence; or as `read_sentence`.
    """
    labels = row["labels"]
    if labels is None:
        raise DataError(f"no sentence of SLURP's JSON lines has slurp_id {row['id']}")
    name = mirrored_name(row)
    if not name and clip is not None:
        name = f"row-{clip.file.rsplit('/', 1)[-1]}-{clip.row}"
    return read_sentence({**labels, "recording": name, "metadata": row["metadata"]}, language, clip)


def by_recording(records: Row) -> Iterable[tuple[str, Row]]:
    """The records of `metadata.json`, of all recordings of a sentence at once, by each recording's file."""
    for record in records.values():
        told = record.get("recordings") or {}
        yield from ((name, told) for name in told)


def by_sentence(sentence: Row) -> Iterable[tuple[str, Row]]:
    """A sentence of the JSON lines by its id, which it bears under the name that `read_sentence` knows."""
    yield str(sentence["slurp_id"]), {**sentence, "id": sentence["slurp_id"]}


def sentence_of(row: Row) -> str:
    """The id of a row's sentence."""
    return str(row["id"])


def first_recording(row: Row) -> str:
    """The file of a sentence's first recording."""
    return str(row["recordings"][0]["file"]) if row["recordings"] else ""


def mirrored_name(row: Row) -> str:
    """The file of a Hub mirror's recording, or empty where the mirror does not tell it."""
    return str((row.get("audio") or {}).get("path") or "").rsplit("/", 1)[-1]


def speakers(on: Callable[[Row], str]) -> Join:
    """The speakers, which `metadata.json` alone tells."""
    return Join(
        name="metadata",
        files=(f"{TEXT}/metadata.json",),
        keyed=by_recording,
        on=on,
        needed=False,
        remedy=f"It is at {GITHUB}/metadata.json.",
    )


LABELS = Join(
    name="labels",
    files=(f"{TEXT}/{{split}}.jsonl", f"{TEXT}/{{split}}.jsonl.gz"),
    keyed=by_sentence,
    on=sentence_of,
    remedy="`slubench data prepare slurp --corpora DIR` fetches it; the labels of Hub mirrors are not used.",
)


def mirror(repository: str, sentence: str) -> Layout:
    """A Hub mirror's Parquet; audio is taken from it and nothing else."""
    return Layout(
        name=f"the Parquet of {repository}",
        places={"*": Place(repository)},
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
            name="the miniature's Parquet",
            places={"*": Place("slubench/mini-slurp", on_hub=False)},
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
    terms="The audio is not for commercial use.",
    home_page="https://github.com/pswietojanski/slurp",
    sizes={"test": 13_078},
)

SLURP_RECORDINGS = Task(
    name="slurp",
    corpus=SLURP,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    summary="English commands, every recording of the test asked",
)
SLURP_SENTENCES = Task(
    name="slurp-sentences",
    corpus=SLURP,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    unit="sentences",
    summary="English commands, one recording of each test sentence asked",
)
SLURP_SYNTHETIC = Task(
    name="slurp-synthetic",
    corpus=SLURP,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    speech="train_synthetic",
    data_track="open",
    summary="English commands, learnt from the authors' synthetic speech",
)
