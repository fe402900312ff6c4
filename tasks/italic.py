"""ITALIC: Italian commands, MASSIVE's sentences read aloud by some seventy people, with intents.

Koudounas et al. 2023, "ITALIC: An Italian Intent Classification Dataset", arXiv 2306.08502. It tells the
intent; slots come from MASSIVE's Italian text where that lies in the mirror, joined on the id (in all of
MASSIVE's partitions, for ITALIC drew its own). Without it they are unknown: a run learns and is asked
intents, and no measure of slots is taken.
"""

from collections.abc import Iterable

from slubench import Clip, Corpus, Entity, HubRepo, Join, Layout, Meaning, Task, Utterance
from slubench.data.formats.massive import annotated
from slubench.data.formats.ontology import INTENTS, split_intent
from slubench.domain.corpus import ANY, STRING, Row
from slubench.errors import DataError

# Columns that become slices, by the slice's name; the makers' README names them and tells no types. It names
# no `id` either: it is taken to be MASSIVE's, whose sentences were read.
SLICES = {
    "speaker_sex": ("gender",),
    "speaker_age": ("age",),
    "speaker_nationality": ("nationality",),
    "speaker_native": ("is_native",),
    "condition": ("environment",),
    "device": ("device",),
}


def read(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a row; slots are MASSIVE's, where the row has a partner there.

    Raises:
        DataError: The intent is beyond the ontology or not MASSIVE's, or the sentence is empty.
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
            raise DataError(f"the intent is {intent!r} here and {theirs!r} in MASSIVE for the same id")
        if plain.lower().split() != text.lower().split():
            remarks = ("utt is not MASSIVE's sentence of that id",)
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


def by_id(row: Row) -> Iterable[tuple[str, Row]]:
    """A row of MASSIVE by its id."""
    yield str(row["id"]), row


def id_of(row: Row) -> str:
    """The id that ITALIC and MASSIVE share."""
    return str(row["id"])


ITALIC = Corpus(
    name="italic",
    locales={"it": "it-IT"},
    layouts=(
        Layout(
            name="the Hub's Parquet of ITALIC",
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
            joins=(
                Join(
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
                    remedy="MASSIVE's it-IT.jsonl in DIR/massive gives the slots.",
                ),
            ),
            assumed=True,
        ),
    ),
    licence="CC-BY-4.0",
    terms="So its README says, which links CC BY-NC-SA 4.0 too: read its page.",
    home_page="https://huggingface.co/datasets/RiTA-nlp/ITALIC",
)

ITALIC_TASK = Task(
    name="italic",
    corpus=ITALIC,
    test_in="it",
    text_in=("it",),
    speech_in=("it",),
    summary="Italian commands, intents alone where MASSIVE's text is not at hand",
)
