"""Does vLLM compute what transformers does? Told by the log-probabilities of the tokens of a few replies.

transformers answers a few requests and tells, at each token, the log-probabilities of the likeliest tokens,
with the adapter and with the adapter switched off in one kind of module after another. vLLM answers the same.
Up to the first token that differs both have read the same, so that their log-probabilities can be compared:

- they may be apart, and vLLM's token may lag behind the best one, by no more than rounding explains;
- they must lie nearer to those of the whole adapter than to those without one of its kinds of modules.

`tools/measure/bfloat16.py` measures how often that refuses whom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from slubench.domain.prompt import TEXT_INPUT
from slubench.errors import SlubenchError
from slubench.serve.requests import Request
from slubench.serve.scored_reply import ALL, ScoredReply

QUESTIONS: Final = 8


class ProbeError(SlubenchError):
    """vLLM does not serve the adapter as transformers does."""


@dataclass(frozen=True)
class Tolerance:
    """How far rounding takes two engines apart, in nats.

    Attributes:
        apart: Root mean square of the differences of log-probabilities.
        behind: A token that one engine takes, behind the one that the other holds best.
    """

    apart: float
    behind: float


LIMITS: Final[Mapping[str, Tolerance]] = {
    "float32": Tolerance(apart=0.02, behind=0.02),
    "bfloat16": Tolerance(apart=0.5, behind=0.75),
}
"""By number format; of others the coarsest."""
MOVES: Final = 2.0
"""A kind of module can be told where it moves log-probabilities so many times as far as all else takes them.

What it moves and what takes the engines apart share the rounding of transformers' own numbers. Of a kind that
moves nothing else that is half, as if half of the kind were dropped; at twice it is an eighth.
"""


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The result of a probe.

    Attributes:
        outcome: `agrees`; `undecided` where the adapter changes so little that an engine without it could
            not be told; `not run` where nothing was left to ask.
        compared: Number of replies.
        equal: Of them, replies of the same tokens in vLLM and transformers.
        places: Tokens whose log-probabilities were compared.
        apart: Root mean square of the differences of log-probabilities.
        behind: The furthest that a token of vLLM's is behind transformers' best.
        told: Kinds of modules, as in `o_proj`, that vLLM was seen to apply.
        untold: Kinds of modules that change too little to be seen.
    """

    outcome: str
    compared: int = 0
    equal: int = 0
    places: int = 0
    apart: float = 0.0
    behind: float = 0.0
    told: tuple[str, ...] = ()
    untold: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One reply of both engines.

    Attributes:
        served: vLLM's.
        expected: transformers'.
        places: Tokens up to the first that differs, that one included.
        numbers: Log-probabilities that were compared at them.
        squares: Sum of their squared differences.
        shared: The part of `squares` of tokens that both engines tell, of which what follows is made.
        behind: The furthest that vLLM's token is behind transformers' best.
        towards: By kind of module, the differences times what the adapter does there, summed.
        moved: By kind of module, the square of what the adapter does there, summed.
    """

    served: ScoredReply
    expected: ScoredReply
    places: int
    numbers: int
    squares: float
    shared: float
    behind: float
    towards: Mapping[str, float]
    moved: Mapping[str, float]


def choose(questions: Sequence[Request]) -> list[Request]:
    """The requests of a probe: the first ones, half of them with text input if there are any."""
    text = [question for question in questions if question.input == TEXT_INPUT]
    heard = [question for question in questions if question.input != TEXT_INPUT]
    few = heard[: QUESTIONS - min(len(text), QUESTIONS // 2)]
    return few + text[: QUESTIONS - len(few)]


def compare(served: ScoredReply, expected: ScoredReply) -> Comparison:
    """Compare what both engines tell of one reply, as far as they have read the same."""
    both_read = list(zip(served.tokens, expected.tokens, expected.best, served.best, strict=False))
    differing = next((place for place, (one, other, *_) in enumerate(both_read) if one != other), None)
    places = len(both_read) if differing is None else differing + 1
    numbers, squares, shared, behind = 0, 0.0, 0.0, 0.0
    towards, moved = dict.fromkeys(expected.without, 0.0), dict.fromkeys(expected.without, 0.0)
    for place in range(places):
        ours, theirs = served.best[place], expected.best[place]
        least = min(ours.values())
        # Of a token that vLLM does not tell it is known that it is no likelier than those it tells.
        apart = [
            ours[token] - known if token in ours else min(0.0, least - known)
            for token, known in theirs.items()
        ]
        numbers += len(apart)
        squares += sum(one * one for one in apart)
        both = [token in ours for token in theirs]
        shared += sum(one * one for one, told in zip(apart, both, strict=True) if told)
        known = theirs.get(served.tokens[place], min(theirs.values()))
        # max() would pass over what is not a number.
        behind = max(behind, gap) if (gap := max(theirs.values()) - known) == gap else gap
        for kind, without in expected.without.items():
            pairs = zip(without[place], theirs.values(), both, strict=True)
            does = [off - on if told else 0.0 for off, on, told in pairs]
            towards[kind] += sum(one * it for one, it in zip(apart, does, strict=True))
            moved[kind] += sum(it * it for it in does)
    return Comparison(
        served=served,
        expected=expected,
        places=places,
        numbers=numbers,
        squares=squares,
        shared=shared,
        behind=behind,
        towards=towards,
        moved=moved,
    )


def limits(dtype: str) -> Tolerance:
    """How far rounding takes two engines apart in a number format."""
    return LIMITS.get(dtype, LIMITS["bfloat16"])


def judge(name: str, compared: Sequence[Comparison], dtype: str) -> Probe:
    """Conclude from the replies of a probe.

    A kind of module that hardly moves log-probabilities is left untold, see `MOVES`: whether vLLM applies it
    makes no difference that could be seen.

    Args:
        name: The asking's name, for messages.
        compared: Its replies; none of them where nothing was asked.
        dtype: The number format that both compute in.

    Raises:
        ProbeError: vLLM ignores the adapter or a kind of its modules, or computes otherwise.
    """
    limit = limits(dtype)
    numbers = max(1, sum(one.numbers for one in compared))
    apart = math.sqrt(sum(one.squares for one in compared) / numbers)
    shared = sum(one.shared for one in compared)
    behind = worst.behind if (worst := _worst(compared)) else 0.0
    told, untold = [], []
    ignored: dict[str, float] = {}
    for kind in dict.fromkeys(kind for one in compared for kind in one.moved):
        moved = sum(one.moved.get(kind, 0.0) for one in compared)
        towards = sum(one.towards.get(kind, 0.0) for one in compared)
        rest = shared - towards * towards / moved if moved else math.inf
        if moved < MOVES**2 * rest:
            untold.append(kind)
            continue
        told.append(kind)
        if towards > moved / 2:
            ignored[kind] = shared - 2 * towards + moved  # how far it is from there
    if ignored:
        kind = min(ignored, key=ignored.__getitem__)  # the nearest
        part = f"the adapter of {name}" if kind == ALL else f"the {kind} modules of the adapter of {name}"
        raise ProbeError(
            f"vLLM ignores {part}: in {len(compared)} probed replies its log-probabilities are nearer to "
            f"those of transformers without {'it' if kind == ALL else 'them'}. "
            "Use --engine transformers, or another --serving."
        )
    if worst is not None and not (apart <= limit.apart and behind <= limit.behind):
        raise ProbeError(
            f"vLLM and transformers disagree about {name}: over {len(compared)} probed replies their "
            f"log-probabilities are {apart:.3g} nats apart, and a token of vLLM's is up to {behind:.3g} "
            f"behind transformers' best; in {dtype} rounding explains {limit.apart:g} and {limit.behind:g}. "
            f"To {worst.served.reply.utterance!r} ({worst.served.reply.input}) vLLM says "
            f"{_short(worst.served)}, transformers {_short(worst.expected)}. Use --engine transformers."
        )
    return Probe(
        outcome="undecided" if ALL in untold else "agrees",
        compared=len(compared),
        equal=sum(one.served.tokens == one.expected.tokens for one in compared),
        places=sum(one.places for one in compared),
        apart=round(apart, 6),
        behind=round(behind, 6),
        told=tuple(told),
        untold=tuple(untold),
    )


def _worst(compared: Sequence[Comparison]) -> Comparison | None:
    """Where vLLM's token is furthest behind; what is not a number is further than any."""
    return max(compared, key=lambda one: (not one.behind <= math.inf, one.behind, one.squares), default=None)


def _short(scored: ScoredReply) -> str:
    text = scored.reply.reply
    return repr(text if len(text) <= 120 else text[:117] + "...")
