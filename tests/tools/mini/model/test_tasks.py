"""What pretraining asks of a sentence, what it knows of it, and how the gap is scored."""

import json
from random import Random

import pytest

from tools.mini.grammar import LANGUAGES, command, part
from tools.mini.model.gap import scores, target
from tools.mini.model.instructions import (
    IN_BOTH_MODES,
    NICKNAMES,
    Material,
    all_entities,
    choose,
    copy,
    fields,
    one_entity,
    span,
    topic,
    word,
)
from tools.mini.model.materials import draw, from_command, recognise, surroundings

ALARM = Material("en", "wake me at six on monday", "alarm", "set", (("time", "six"), ("date", "monday")))


@pytest.mark.parametrize("code", LANGUAGES)
def test_commands_are_recognised_from_their_words(code: str) -> None:
    rng = Random(5)
    said = [command(code, rng) for _ in range(200)]
    found = [recognise(code, sentence.text) for sentence in said]
    wrong = [
        m for m, s in zip(found, said, strict=True) if m.entities != s.entities or m.scenario != s.scenario
    ]
    assert len(wrong) <= 4, wrong


def test_everyday_words_have_no_meaning() -> None:
    assert recognise("en", "the farmer paints anchor") == Material("en", "the farmer paints anchor")


def test_drawn_sentences_are_of_the_pretraining_part() -> None:
    rng = Random(1)
    assert {part(draw(rng).text) for _ in range(100)} == {"pretraining"}


def test_answers_come_from_the_sentence() -> None:
    rng, around = Random(2), surroundings()
    for _ in range(200):
        for task in (word, span):
            assert task(ALARM, around, rng).answer in ALARM.text
        found = one_entity(ALARM, around, rng)
        assert found.answer in {"none", "six", "monday"}
        values = next(
            v for v in json.loads(fields(ALARM, around, rng).answer).values() if isinstance(v, list)
        )
        assert all(value in ALARM.text for item in values for value in item.values())


def test_a_choice_is_what_was_heard() -> None:
    rng, around = Random(3), surroundings()
    for _ in range(100):
        asked = choose(ALARM, around, rng)
        _, yes, _, heard, _, no, _ = asked.instruction.split('"')
        assert asked.answer == (yes if heard in ALARM.words else no)


def test_structured_replies_use_no_name_of_the_benchmark() -> None:
    rng, around = Random(4), surroundings()
    asked = [task(ALARM, around, rng) for task in (all_entities, topic) for _ in range(50)]
    for reply in (question.answer for question in asked):
        assert not any(
            f'"{name}"' in reply for name in ("scenario", "action", "entities", "alarm", "time", "date")
        )
    assert all_entities(ALARM, around, Random(0)).answer.count(NICKNAMES["time"][0]) == 1


def test_copies_are_random_whatever_is_said() -> None:
    around = surroundings()
    assert copy(ALARM, around, Random(7)).answer == copy(Material("en", "x y"), around, Random(7)).answer


def test_shares_of_tasks_add_up() -> None:
    assert sum(IN_BOTH_MODES.values()) == pytest.approx(1.0)


def test_scores_count_intents_and_whole_replies() -> None:
    right = target(ALARM)
    assert right == '{"scenario":"alarm","action":"set","entities":[{"time":"six"},{"date":"monday"}]}'
    half = right.replace("six", "seven")
    assert scores([right, half, "no json", "3"], [ALARM] * 4) == {"intent": 0.5, "exact": 0.25}
    rng = Random(0)
    assert scores([target(from_command(command("de", rng)))], [ALARM])["exact"] == 0.0
