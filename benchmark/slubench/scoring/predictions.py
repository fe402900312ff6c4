"""Answers: questions to ask, replies as they came, and how each was read. Gold is not among them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slubench.data.recordings import Recordings
from slubench.data.rows import Rows
from slubench.domain.meaning import Meaning, ReplyError, from_reply, meaning_of, transcript_of
from slubench.domain.prompt import OWN_ASKED, SPEECH_ASKED, TEXT_ASKED, ClipRef, to_rows
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError
from slubench.runtime.files import replacing
from slubench.schemas import PREDICTIONS, REQUESTS

ASKED = (SPEECH_ASKED, TEXT_ASKED)
"""The ways in which every adapter is asked."""
WAYS = (*ASKED, OWN_ASKED)
"""All ways: the third takes what the model without adapter heard, and is asked where it is wanted."""


@dataclass(frozen=True)
class Prediction:
    """One reply.

    Attributes:
        utterance: The utterance's key.
        asked: `speech`, `text` or `own-transcript`.
        reply: As it came.
        meaning: As it was read, or None where it did not parse.
        tokens: Tokens of the reply.
        transcript: The words that were understood: the own transcript asked, or what the reply tells.
        seconds: Length of the clip, where it is known.
    """

    utterance: str
    asked: str
    reply: str
    meaning: Meaning | None
    tokens: int
    transcript: str | None = None
    seconds: float | None = None


def write_questions(
    path: Path,
    test: Sequence[Utterance],
    recordings: Recordings,
    ways: Sequence[str] = ASKED,
    transcripts: Mapping[str, str] | None = None,
) -> None:
    """Write what is asked: one way after the other, every utterance's recording or text.

    Args:
        path: The Parquet file, see `slubench.schemas.REQUESTS`.
        test: Utterances of the test.
        recordings: Their decoded recordings.
        ways: In which ways is asked.
        transcripts: By utterance, what the model heard, for `own-transcript`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def part(asked: str, utterance: Utterance, clip: Clip) -> str | ClipRef:
        if asked == TEXT_ASKED:
            return utterance.text
        return (transcripts or {})[utterance.key] if asked == OWN_ASKED else ClipRef(recordings.keys[clip])

    rows = [
        {
            "utterance": utterance.key,
            "asked": asked,
            "parts": to_rows([part(asked, utterance, utterance.clip)]),
        }
        for asked in ways
        for utterance in test
        if utterance.clip is not None
    ]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), temporary)


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


def read_replies(path: Path) -> Iterator[Prediction]:
    """Read replies as the answering process appended them, each parsed strictly."""
    try:
        for line in path.read_text("utf-8").split("\n"):
            if line:
                row = json.loads(line)
                yield read_reply(row["utterance"], row["asked"], row["reply"], row["tokens"])
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: a line is no reply ({error}). Delete the file and run it again.") from None


def write_answers(
    path: Path,
    answers: Sequence[Prediction],
    test: Sequence[Utterance],
    recordings: Recordings,
    ways: Sequence[str] = ASKED,
    transcripts: Mapping[str, str] | None = None,
) -> None:
    """Write answers as Parquet, see `slubench.schemas.PREDICTIONS`; written last, it means all was asked.

    Args:
        path: The Parquet file.
        answers: The replies.
        test: Utterances of the test.
        recordings: Their decoded recordings.
        ways: In which ways was asked.
        transcripts: By utterance, what the model heard, for `own-transcript`.

    Raises:
        DataError: A question has no reply.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    by_question = {(answer.asked, answer.utterance): answer for answer in answers}
    rows = []
    for asked in ways:
        for utterance in test:
            answer = by_question.get((asked, utterance.key))
            if answer is None:
                raise DataError(
                    f"{path.parent}: {utterance.key} ({asked}) has no reply; run the command again."
                )
            row = _row(answer, utterance)
            if utterance.clip is not None:
                row["seconds"] = recordings.seconds(utterance.clip)
            if asked == OWN_ASKED:
                row["transcript"] = (transcripts or {})[utterance.key]
            rows.append(row)
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=PREDICTIONS), temporary)


def read_answers(path: Path) -> list[Prediction]:
    """Read the replies of a Parquet file of answers, each parsed again, strictly."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Answers of an earlier version lack the last two columns; they can be scored all the same.
        there = set(pq.read_schema(path).names)
        wanted = ("utterance", "asked", "reply", "reply_tokens", "transcript", "seconds")
        rows = pq.read_table(path, columns=[name for name in wanted if name in there]).to_pylist()
        return [
            replace(
                read_reply(
                    row["utterance"], row["asked"], row["reply"], row["reply_tokens"], row.get("transcript")
                ),
                seconds=row.get("seconds"),
            )
            for row in rows
        ]
    except (pa.ArrowException, OSError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: not a readable file of predictions ({type(error).__name__}). Delete it and run the same"
            " command again; replies that are kept beside it are used."
        ) from None


def read_reply(
    utterance: str, asked: str, reply: str, tokens: int, transcript: str | None = None
) -> Prediction:
    """Read a reply strictly.

    Args:
        utterance: Key of the utterance.
        asked: In which way.
        reply: As it came.
        tokens: Its length.
        transcript: The own transcript asked, for `own-transcript`.
    """
    meaning = meaning_of(reply)
    told = transcript_of(reply) if transcript is None else transcript
    return Prediction(utterance, asked, reply, meaning, tokens, told)


def _row(answer: Prediction, utterance: Utterance) -> dict[str, object]:
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
        "transcript": answer.transcript,
    }
