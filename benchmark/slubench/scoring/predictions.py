"""Predictions: requests, raw replies, and their parsed meanings, without gold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slubench.data.recordings import Recordings
from slubench.data.rows import Rows
from slubench.domain.meaning import Meaning, ReplyError, from_reply, meaning_of, transcript_of
from slubench.domain.prompt import ASR_INPUT, SPEECH_INPUT, TEXT_INPUT, ClipRef, to_rows
from slubench.domain.renamed_columns import row_of_today
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError
from slubench.runtime.files import replacing
from slubench.schemas import PREDICTIONS, REQUESTS, carried_over

INPUTS = (SPEECH_INPUT, TEXT_INPUT)
"""The inputs that every adapter is evaluated on."""
EVERY_INPUT = (*INPUTS, ASR_INPUT)
"""All inputs; the third, optional one is the transcript by the model itself before training."""


@dataclass(frozen=True)
class Prediction:
    """One reply.

    Attributes:
        utterance: The utterance's key.
        input: What the model was given: `speech`, `text` or `asr`.
        reply: As it came.
        meaning: As it was read, or None where it did not parse.
        tokens: Tokens of the reply.
        transcript: The words that were understood: the own transcript asked, or what the reply tells.
        seconds: Length of the clip, where it is known.
    """

    utterance: str
    input: str
    reply: str
    meaning: Meaning | None
    tokens: int
    transcript: str | None = None
    seconds: float | None = None


def write_questions(
    path: Path,
    test: Sequence[Utterance],
    recordings: Recordings,
    ways: Sequence[str] = INPUTS,
    transcripts: Mapping[str, str] | None = None,
) -> None:
    """Write requests: for each input in turn, every utterance's recording or text.

    Args:
        path: The Parquet file, see `slubench.schemas.REQUESTS`.
        test: Utterances of the test.
        recordings: Their decoded recordings.
        ways: In which ways is asked.
        transcripts: By utterance, what the model heard, for `asr`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    def part(input_kind: str, utterance: Utterance, clip: Clip) -> str | ClipRef:
        if input_kind == TEXT_INPUT:
            return utterance.text
        return (
            (transcripts or {})[utterance.key] if input_kind == ASR_INPUT else ClipRef(recordings.keys[clip])
        )

    rows = [
        {
            "utterance": utterance.key,
            "input": input_kind,
            "parts": to_rows([part(input_kind, utterance, utterance.clip)]),
        }
        for input_kind in ways
        for utterance in test
        if utterance.clip is not None
    ]
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), temporary)


def check_test(rows: Rows, recordings: Recordings) -> None:
    """Refuse an incomplete test set.

    Raises:
        DataError: Names the rows that cannot be used.
    """
    broken = (*rows.rejected, *recordings.rejected)
    if broken:
        shown = "\n".join(f"  {row}" for row in broken[:10])
        more = f"\n  and {len(broken) - 10} more" if len(broken) > 10 else ""
        raise DataError(
            f"{len(broken)} test rows are unusable, but only complete test sets are evaluated:\n"
            f"{shown}{more}\n"
            "Download the test set again, or correct the mirror."
        )


def read_replies(path: Path) -> Iterator[Prediction]:
    """Read the serving process's replies, each parsed strictly."""
    try:
        for line in path.read_text("utf-8").split("\n"):
            if line:
                row = row_of_today(json.loads(line))
                yield read_reply(row["utterance"], row["input"], row["reply"], row["tokens"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(
            f"{path}: a line is not a reply ({error}). Delete the file and run the command again."
        ) from None


def write_answers(
    path: Path,
    answers: Sequence[Prediction],
    test: Sequence[Utterance],
    recordings: Recordings,
    ways: Sequence[str] = INPUTS,
    transcripts: Mapping[str, str] | None = None,
) -> None:
    """Write predictions as Parquet, see `slubench.schemas.PREDICTIONS`. Written last, it marks completion.

    Args:
        path: The Parquet file.
        answers: The replies.
        test: Utterances of the test.
        recordings: Their decoded recordings.
        ways: In which ways was asked.
        transcripts: By utterance, what the model heard, for `asr`.

    Raises:
        DataError: A question has no reply.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    by_question = {(answer.input, answer.utterance): answer for answer in answers}
    rows = []
    for input_kind in ways:
        for utterance in test:
            answer = by_question.get((input_kind, utterance.key))
            if answer is None:
                raise DataError(
                    f"{path.parent}: {utterance.key} ({input_kind} input) has no reply; run the "
                    "command again."
                )
            row = _row(answer, utterance)
            if utterance.clip is not None:
                row["seconds"] = recordings.seconds(utterance.clip)
            if input_kind == ASR_INPUT:
                row["transcript"] = (transcripts or {})[utterance.key]
            rows.append(row)
    with replacing(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows, schema=PREDICTIONS), temporary)


def read_answers(path: Path) -> list[Prediction]:
    """Read the replies of a predictions file in Parquet, each parsed again, strictly."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        # Answers of an earlier version lack the last two columns; they can be scored all the same.
        there = set(pq.read_schema(path).names)
        wanted = ("utterance", "input", "asked", "reply", "reply_tokens", "transcript", "seconds")
        table = pq.read_table(path, columns=[name for name in wanted if name in there])
        rows = carried_over(table, PREDICTIONS).to_pylist()
        return [
            replace(
                read_reply(
                    row["utterance"], row["input"], row["reply"], row["reply_tokens"], row.get("transcript")
                ),
                seconds=row.get("seconds"),
            )
            for row in rows
        ]
    except (pa.ArrowException, OSError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"{path}: not a readable file of predictions ({type(error).__name__}). Delete it and run the"
            " same command again; the replies beside it are reused."
        ) from None


def read_reply(
    utterance: str, input_kind: str, reply: str, tokens: int, transcript: str | None = None
) -> Prediction:
    """Read a reply strictly.

    Args:
        utterance: Key of the utterance.
        input_kind: What the model was given: `speech`, `text` or `asr`.
        reply: As it came.
        tokens: Its length.
        transcript: The own transcript asked, for `asr`.
    """
    meaning = meaning_of(reply)
    told = transcript_of(reply) if transcript is None else transcript
    return Prediction(utterance, input_kind, reply, meaning, tokens, told)


def _row(answer: Prediction, utterance: Utterance) -> dict[str, object]:
    meaning, why = answer.meaning, ""
    if meaning is None:
        try:
            from_reply(answer.reply)
        except ReplyError as error:
            why = str(error)
    return {
        "utterance": answer.utterance,
        "input": answer.input,
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
