"""STOP: English commands in eight domains, labelled with nested intents and slots.

Tomasello et al. 2022, "STOP: A dataset for Spoken Task Oriented Semantic Parsing", arXiv 2207.10643. A nested
parse is read flat: the outermost intent counts, and a slot within a slot bears both names
(`recipient/contact`). The tables are tab-separated; recordings are files of their own.
"""

import re
from collections.abc import Iterable

from slubench import Clip, Corpus, Entity, Layout, Meaning, Task, Utterance
from slubench.domain.corpus import ANY, STRING, Download, Row
from slubench.errors import DataError

TOKEN = re.compile(r"\[(IN|SL):([^\s\[\]]+)|\]|[^\s\[\]]+")


def parse(seqlogical: str) -> tuple[str, tuple[Entity, ...]]:
    """The outermost intent and all slots of a parse, outer ones first.

    Raises:
        DataError: Its brackets do not match, or it does not begin with an intent.
    """
    intent = ""
    opened: list[tuple[str, str, list[str], int]] = []
    slots: list[tuple[int, Entity]] = []
    for number, token in enumerate(TOKEN.finditer(seqlogical)):
        kind, name = token.group(1), token.group(2)
        if kind:
            if not opened and (intent or kind != "IN"):
                raise DataError(f"the parse does not begin with one intent: {seqlogical!r}")
            intent = intent or name.lower()
            opened.append((kind, name.lower(), [], number))
        elif token.group() == "]":
            if not opened:
                raise DataError(f"the brackets of the parse do not match: {seqlogical!r}")
            closed, label, words, place = opened.pop()
            if closed == "SL":
                outer = [one[1] for one in opened if one[0] == "SL"]
                slots.append((place, Entity("/".join([*outer, label]), " ".join(words))))
            if opened:
                opened[-1][2].extend(words)
        elif opened:
            opened[-1][2].append(token.group())
    if opened or not intent:
        raise DataError(f"the brackets of the parse do not match: {seqlogical!r}")
    return intent, tuple(entity for _, entity in sorted(slots, key=lambda pair: pair[0]))


def read(row: Row, language: str, clip: Clip | None) -> Utterance:
    """Read a row of a manifest.

    Raises:
        DataError: The parse is broken or the sentence is empty.
    """
    text = str(row["normalized_utterance"] or "")
    if not text.strip():
        raise DataError("normalized_utterance is empty")
    intent, entities = parse(str(row["normalized_seqlogical"] or ""))
    return Utterance(
        id=str(row["file_id"]),
        language=language,
        text=text,
        meaning=Meaning(str(row["domain"]), intent, entities),
        clip=clip,
        slices={name: str(row[name]) for name in ("gender", "native") if row.get(name) is not None},
    )


def recordings(row: Row) -> Iterable[tuple[Row, tuple[str, ...]]]:
    """The file of a row; the manifests add a number to the name of its folder that the archive lacks."""
    named = str(row["file_id"])
    plain = re.sub(r"_(train|eval|test)_\d+/", r"_\1/", named)
    yield row, tuple(f"stop/{name}" for name in dict.fromkeys((named, plain)))


STOP = Corpus(
    name="stop",
    locales={"en": "en-US"},
    layouts=(
        Layout(
            name="STOP's manifests",
            files=("stop/manifests/{split}.tsv",),
            columns={
                "file_id": STRING,
                "domain": STRING,
                "normalized_utterance": STRING,
                "normalized_seqlogical": STRING,
            },
            optional={"gender": ANY, "native": ANY},
            read=read,
            splits={"validation": ("eval",)},
            recordings=recordings,
            downloads=(Download("https://dl.fbaipublicfiles.com/stop/stop.tar.gz", "stop", archive=True),),
        ),
    ),
    licence="see its own licence file",
    terms="Read the licence file in the archive before use.",
    home_page="https://facebookresearch.github.io/spoken_task_oriented_parsing/",
)

TASK = Task(
    name="stop",
    corpus=STOP,
    test_in="en",
    text_in=("en",),
    speech_in=("en",),
    summary="English commands, nested intents and slots read flat",
)
