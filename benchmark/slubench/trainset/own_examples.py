"""Calls a stage's own `compose`, and checks its examples against pool and rules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from random import Random

from slubench.domain.pool import ExposureError, Pool
from slubench.domain.strategy import Example, Strategy
from slubench.errors import DeclarationError, SlubenchError
from slubench.trainset.exposure import paid_clips
from slubench.trainset.file_guard import no_files
from slubench.trainset.guarded_call import call_for, place_of
from slubench.trainset.order import rank
from slubench.trainset.provenance import Provenance

CONTRACT = "compose(pool, rng) must yield Example values made from the pool, at least one in each pass"


def own_examples(
    strategy: Strategy, number: int, pool: Pool, seed: str, most: int, clips: int
) -> tuple[Example, ...]:
    """Call a stage's `compose` as `_own_examples` does, for as long as it may take.

    Raises:
        DeclarationError: It takes longer than SLUBENCH_COMPOSE_MINUTES, by default 10, or reads a file.
        UsageError: SLUBENCH_COMPOSE_MINUTES is not a number above 0.
    """
    provenance = Provenance(strategy, number, pool)
    where = provenance.where
    recordings = {one.clip.file for bought in pool.bought.values() for one in bought if one.clip is not None}
    with (
        call_for(where, "A compose is one pass and must end"),
        no_files(provenance.file, where, frozenset(recordings)),
    ):
        return _own_examples(strategy, number, pool, seed, most, clips)


def _own_examples(
    strategy: Strategy, number: int, pool: Pool, seed: str, most: int, clips: int
) -> tuple[Example, ...]:
    """Call a stage's `compose` once for each pass, until its updates or passes are complete.

    Each pass has a generator of random numbers of its own. In later passes examples whose clips go beyond the
    rules are left out; where nothing else is left, the stage ends with fewer updates.

    Args:
        strategy: Whose stage it is.
        number: Of the stage, from 0.
        pool: What the budget allows.
        seed: Of train seed and stage.
        most: Examples that fill the stage's updates.
        clips: Clips that it may hear, repeats included.

    Raises:
        BudgetError: An example is not made from the pool.
        ExposureError: The first pass alone hears more than `clips`.
        DeclarationError: `compose` failed, gave no example, or gave something else.
    """
    stage = strategy.stages[number]
    provenance = Provenance(strategy, number, pool)
    passes = math.inf if stage.passes is None else stage.passes
    given: list[Example] = []
    heard = turn = 0
    while len(given) < most and turn < passes:
        taken = read = 0
        for example in itertools.islice(_one_pass(provenance, pool, f"{seed}:{turn}"), most):
            read += 1
            provenance.check(example)
            if heard + paid_clips(example) > clips:
                if turn == 0:
                    raise ExposureError(
                        f"{provenance.where}: its first pass uses more than the {clips:,} clips that the"
                        f" rules allow at {pool.budget}, repeats included. Yield each recording once: compose"
                        " is called again until the stage's updates are full. pool.exposures tells how many"
                        " clips a stage may hear."
                    )
                continue
            given.append(example)
            heard += paid_clips(example)
            taken += 1
            if len(given) == most:
                break
        if not read and turn == 0:
            raise DeclarationError(f"{provenance.where} yielded no example; {CONTRACT}.")
        if turn == 0 and passes < math.inf and read < most:
            # A fraction of a pass ends within it.
            most = min(most, max(1, math.floor(passes * read + 1e-9)))
            given = given[:most]
        if not taken:
            break
        turn += 1
    return tuple(given)


def _one_pass(provenance: Provenance, pool: Pool, seed: str) -> Iterator[Example]:
    """The examples of one call of `compose`; its errors are reported with file and line."""
    compose, where = provenance.stage.compose, provenance.where
    assert compose is not None
    rng = Random(int.from_bytes(rank(seed, "compose")[:8]))
    try:
        found = compose(pool, rng)
        if found is None:
            raise DeclarationError(f"{where} returned None; {CONTRACT}.")
        try:
            examples = iter(found)
        except TypeError:
            raise DeclarationError(f"{where} returned a {type(found).__name__}; {CONTRACT}.") from None
        for example in examples:
            if not isinstance(example, Example):
                raise DeclarationError(f"{where} yielded a {type(example).__name__}; {CONTRACT}.")
            yield example
    except SlubenchError:
        raise
    except Exception as error:
        raise DeclarationError(f"{where} failed, {place_of(error, provenance.file)}") from error
