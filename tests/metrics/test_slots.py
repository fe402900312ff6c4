"""Slot-type F1 and slot-value CER, worked out by hand from SUPERB's definition."""

from __future__ import annotations

import pytest

from slubench.domain.meaning import Entity, Meaning
from slubench.metrics.slots import measure_slots, tally_slots


def meaning(*entities: tuple[str, str]) -> Meaning:
    return Meaning("alarm", "set", tuple(Entity(*entity) for entity in entities))


NOON = ("time", "noon")
# gold, predicted, type F1, edits, gold characters.
CASES = {
    "right": (meaning(NOON), meaning(NOON), 1, 0, 4),
    "nothing to find": (meaning(), meaning(), 1, 0, 0),
    # What is made up lowers the type F1 and costs no character.
    "made up": (meaning(), meaning(NOON), 0, 0, 0),
    # A value that is missing is set against nothing: all its characters are deleted.
    "missing": (meaning(NOON), meaning(), 0, 4, 4),
    # One of two types: P 1, R 1/2.
    "half": (meaning(NOON, ("date", "today")), meaning(NOON), 2 / 3, 5, 9),
    # A type counts once, however often it occurs.
    "twice a type": (meaning(NOON, ("time", "one")), meaning(NOON), 1, 3, 7),  # noon -> one: 3 edits of 3
    # The nearest of several: moon is 1 away, later is further.
    "nearest": (meaning(NOON), meaning(("time", "later"), ("time", "moon")), 1, 1, 4),
    # One predicted value may serve two gold values.
    "serves twice": (meaning(NOON, NOON), meaning(NOON), 1, 0, 8),
    "case counts": (meaning(NOON), meaning(("time", "NOON")), 1, 4, 4),
    "unparsed": (meaning(NOON), None, 0, 4, 4),
    # Nothing was to be found, and still a reply that does not parse is wrong.
    "unparsed of nothing": (meaning(), None, 0, 0, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_by_hand(name: str) -> None:
    gold, predicted, f1, edits, characters = CASES[name]
    (row,) = tally_slots([gold], [predicted])
    assert row.tolist() == pytest.approx([1, f1, edits, characters])


def test_a_set_is_the_mean_of_f1_and_the_ratio_of_sums() -> None:
    pairs = [CASES["half"], CASES["missing"], CASES["right"]]
    measured = measure_slots(tally_slots([p[0] for p in pairs], [p[1] for p in pairs]).sum(axis=0))
    assert float(measured["slot_type_f1"]) == pytest.approx((2 / 3 + 0 + 1) / 3)
    assert float(measured["slot_value_cer"]) == pytest.approx(9 / 17)
