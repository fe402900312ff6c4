"""Metrics of a handful of replies, every number worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from slubench.domain.meaning import Entity, Meaning
from slubench.metrics import Count, measure, shipped, tally_all
from slubench.metrics.measured import Measured, Replies, families_of, measured
from slubench.metrics.slots import SlotCount, tally_slots
from slubench.metrics.tokens import TokenCount, tally_tokens
from slubench.metrics.words import tally_words


def meaning(intent: str, *entities: tuple[str, str]) -> Meaning:
    scenario, action = intent.split("_")
    return Meaning(scenario, action, tuple(Entity(*entity) for entity in entities))


def test_slu_f1_adds_words_and_characters_and_is_no_mean_of_two_f1s() -> None:
    gold = [meaning("alarm_set", ("time", "five pm"), ("day", "monday")), meaning("alarm_query")]
    said = [meaning("alarm_set", ("time", "nine pm")), meaning("music_query", ("song", "x"))]
    # Words: five/nine is 1 of 2. Characters: five -> nine is 2 of 7. `day` is missed, `song` made up.
    tp, fp, fn = 1 + 1, (1 / 2 + 1) + (2 / 7 + 1), (1 / 2 + 1) + (2 / 7 + 1)
    found = measure(tally_all(gold, said).sum(axis=0))
    assert found["slu_f1"] == pytest.approx(2 * tp / (2 * tp + fp + fn))
    assert found["slu_precision"] == pytest.approx(tp / (tp + fp))
    assert found["word_f1"] == pytest.approx(2 / (2 + 1.5 + 1.5))
    assert found["char_f1"] == pytest.approx(2 / (2 + 9 / 7 + 9 / 7))
    assert found["scenario_accuracy"] == 0.5
    assert found["action_accuracy"] == 1.0
    assert found["intent_accuracy"] == 0.5
    missed = measure(tally_all([gold[0]], [None])[0])
    assert [float(missed[name]) for name in ("slu_precision", "slu_recall")] == [0.0, 0.0]
    few = measure(tally_all([meaning("a_b", ("x", "1"), ("y", "2"))], [meaning("a_b", ("x", "1"))])[0])
    assert [float(few[name]) for name in ("slu_precision", "slu_recall")] == [1.0, 0.5]


@pytest.mark.parametrize("copies", [1, 40])
def test_a_word_and_a_character_distance_are_told_apart_in_a_batch_and_alone(copies: int) -> None:
    """Many replies are compared in a batch, few one by one."""
    gold = [meaning("a_b", ("t", f"{at} Aa bb"), ("u", "miss")) for at in range(copies)]
    said = [meaning("a_b", ("t", f"{at} aa bc"), ("v", "new")) for at in range(copies)]
    for row, at in zip(tally_all(gold, said), range(copies), strict=True):
        length = len(f"{at} aa bb")
        assert row[[Count.SPAN_TP, Count.SPAN_FP, Count.SPAN_FN]].tolist() == [0, 2, 2]
        assert row[[Count.WORD_TP, Count.WORD_FP, Count.WORD_FN]] == pytest.approx([1, 4 / 3, 4 / 3])
        char = row[[Count.CHAR_TP, Count.CHAR_FP, Count.CHAR_FN]]
        assert char == pytest.approx([1, 1 + 1 / length, 1 + 1 / length])


def test_what_a_model_invents_shortens_no_word_error_rate() -> None:
    counts = tally_words(["turn it on", "stop"], ["turn on please now", None])
    # Against `turn it on`: one word left out, two put in. Against nothing: one left out.
    assert counts.tolist() == [[3, 3], [1, 1]]


def test_the_cer_of_a_slot_is_over_golds_characters_and_takes_the_nearest() -> None:
    gold = meaning("a_b", ("time", "noon"), ("day", "monday"))
    said = meaning("a_b", ("time", "moon"), ("time", "midnight"), ("song", "a long invention"))
    row = tally_slots([gold], [said])[0]
    assert row[SlotCount.EDITS] == 1 + 6
    assert row[SlotCount.CHARACTERS] == 4 + 6
    assert row[SlotCount.TYPE_F1] == pytest.approx(2 * 1 / (2 + 2))
    assert tally_slots([meaning("a_b")], [meaning("a_b")])[0, SlotCount.TYPE_F1] == 1.0


def test_labels_that_are_too_few_are_filled_and_the_intent_counts_for_exact_match() -> None:
    gold = ["Other", "time", "time", "day"]
    row = tally_tokens(gold, ["Other", "time", "time"], same_intent=True)
    assert row[TokenCount.TP : TokenCount.EXACT + 1] == [1, 0, 1, 0.0]
    assert tally_tokens(gold, [*gold, "extra"], same_intent=True)[TokenCount.EXACT] == 1.0
    assert tally_tokens(gold, gold, same_intent=False)[TokenCount.EXACT] == 0.0


GOLD = [meaning("a_b", ("t", "Noon")), meaning("a_c", ("t", "x")), meaning("a_b"), meaning("d_b", ("t", "y"))]
SAID = [meaning("a_b", ("t", "NOON")), None, meaning("a_b"), meaning("d_c", ("t", "y"))]


def some(**changes: object) -> Replies:
    given: dict[str, object] = {
        "sentences": ["1", "1", "2", "3"],
        "gold": GOLD,
        "predicted": SAID,
        "texts": ["Turn  ON", "stop it", "play", "Größe"],
        "transcripts": ["turn on", "stop", None, "gro\u0308ße"],
        "slots_known": [True, True, True, False],
    }
    return Replies(**given | changes)  # type: ignore[arg-type]


def table(replies: Replies, members: list[int], normalised: bool = True) -> dict[str, Measured]:
    families = families_of(replies, shipped().values(), normalised=normalised)
    return {one.metric: one for one in measured(replies, families, np.array(members, dtype=np.intp))}


def test_a_part_of_the_replies_is_measured_by_its_own_replies() -> None:
    found = table(some(), [0, 2])
    assert (found["intent_accuracy"].value, found["intent_accuracy"].n) == (1.0, 2)
    assert found["parse_failures"].value == 0.0
    assert table(some(), [1])["parse_failures"].value == 1.0
    assert found["slu_f1"].value == 1.0
    # As published only gold is lower-cased.
    assert table(some(), [0, 2], normalised=False)["exact_match"].value == 0.5


def test_replies_and_sentences_are_counted_apart() -> None:
    found = table(some(), [0, 1, 2])["intent_accuracy"]
    assert (found.n, found.clusters) == (3, 2)
    spoken = table(some(speakers=["x", "y", "x", "z"]), [0, 1, 2])["intent_accuracy"]
    assert (spoken.n, spoken.clusters) == (3, 2)


def test_where_gold_does_not_know_one_replys_slots_no_measure_of_slots_is_told() -> None:
    assert "slu_f1" in table(some(), [0, 1, 2])
    for members in ([3], [0, 3]):
        assert "slu_f1" not in table(some(), members)
        assert "intent_accuracy" in table(some(), members)


def test_transcripts_are_normalised_on_both_sides() -> None:
    # `stop it` heard as `stop`, `play` as nothing: 2 of 2 + 2 + 1 + 1 words.
    assert table(some(), [0, 1, 2, 3])["wer"].value == pytest.approx(2 / 6)
    assert table(some(), [0, 3], normalised=False)["wer"].value == 1.0


def test_each_metric_has_its_own_interval() -> None:
    right = [meaning("a_b", ("t", "x")), meaning("a_b", ("t", "y"))] * 20
    wrong = [meaning("a_b", ("t", "x")), meaning("a_b", ("t", "zz"))] * 20
    replies = some(
        sentences=[str(at) for at in range(40)],
        gold=right,
        predicted=wrong,
        texts=[""] * 40,
        transcripts=[None] * 40,
        slots_known=(),
    )
    for one in table(replies, list(range(40))).values():
        assert one.low <= one.value <= one.high
        assert one.high - one.low < 0.5
