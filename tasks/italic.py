"""ITALIC: Italian commands, MASSIVE's sentences read aloud by about seventy speakers, labelled with intents.

Koudounas et al. 2023, "ITALIC: An Italian Intent Classification Dataset", arXiv 2306.08502. It has
intents only. Slots come from MASSIVE's Italian text if the mirror has it, joined on the id over all of
MASSIVE's partitions, because ITALIC has splits of its own. Without it the slots are unknown: only intents are
trained and evaluated, and no slot metrics are computed.
"""

from collections.abc import Iterable

from slubench import Clip, Corpus, Entity, HubRepo, Join, Layout, Meaning, Task, Utterance
from slubench.data.formats.massive import annotated
from slubench.data.formats.ontology import INTENTS, split_intent
from slubench.domain.corpus import ANY, STRING, Row
from slubench.errors import DataError

# Columns that become slices, by the slice's name. The authors' README lists them without types. It lists no
# `id`: it is assumed to be MASSIVE's, because the speakers read MASSIVE's sentences.
SLICES = {
    "speaker_sex": ("gender",),
    "speaker_age": ("age",),
    "speaker_nationality": ("nationality",),
    "speaker_native": ("is_native",),
    "condition": ("environment",),
    "device": ("device",),
}


def read(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a row; its slots come from the MASSIVE row with the same id, if there is one.

    Raises:
        DataError: The intent is not in the ontology or differs from MASSIVE's, or the sentence is empty.
    """
    intent = row["intent"]
    intent = INTENTS[intent] if isinstance(intent, int) and 0 <= intent < len(INTENTS) else intent
    scenario, action = split_intent(intent)
    text, partner = row["utt"] or "", row["massive"]
    remarks: tuple[str, ...] = ()
    if not text.strip():
        raise DataError("utt is empty")
    entities: tuple[Entity, ...] = ()
    if partner is not None:
        plain, entities = annotated(partner["annot_utt"], partner["utt"])
        theirs = partner["intent"]
        theirs = INTENTS[theirs] if isinstance(theirs, int) else theirs
        if theirs != intent:
            raise DataError(f"the intent is {intent!r}, but {theirs!r} in MASSIVE for the same id")
        if plain.lower().split() != text.lower().split():
            remarks = ("utt is not MASSIVE's sentence with that id",)
    return Utterance(
        id=str(row["id"]),
        language=language,
        text=text,
        meaning=Meaning(scenario, action, entities),
        clip=clip,
        speaker=str(row["speaker"]) if row.get("speaker") is not None else None,
        slices={name: str(row[name]) for name in SLICES if row.get(name) is not None},
        slots_known=partner is not None,
        remarks=remarks,
    )


def recordings(row: Row) -> Iterable[tuple[Row, tuple[str, ...]]]:
    """The recording of a row as the authors release it: `recordings/<id>.wav`."""
    name = f"{row['id']}.wav"
    yield row, (f"ITALIC/recordings/{name}", f"recordings/{name}", f"zenodo_dataset/recordings/{name}")


def by_id(row: Row) -> Iterable[tuple[str, Row]]:
    """Key of a MASSIVE row: its id."""
    yield str(row["id"]), row


def id_of(row: Row) -> str:
    """Key of an ITALIC row: the id, shared with MASSIVE."""
    return str(row["id"])


MASSIVE_TEXT = Join(
    name="massive",
    files=(
        "massive/{locale}.jsonl",
        "massive/{locale}.jsonl.gz",
        "massive/data/{locale}.jsonl",
        "1.1/data/{locale}.jsonl",
        "AmazonScience/massive/{locale}/*/[0-9]*.parquet",
    ),
    keyed=by_id,
    on=id_of,
    needed=False,
    remedy="Put MASSIVE's it-IT.jsonl into DIR/massive to get slots.",
)

ITALIC = Corpus(
    name="italic",
    locales={"it": "it-IT"},
    layouts=(
        Layout(
            name="ITALIC's Parquet files on the Hub",
            places={"*": HubRepo("RiTA-nlp/ITALIC")},
            files=("massive/{split}-*.parquet", "data/{split}-*.parquet", "{split}-*.parquet"),
            columns={"id": ANY, "utt": STRING, "intent": ANY},
            optional={"speaker": ANY, **dict.fromkeys(SLICES, ANY)},
            names={
                "utt": ("transcript", "sentence", "text"),
                "intent": ("intent_str", "label"),
                "speaker": ("speaker_id", "user_id"),
                **SLICES,
            },
            read=read,
            joins=(MASSIVE_TEXT,),
            assumed=True,
        ),
        Layout(
            name="ITALIC as its authors release it",
            files=tuple(
                f"{folder}{part}{{split}}.{ending}"
                for folder in ("ITALIC/", "", "zenodo_dataset/")
                for part in ("massive_", "massive/", "")
                for ending in ("json", "jsonl")
            ),
            columns={"id": ANY, "utt": STRING, "intent": ANY},
            optional={"speaker": ANY, **dict.fromkeys(SLICES, ANY)},
            names={
                "utt": ("field", "transcript", "sentence", "text"),
                "speaker": ("speaker_id", "user_id"),
                **SLICES,
            },
            read=read,
            splits={"validation": ("validation", "dev")},
            recordings=recordings,
            joins=(MASSIVE_TEXT,),
            assumed=True,
        ),
    ),
    licence="CC-BY-4.0",
    terms="Its README states CC BY 4.0 but also links to CC BY-NC-SA 4.0; see its page.",
    home_page="https://huggingface.co/datasets/RiTA-nlp/ITALIC",
)

ITALIC_TASK = Task(
    name="italic",
    corpus=ITALIC,
    test_in="it",
    text_in=("it",),
    speech_in=("it",),
    summary="Italian commands, intents only unless MASSIVE's text is available",
)
