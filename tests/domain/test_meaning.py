"""Replies and annotations: what is read, what is refused, and that nothing else can happen."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slubench.domain.meaning import (
    AnnotationError,
    Entity,
    Meaning,
    ReplyError,
    as_reply,
    from_annotation,
    from_reply,
    meaning_of,
    transcript_of,
)

LOCALES = "ar-SA de-DE en-US es-ES fr-FR hu-HU ko-KR nl-NL pl-PL pt-PT ru-RU tr-TR vi-VN".split()

TEXT = st.text()  # hypothesis leaves out lone surrogates, which no file in UTF-8 can hold
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))
MEANINGS = st.builds(Meaning, TEXT, TEXT, st.lists(st.builds(Entity, TEXT, TEXT), max_size=5).map(tuple))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "scenario": ANY_TEXT | JSON,
        "action": ANY_TEXT | JSON,
        "entities": st.lists(JSON | st.dictionaries(ANY_TEXT, ANY_TEXT, max_size=3)) | JSON,
        "transcript": ANY_TEXT | JSON,
        "more": JSON,
    },
)
REPLIES = (
    ANY_TEXT
    | JSON.map(json.dumps)
    | NEARLY.map(json.dumps)
    | NEARLY.map(lambda reply: json.dumps(reply, ensure_ascii=False))
)

GOOD = '{"scenario":"alarm","action":"set","entities":[{"time":"eight o\'clock"}]}'


def test_the_reply_of_the_paper() -> None:
    meaning = Meaning("alarm", "set", (Entity("time", "eight o'clock"),))
    assert from_reply(GOOD) == meaning
    assert as_reply(meaning) == GOOD
    assert meaning.intent == "alarm_set"


@settings(deadline=None)
@given(MEANINGS)
def test_what_is_written_is_read_back(meaning: Meaning) -> None:
    written = as_reply(meaning)
    assert "\n" not in written
    assert from_reply(written) == meaning
    assert from_reply(f" \n{written}\t") == meaning


@settings(deadline=None)
@given(REPLIES)
@example("[" * 100_000)
@example('{"a":' * 100_000)
@example("[" * 100_000 + "]" * 100_000)
@example('{"scenario":"a","action":"b","entities":' + "[" * 5000 + "]" * 5000 + "}")
@example("1" * 10_000)
@example('{"scenario":' + "9" * 10_000 + ',"action":"b","entities":[]}')
@example('{"scenario":1e999,"action":"b","entities":[]}')
@example('{"scenario":NaN,"action":"b","entities":[]}')
@example('{"scenario":"a","action":"b","entities":[-Infinity]}')
@example("")
@example("\ufeff" + GOOD)
@example("\x00")
@example(GOOD[:-1])
@example(GOOD + GOOD)
def test_no_reply_raises_anything_but_its_own_error(reply: str) -> None:
    try:
        meaning = from_reply(reply)
    except ReplyError:
        assert meaning_of(reply) is None
        assert transcript_of(reply) is None
        return
    assert from_reply(as_reply(meaning)) == meaning
    assert as_reply(meaning).encode()  # fit for a file
    assert meaning_of(reply) == meaning
    assert isinstance(transcript_of(reply), str | None)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        ("I set the alarm.", "not JSON"),
        (GOOD + " Done.", "not JSON"),
        ('{"scenario":"a","action":"b","entities":[],"entities":[]}', "duplicate key"),
        ('{"scenario":"a","action":"b","entities":[{"time":"x","time":"y"}]}', "duplicate key"),
        ('{"scenario":"a","action":"b","entities":[{"time":NaN}]}', "NaN"),
        ('{"scenario":"a","action":"b"}', "keys"),
        ('{"scenario":"a","action":"b","entities":[],"text":"x"}', "keys"),
        ('[{"scenario":"a","action":"b","entities":[]}]', "keys"),
        ('{"scenario":null,"action":"b","entities":[]}', "strings"),
        ('{"scenario":"a","action":3,"entities":[]}', "strings"),
        ('{"scenario":"a","action":"b","entities":{}}', "list"),
        ('{"scenario":"a","action":"b","entities":["time"]}', "type and filler"),
        ('{"scenario":"a","action":"b","entities":[{}]}', "type and filler"),
        ('{"scenario":"a","action":"b","entities":[{"time":8}]}', "string"),
        ('{"scenario":"\\ud800","action":"b","entities":[]}', "surrogate"),
        ('{"scenario":"a","action":"b","entities":[{"\\udc00":"x"}]}', "surrogate"),
        ('{"scenario":"a","action":"b","entities":[{"time":"\\udfff"}]}', "surrogate"),
    ],
)
def test_why_a_reply_is_refused(reply: str, says: str) -> None:
    with pytest.raises(ReplyError, match=says):
        from_reply(reply)


@pytest.mark.parametrize(
    ("reply", "entities"),
    [
        ('{"entities":[],"action":"b","scenario":"a"}', ()),
        ('{"scenario":"a","action":"b","entities":[{"x":"1","y":"2"}]}', (("x", "1"), ("y", "2"))),
        ('{"scenario":"a","action":"b","entities":[{"x":"1"},{"x":"1"}]}', (("x", "1"), ("x", "1"))),
        ('{"scenario":"a","action":"b","entities":[{"x":"\\ud83d\\ude00"}]}', (("x", "😀"),)),
        ('{"scenario":"a","action":"b","entities":[{"":""}]}', (("", ""),)),
    ],
)
def test_what_else_is_read(reply: str, entities: tuple[tuple[str, str], ...]) -> None:
    assert from_reply(reply) == Meaning("a", "b", tuple(Entity(*entity) for entity in entities))


@settings(deadline=None)
@given(ANY_TEXT | st.text(alphabet="[]: ab"))
@example("[" * 100_000)
@example("[a : " * 20_000)
@example("[a" * 20_000 + " : b]")
def test_no_annotation_raises_anything_but_its_own_error(annotated: str) -> None:
    try:
        text, entities = from_annotation(annotated)
    except AnnotationError:
        return
    assert from_annotation(text) == (text, ())  # what is left is plain
    place = 0
    for entity in entities:  # in order of appearance, none lying within another
        assert entity.type == entity.type.strip() != ""
        place = text.index(entity.filler, place) + len(entity.filler)
    meaning = Meaning("alarm", "set", entities)
    if not any(0xD800 <= ord(letter) <= 0xDFFF for letter in annotated):
        assert from_reply(as_reply(meaning)) == meaning


WORDS = st.text(alphabet="abcü ,.'", min_size=1, max_size=12)
TYPES = st.text(alphabet="abc_", min_size=1, max_size=8)


@settings(deadline=None)
@given(st.lists(st.tuples(WORDS, st.none() | TYPES), max_size=6))
def test_what_is_annotated_is_read(segments: list[tuple[str, str | None]]) -> None:
    annotated = "".join(f"[{slot} : {words}]" if slot else words for words, slot in segments)
    text, entities = from_annotation(annotated)
    assert text == "".join(words for words, _ in segments)
    assert entities == tuple(Entity(slot, words.strip()) for words, slot in segments if slot)


@pytest.mark.parametrize(
    "annotated",
    ["wake me [time : noon", "noon]", "[time: noon]", "[a : [b : c]]", "[ : noon]", "[  : noon]"],
)
def test_broken_annotations_are_refused(annotated: str) -> None:
    with pytest.raises(AnnotationError, match="unmatched bracket"):
        from_annotation(annotated)


@pytest.mark.parametrize("locale", LOCALES)
def test_real_annotations_round_trip(locale: str, real_text: Path) -> None:
    with gzip.open(real_text / "massive" / f"{locale}.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    assert len(rows) == 16521
    for row in rows:
        text, entities = from_annotation(row["annot_utt"])
        assert text == row["utt"]
        assert row["annot_utt"].count("[") == len(entities)
        meaning = Meaning(row["scenario"], row["intent"].removeprefix(row["scenario"] + "_"), entities)
        assert meaning.intent == row["intent"]
        assert from_reply(as_reply(meaning)) == meaning
