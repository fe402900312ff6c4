"""The grammar keeps its promises of size, form and of what is held out."""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict

import pytest

from tools.mini.grammar import LANGUAGES, command, draw_meaning, generic, lexicon, part, say
from tools.mini.grammar.draw_sentences import MAX_WORDS, filler_held_out, template_held_out
from tools.mini.grammar.language import entities_of, language
from tools.mini.grammar.ontology import INTENTS, SCENARIOS, SLOT_OF_KIND, scenario_of

PLACE = re.compile(r"\{(\w+)\}")


@pytest.fixture(params=LANGUAGES)
def code(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_is_large_enough(code: str) -> None:
    spoken = language(code)
    assert len(spoken.templates) >= 22
    assert len({scenario_of(intent) for intent in spoken.templates}) >= 10
    assert len({slot for slot in SLOT_OF_KIND.values() if slot}) >= 13
    assert min(map(len, spoken.templates.values())) >= 8
    assert len(spoken.command_words()) >= 650
    assert len(spoken.everyday_words() - spoken.command_words()) >= 300


def test_speaks_of_massive_alone(code: str) -> None:
    assert set(language(code).templates) <= set(INTENTS)
    assert {scenario_of(intent) for intent in language(code).templates} <= set(SCENARIOS)
    assert len(SCENARIOS) == 18
    assert len(INTENTS) == 60


def test_languages_are_aligned(code: str) -> None:
    first, other = language(LANGUAGES[0]), language(code)
    assert {kind: len(fillers) for kind, fillers in first.fillers.items()} == {
        kind: len(fillers) for kind, fillers in other.fillers.items()
    }
    assert first.templates.keys() == other.templates.keys()
    for intent, templates in first.templates.items():
        kinds = [sorted(PLACE.findall(template)) for template in templates]
        assert kinds == [sorted(PLACE.findall(template)) for template in other.templates[intent]], intent
    assert (len(first.before), len(first.after)) == (len(other.before), len(other.after))


def test_lists_hold_nothing_twice(code: str) -> None:
    spoken = language(code)
    for kind, fillers in spoken.fillers.items():
        words = [filler.words for filler in fillers]
        assert len(set(words)) == len(words), kind
    templates = Counter(template for lines in spoken.templates.values() for template in lines)
    assert [template for template, count in templates.items() if count > 1] == []


def test_commands_are_plain_words_and_their_annotation_parses(code: str) -> None:
    rng = random.Random(3)
    for _ in range(3000):
        sentence = command(code, rng)
        assert re.fullmatch(r"[a-zàâäçéèêëîïôöùûüœß'\- ]+", sentence.text), sentence.text
        assert sentence.text == " ".join(sentence.text.split()) == sentence.text.lower()
        assert len(sentence.text.split()) <= MAX_WORDS
        assert entities_of(sentence.annotated) == sentence.entities
        for slot, filler in sentence.entities:
            assert slot in SLOT_OF_KIND.values()
            assert f" {filler} " in f" {sentence.text} "


def test_french_elides() -> None:
    rng = random.Random(4)
    wrong = re.compile(
        r"(?<!-)\b(de|le|la|que|je|ne|du|au) (?=[aeiouéèêâîôû])(?!onze|une?\b)|\b(de|à) les?\b"
    )
    for _ in range(5000):
        text = command("fr", rng).text
        assert not wrong.search(text), text


def test_no_sentence_has_two_meanings(code: str) -> None:
    rng = random.Random(5)
    meanings = defaultdict(set)
    for _ in range(20_000):
        sentence = command(code, rng)
        meanings[sentence.text].add((sentence.intent, sentence.entities))
    assert [text for text, found in meanings.items() if len(found) > 1] == []


def test_the_number_of_entities_varies(code: str) -> None:
    rng = random.Random(6)
    counts = Counter(len(command(code, rng).entities) for _ in range(2000))
    assert min(counts[number] for number in (0, 1, 2, 3)) >= 40


def test_every_intent_and_slot_can_be_learnt_without_what_is_held_out(code: str) -> None:
    rng = random.Random(7)
    sentences = [command(code, rng, held_out=False) for _ in range(4000)]
    assert {sentence.intent for sentence in sentences} == set(language(code).templates)
    slots = {slot for sentence in sentences for slot, _ in sentence.entities}
    assert slots == {slot for slot in SLOT_OF_KIND.values() if slot}


def test_held_out_fillers_and_templates_stay_out(code: str) -> None:
    rng = random.Random(8)
    held = {
        (SLOT_OF_KIND[kind], filler.words)
        for kind, fillers in language(code).fillers.items()
        for position, filler in enumerate(fillers)
        if filler_held_out(kind, position)
    }
    templates = [
        f"{intent}.{position}"
        for intent, lines in language(code).templates.items()
        for position in range(len(lines))
        if template_held_out(position)
    ]
    for _ in range(4000):
        sentence = command(code, rng, held_out=False)
        assert not sentence.held_out
        assert not held & set(sentence.entities)
        assert sentence.template not in templates
    assert all(command(code, rng, held_out=True).held_out for _ in range(500))
    every = sum(map(len, language(code).templates.values()))
    assert 0.20 <= len(templates) / every <= 0.25
    fillers = sum(len(found) for kind, found in language(code).fillers.items() if SLOT_OF_KIND[kind])
    assert 0.25 <= len(held) / fillers <= 0.35


def test_a_meaning_is_the_same_in_every_language() -> None:
    rng = random.Random(9)
    for _ in range(500):
        sentences = [say(meaning, code) for meaning in [draw_meaning(rng)] for code in LANGUAGES]
        assert len({(s.intent, s.template, s.held_out) for s in sentences}) == 1
        assert len({tuple(sorted(slot for slot, _ in s.entities)) for s in sentences}) == 1


def test_the_same_seed_draws_the_same(code: str) -> None:
    first, second = random.Random(10), random.Random(10)
    assert [command(code, first) for _ in range(50)] == [command(code, second) for _ in range(50)]
    assert [generic(code, first) for _ in range(50)] == [generic(code, second) for _ in range(50)]


def test_generic_sentences_stay_within_the_lexicon_and_differ_in_length(code: str) -> None:
    rng = random.Random(11)
    texts = [generic(code, rng) for _ in range(3000)]
    assert {word for text in texts for word in text.split()} <= lexicon(code)
    lengths = {len(text.split()) for text in texts}
    assert min(lengths) == 1
    assert 8 <= max(lengths) <= MAX_WORDS


def test_generic_sentences_say_every_word_before_long(code: str) -> None:
    rng = random.Random(12)
    heard = {word for _ in range(12_000) for word in generic(code, rng).split()}
    assert lexicon(code) - heard == set()


def test_parts_halve_the_sentences(code: str) -> None:
    rng = random.Random(13)
    texts = {command(code, rng).text for _ in range(3000)}
    benchmark = sum(part(text) == "benchmark" for text in texts)
    assert 0.45 <= benchmark / len(texts) <= 0.55


def test_an_unknown_language_is_named() -> None:
    with pytest.raises(KeyError, match="de, fr, en, not 'xx'"):
        language("xx")
