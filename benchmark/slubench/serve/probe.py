"""Checks that vLLM applies the adapter, by comparing replies with those of transformers and of the base."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from slubench.domain.prompt import TEXT_INPUT
from slubench.errors import SlubenchError
from slubench.serve.replies import Reply
from slubench.serve.requests import Request

QUESTIONS: Final = 8
# Of equal replies in float32, where the engines differ by rounding alone.
LEAST_EQUAL: Final = 0.75
# Of the replies' common beginnings in bfloat16, where a rounding soon turns a reply elsewhere.
LEAST_ALIKE: Final = 0.5

Spoken = Mapping[tuple[str, str], Reply]


class ProbeError(SlubenchError):
    """vLLM does not serve the adapter as transformers does."""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The result of a probe.

    Attributes:
        outcome: `agrees`; `undecided` where adapter and base say the same in transformers, so that an
            ignored adapter can't be told; `not run` where nothing was left to ask.
        compared: Number of questions.
        equal: Of them, replies equal in vLLM and transformers.
        alike: Mean share of common beginning of vLLM's and transformers' replies.
        changed: Replies that the adapter changes in transformers.
        changed_in_vllm: Of those, replies that it changes in vLLM too.
    """

    outcome: str
    compared: int = 0
    equal: int = 0
    alike: float = 0.0
    changed: int = 0
    changed_in_vllm: int = 0


def choose(questions: Sequence[Request]) -> list[Request]:
    """The requests of a probe: the first ones, half of them with text input if there are any."""
    text = [question for question in questions if question.input == TEXT_INPUT]
    heard = [question for question in questions if question.input != TEXT_INPUT]
    few = heard[: QUESTIONS - min(len(text), QUESTIONS // 2)]
    return few + text[: QUESTIONS - len(few)]


def judge(
    *,
    name: str,
    served: Spoken,
    expected: Spoken,
    base: Spoken,
    served_base: Spoken,
    exact: bool,
) -> Probe:
    """Compare an adapter's replies.

    Args:
        name: The asking's name, for messages.
        served: vLLM's replies by question.
        expected: transformers' replies with the same adapter.
        base: transformers' replies without it; empty where there is no adapter.
        served_base: vLLM's replies without it; transformers' where the adapter is merged.
        exact: Whether both compute in float32.

    Raises:
        ProbeError: The adapter is ignored, or vLLM's answers are not transformers'.
    """
    said = {key: (reply.reply, expected[key].reply) for key, reply in served.items()}
    equal = sum(ours == theirs for ours, theirs in said.values())
    alike = sum(_alike(ours, theirs) for ours, theirs in said.values()) / max(1, len(said))
    changed = [key for key in said if key in base and expected[key].reply != base[key].reply]
    acting = [key for key in changed if served[key].reply != served_base[key].reply]
    # A single reply turned by rounding proves nothing where arithmetic is coarse.
    if len(changed) > (0 if exact else 1) and not acting:
        key = changed[0]
        raise ProbeError(
            f"vLLM ignores the adapter of {name}: in all {len(changed)} probed replies that the adapter "
            f"changes, it replies as the base model does. For {key[0]!r} ({key[1]}) it replies "
            f"{_short(served[key])}, transformers with the adapter {_short(expected[key])}. "
            "Use --engine transformers, or --serving merged."
        )
    if (equal / len(said) < LEAST_EQUAL) if exact else (alike < LEAST_ALIKE):
        key = next(key for key, (ours, theirs) in said.items() if ours != theirs)
        raise ProbeError(
            f"vLLM and transformers disagree about {name}: {equal} of {len(said)} probed replies are equal. "
            f"For {key[0]!r} ({key[1]}) vLLM replies {_short(served[key])}, transformers "
            f"{_short(expected[key])}. Use --engine transformers."
        )
    return Probe(
        outcome="undecided" if base and not changed else "agrees",
        compared=len(said),
        equal=equal,
        alike=round(alike, 4),
        changed=len(changed),
        changed_in_vllm=len(acting),
    )


def by_question(replies: Sequence[Reply]) -> dict[tuple[str, str], Reply]:
    """Replies by request."""
    return {reply.key: reply for reply in replies}


def _alike(ours: str, theirs: str) -> float:
    longest = max(len(ours), len(theirs))
    differing = next((place for place, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
    common = min(len(ours), len(theirs)) if differing is None else differing
    return common / longest if longest else 1.0


def _short(reply: Reply) -> str:
    return repr(reply.reply if len(reply.reply) <= 120 else reply.reply[:117] + "...")
