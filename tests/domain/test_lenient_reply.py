"""Replies in other clothes: what the lenient reading forgives, and what stays wrong."""

from __future__ import annotations

import pytest

from slubench.domain.lenient_reply import read_leniently
from slubench.domain.meaning import Entity, Meaning, as_reply, meaning_of

ALARM = Meaning("alarm", "set", (Entity("time", "8"), Entity("date", "today")))
PLAIN = '{"scenario": "alarm", "action": "set", "entities": [{"time": "8"}, {"date": "today"}]}'


def read(reply: str) -> Meaning | None:
    return read_leniently(reply, meaning_of(reply))


@pytest.mark.parametrize(
    "reply",
    [
        f"```json\n{PLAIN}\n```",
        f"```\n{PLAIN}```",
        f"Sure! Here is the JSON:\n{PLAIN}\nLet me know if {{you}} need more.",
        f"{{thinking}} {PLAIN}",
        f"{PLAIN}\n{PLAIN}",
        PLAIN.replace('"8"', "8"),
        PLAIN.replace("{", '{"intent": "alarm_set", ', 1),
        PLAIN.replace("{", '{"confidence": 0.9, "language": null, ', 1),
        '{"intent": "alarm_set", "entities": [{"time": 8}, {"date": "today"}]}',
        '{"scenario":"alarm","action":"set","entities":{"time":"8","date":"today"}}',
        '{"scenario":"alarm","action":"set","entities":[{"time":["8"],"date":"today","place":null}]}',
        '{"scenario":"alarm","action":"set","entities":[{"type":"time","filler":8},'
        '{"type":"date","filler":"today"}]}',
        '{"scenario":"alarm","action":"set","entities":[{"type":"time","filler":"8"},'
        '{"type":"date","filler":"today"}]}',
        '{"scenario":"alarm","action":"set","entities":[{"slot":"time","value":"8","start":3},'
        '{"slot":"date","value":"today","start":9}]}',
        '{"transcript": 3, ' + PLAIN[1:],
    ],
)
def test_a_right_answer_in_another_format_is_wrong_strictly_and_right_leniently(reply: str) -> None:
    assert meaning_of(reply) != ALARM
    assert read(reply) == ALARM


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "alarm set today at 8",
        "[" * 100_000,
        '{"a":' * 100_000,
        "{" * 100_000,
        '{"scenario": "alarm", "action": "set", "entities": [{"time": ',
        '{"scenario": "alarm", "entities": []}',
        '{"scenario": "alarm", "action": "set", "entities": ["time"]}',
        '{"scenario": "alarm", "action": "set", "entities": [{"time": {"hour": 8}}]}',
        '{"scenario": "alarm", "action": "set", "entities": [{"time": "\\ud800"}]}',
        '{"scenario": ["alarm"], "action": "set", "entities": []}',
    ],
)
def test_what_holds_no_answer_is_read_by_neither(reply: str) -> None:
    assert read(reply) is None


def test_numbers_stay_as_they_were_written() -> None:
    told = read(
        '{"scenario":"a","action":"b","entities":[{"time":5.30},{"n":1e400},{"m":' + "9" * 5000 + "}]}"
    )
    assert told is not None
    assert [one.filler for one in told.entities] == ["5.30", "1e400", "9" * 5000]


def test_a_reply_in_the_format_asked_for_means_the_same_in_both() -> None:
    assert read(as_reply(ALARM)) == meaning_of(as_reply(ALARM)) == ALARM


def test_an_answer_that_is_wrong_in_content_stays_wrong() -> None:
    assert read(f"```json\n{PLAIN.replace('today', 'tomorrow')}\n```") != ALARM
