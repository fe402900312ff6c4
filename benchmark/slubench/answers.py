"""Answers: questions to ask, replies as they came, and how each was read. Gold is not among them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.corpora.recordings import Recordings
from slubench.corpora.rows import Rows
from slubench.errors import DataError
from slubench.files import replacing
from slubench.meaning import Meaning, ReplyError, from_reply
from slubench.prompt import SPEECH_ASKED, TEXT_ASKED, Sound, to_rows
from slubench.tables import ANSWERS, QUESTIONS
from slubench.utterance import Utterance

ASKED = (SPEECH_ASKED, TEXT_ASKED)


@dataclass(frozen=True)
class Answer:
    """One reply.

    Attributes:
        utterance: The utterance's key.
        asked: `speech` or `text`.
        reply: As it came.
        meaning: As it was read, or None where it did not parse.
        tokens: Tokens of the reply.
    """

    utterance: str
    asked: str
    reply: str
    meaning: Meaning | None
    tokens: int


def write_questions(path: Path, test: Sequence[Utterance], recordings: Recordings) -> None:
    """Write what is asked: every utterance's recording, then every transcript.

    Args:
        path: The Parquet file, see `slubench.tables.QUESTIONS`.
        test: Utterances of the test.
        recordings: Their decoded recordings.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [
        {
            "utterance": utterance.key,
            "asked": asked,
            "parts": to_rows([Sound(recordings.keys[utterance.clip]) if sound else utterance.text]),
        }
        for asked, sound in ((SPEECH_ASKED, True), (TEXT_ASKED, False))
        for utterance in test
        if utterance.clip is not None
    ]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=QUESTIONS), temporary)


def check_test(rows: Rows, recordings: Recordings) -> None:
    """Refuse a test that is not whole.

    Raises:
        DataError: Names the rows that cannot be used.
    """
    broken = (*rows.rejected, *recordings.rejected)
    if broken:
        shown = "\n".join(f"  {row}" for row in broken[:10])
        more = f"\n  and {len(broken) - 10} more" if len(broken) > 10 else ""
        raise DataError(
            f"{len(broken)} test rows cannot be used, and a test is asked whole or not at all:\n{shown}{more}"
            "\nFetch the test again, or mend the mirror."
        )


def read_replies(path: Path) -> Iterator[Answer]:
    """Read replies as the answering process appended them, each parsed strictly."""
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        try:
            meaning = from_reply(row["reply"])
        except ReplyError:
            meaning = None
        yield Answer(row["utterance"], row["asked"], row["reply"], meaning, row["tokens"])


def write_answers(path: Path, answers: Sequence[Answer], test: Sequence[Utterance]) -> None:
    """Write answers as Parquet, see `slubench.tables.ANSWERS`; written last, it means all was asked.

    Raises:
        DataError: A question has no reply.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    by_question = {(answer.asked, answer.utterance): answer for answer in answers}
    rows = []
    for asked in ASKED:
        for utterance in test:
            answer = by_question.get((asked, utterance.key))
            if answer is None:
                raise DataError(
                    f"{path.parent}: {utterance.key} ({asked}) has no reply; run the command again."
                )
            rows.append(_row(answer, utterance))
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=ANSWERS), temporary)


def read_answers(path: Path) -> list[Answer]:
    """Read the replies of a Parquet file of answers, each parsed again, strictly."""
    import pyarrow.parquet as pq

    answers = []
    for row in pq.read_table(path, columns=["utterance", "asked", "reply", "reply_tokens"]).to_pylist():
        try:
            meaning = from_reply(row["reply"])
        except ReplyError:
            meaning = None
        answers.append(Answer(row["utterance"], row["asked"], row["reply"], meaning, row["reply_tokens"]))
    return answers


def _row(answer: Answer, utterance: Utterance) -> dict[str, object]:
    meaning, why = answer.meaning, ""
    if meaning is None:
        try:
            from_reply(answer.reply)
        except ReplyError as error:
            why = str(error)
    return {
        "utterance": answer.utterance,
        "asked": answer.asked,
        "reply": answer.reply,
        "parsed": meaning is not None,
        "why": why,
        "scenario": meaning.scenario if meaning else None,
        "action": meaning.action if meaning else None,
        "entities": [entity._asdict() for entity in meaning.entities] if meaning else [],
        "reply_tokens": answer.tokens,
        "slices": sorted(utterance.slices.items()),
    }
