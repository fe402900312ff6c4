"""Calls a strategy's own `choose`, and checks what it buys against offer and budget."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

from slubench.domain.budget import FEW, Budget
from slubench.domain.speech_offer import Candidate, SpeechBudget, SpeechOffer
from slubench.domain.strategy import Strategy
from slubench.domain.utterance import Utterance
from slubench.errors import DataError, DeclarationError, SlubenchError, UsageError, shown
from slubench.trainset.file_guard import no_files
from slubench.trainset.guarded_call import call_for, place_of
from slubench.trainset.order import rank

CONTRACT = (
    "choose(pool, budget, rng) must return candidates of pool.speech(), each once, that the budget buys;"
    " budget.fill(candidates) takes the first that do"
)


def own_draw(strategy: Strategy, budget: Budget) -> bool:
    """Whether a strategy's own `choose` draws the clips of a budget; the published 115 are fixed."""
    return strategy.choose is not None and bool(budget) and budget.unit != FEW


def check_drawable(strategy: Strategy, budget: Budget) -> None:
    """Refuse budgets whose clips are drawn in a way of their own.

    Raises:
        UsageError: The budget is stratified, or of all recordings of a sentence.
    """
    if own_draw(strategy, budget) and (budget.stratified or budget.all_recordings):
        raise UsageError(
            f"{strategy.name} chooses its own clips, so --speech {budget} cannot say how they are drawn:"
            " leave out what stands after the +."
        )


def choose_clips(
    strategy: Strategy,
    wares: Sequence[Utterance],
    budget: Budget,
    data_seed: int,
    seconds: Callable[[Utterance], float],
) -> list[Utterance]:
    """The recordings that a strategy's `choose` buys, in its order.

    Args:
        strategy: Whose `choose` is called.
        wares: The recordings for sale; those that do not decode are not offered.
        budget: What may be spent.
        data_seed: Seeds its random numbers.
        seconds: Gives a recording's length; 0 where it does not decode.

    Raises:
        DeclarationError: It fails, reads a file, takes too long, or returns what the budget does not buy.
    """
    lengths = {(u.language, u.key): seconds(u) for u in wares}
    offered = sorted((u for u in wares if lengths[u.language, u.key] > 0), key=lambda u: (u.language, u.key))
    candidates = {
        Candidate(u.key, u.language, u.text, lengths[u.language, u.key], u.speaker): u for u in offered
    }
    allowed = _allowed(budget, len(wares))
    chosen = _called(strategy, SpeechOffer(tuple(candidates)), allowed, data_seed)
    where = _where(strategy)
    unknown = next((one for one in chosen if one not in candidates), None)
    if unknown is not None:
        name = unknown.name if isinstance(unknown, Candidate) else unknown
        raise DeclarationError(
            f"{where} returned {shown(name)}, which is not among the {len(candidates):,} clips for sale;"
            f" {CONTRACT}."
        )
    if len(set(chosen)) < len(chosen):
        twice = next(one for one in chosen if chosen.count(one) > 1)
        raise DeclarationError(f"{where} returned {shown(twice.name)} twice; {CONTRACT}.")
    if not allowed.allows(chosen):
        minutes = sum(one.seconds for one in chosen) / 60
        raise DeclarationError(
            f"{where} returned {len(chosen):,} clips of {minutes:.1f} minutes, and --speech {budget} buys"
            f" {allowed}; {CONTRACT}."
        )
    if not chosen:
        raise DeclarationError(f"{where} returned no clip; {CONTRACT}.")
    return [candidates[one] for one in chosen]


def bought_elsewhere(
    chosen: Mapping[str, Sequence[str]],
    strategy: Strategy,
    wares: Sequence[Utterance],
    budget: Budget,
    seconds: Callable[[Utterance], float],
) -> list[Utterance]:
    """The recordings that a strategy's `choose` bought elsewhere, checked against the budget.

    Args:
        chosen: Their names by language, as a ledger tells them.
        strategy: Whose `choose` it was; it is not called.
        wares: The recordings for sale.
        budget: What might be spent.
        seconds: Gives a recording's length.

    Raises:
        DataError: One is not for sale, or they are more than the budget buys.
    """
    there = {(u.language, u.key): u for u in wares}
    names = [(language, name) for language, several in chosen.items() for name in several]
    unknown = [name for name in names if name not in there]
    if unknown or len(set(names)) < len(names):
        what = f"{shown(unknown[0][1])}, which is not for sale" if unknown else "a clip twice"
        raise DataError(f"The ledger's clips chosen by {strategy.name} have {what}.")
    bought = [there[name] for name in names]
    allowed = _allowed(budget, len(wares))
    told = [Candidate(u.key, u.language, u.text, seconds(u), u.speaker) for u in bought]
    if not allowed.allows(told):
        raise DataError(
            f"The ledger's clips chosen by {strategy.name} are {len(told):,}, and {budget} buys {allowed}."
        )
    return bought


def _allowed(budget: Budget, wares: int) -> SpeechBudget:
    if budget.unit == "minutes":
        return SpeechBudget(minutes=float(budget.amount))
    return SpeechBudget(clips=min(budget.count(wares), wares))


def _called(strategy: Strategy, offer: SpeechOffer, allowed: SpeechBudget, data_seed: int) -> list[Any]:
    assert strategy.choose is not None
    where, file = _where(strategy), _file(strategy)
    rng = Random(int.from_bytes(rank(str(data_seed), "choose")[:8]))
    try:
        with call_for(where), no_files(file, where):
            found = strategy.choose(offer, allowed, rng)
            if isinstance(found, Iterable) and not isinstance(found, str | bytes):
                return list(found)
    except SlubenchError:
        raise
    except Exception as error:
        raise DeclarationError(f"{where} failed, {place_of(error, file)}") from error
    raise DeclarationError(f"{where} returned a {type(found).__name__}; {CONTRACT}.")


def _file(strategy: Strategy) -> str:
    code = getattr(strategy.choose, "__code__", None)
    return str(code.co_filename) if code is not None else ""


def _where(strategy: Strategy) -> str:
    file = _file(strategy)
    return f"choose of {strategy.name}" + (f" ({Path(file).name})" if file else "")
