"""Builds the prompts of both training and serving."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from slubench.domain.meaning import Entity, Meaning, as_reply
from slubench.domain.model import Model, Prompt
from slubench.errors import UsageError

SPEECH_INPUT = "speech"
TEXT_INPUT = "text"
ASR_INPUT = "asr"
TRANSCRIPT_WANTED = "transcript"
"""The base model is prompted for the transcript alone; not an input of an adapter."""


class ClipRef(NamedTuple):
    """A clip by its key in the clip store."""

    key: str


def render(model: Model, parts: Iterable[str | ClipRef], input_kind: str = "") -> str:
    """The prompt for texts and clips in order, each clip as the model's audio placeholder.

    The clips' waveforms are passed beside the prompt, in the same order.

    Args:
        model: The model as declared.
        parts: Text and clips.
        input_kind: `transcript` where the words are wanted and not their meaning.
    """
    prompt = transcription(model) if input_kind == TRANSCRIPT_WANTED else model.prompt
    body = (prompt.audio if isinstance(part, ClipRef) else prompt.text.format(text=part) for part in parts)
    return prompt.before + "".join(body) + prompt.after


def transcription(model: Model) -> Prompt:
    """The prompt for transcribing a clip.

    Raises:
        UsageError: The model declares none.
    """
    if model.transcription is None:
        raise UsageError(f"{model.name} declares no prompt for transcription, so it cannot transcribe.")
    return model.transcription


def with_ontology(model: Model, meanings: Iterable[Meaning]) -> Model:
    """The model with the scenarios, actions and slot types of utterances, and an example, in its prompt.

    What it is told are names, as a reader of the corpus's card would know them; the example is that of arXiv
    2509.15389 and of no corpus.
    """
    actions: dict[str, set[str]] = {}
    types: set[str] = set()
    for meaning in meanings:
        actions.setdefault(meaning.scenario, set()).add(meaning.action)
        types |= {entity.type for entity in meaning.entities}
    menu = "; ".join(f"{scenario}: {', '.join(sorted(actions[scenario]))}" for scenario in sorted(actions))
    example = as_reply(Meaning("alarm", "set", (Entity("time", "eight o'clock"),)))
    told = (
        f"Scenarios, each with its actions: {menu}.\nTypes of entities: {', '.join(sorted(types))}.\n"
        f"A reply looks like this: {example}\n"
    )
    return replace(model, prompt=replace(model.prompt, before=model.prompt.before + told))


def to_rows(parts: Iterable[str | ClipRef]) -> list[dict[str, str | None]]:
    """Parts as the rows of a `parts` column."""
    return [
        {"text": None, "clip": part.key} if isinstance(part, ClipRef) else {"text": part, "clip": None}
        for part in parts
    ]


def from_rows(rows: Sequence[Mapping[str, str | None]]) -> tuple[str | ClipRef, ...]:
    """Read what `to_rows` made."""
    return tuple(ClipRef(row["clip"]) if row["clip"] is not None else row["text"] or "" for row in rows)
