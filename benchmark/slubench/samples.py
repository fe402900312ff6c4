"""Sample answers of a run, right and wrong, as its page shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from slubench.answers import Answer
from slubench.meaning import as_reply
from slubench.metrics.tally import Count, normalise, tally
from slubench.utterance import Utterance

EACH = 6
"""So many utterances are shown that were answered right, and so many that were answered wrong."""


def samples_of(
    answers: Sequence[Answer], gold: Mapping[str, Utterance], *, gold_shown: bool
) -> list[dict[str, Any]]:
    """Some utterances with all that was answered to them, by the columns of `slubench.tables.SAMPLE`.

    Which ones follows from a hash of their names, so that runs on one test mostly show the same. Right is
    what matches exactly on normalised text; the first way that was asked decides.

    Args:
        answers: In every way that was asked.
        gold: What was meant, by utterance.
        gold_shown: Whether the corpus' terms let gold and transcript be shown; else ids and replies alone.
    """
    asked = [answer for answer in answers if answer.asked == answers[0].asked]
    kept: dict[bool, list[str]] = {True: [], False: []}
    for answer in sorted(asked, key=lambda one: sha256(one.utterance.encode()).digest()):
        names = kept[_right(answer, gold[answer.utterance])]
        if len(names) < EACH:
            names.append(answer.utterance)
    by_name: dict[str, list[Answer]] = {name: [] for name in (*kept[False], *kept[True])}
    for answer in answers:
        if answer.utterance in by_name:
            by_name[answer.utterance].append(answer)
    return [
        {
            "utterance": name,
            "asked": answer.asked,
            "reply": answer.reply,
            "parsed": answer.meaning is not None,
            "right": _right(answer, gold[name]),
            "said": gold[name].text if gold_shown else None,
            "meant": as_reply(gold[name].meaning) if gold_shown else None,
        }
        for name, replies in by_name.items()
        for answer in replies
    ]


def _right(answer: Answer, utterance: Utterance) -> bool:
    predicted = normalise(answer.meaning) if answer.meaning else None
    return bool(tally(normalise(utterance.meaning), predicted)[Count.EXACT])
