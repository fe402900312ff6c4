"""Spends a planned run's budget: finds its training and validation data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from slubench.data.leaks import leaked_ids, refuse_leaked_recordings
from slubench.domain.utterance import Utterance
from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.trainset.own_choice import bought_elsewhere, check_drawable, choose_clips, own_draw
from slubench.trainset.purchase import Choice, Purchase, purchase
from slubench.trainset.validation import ValidationSet, watch_run


def buy(planned: Planned, context: Context, chosen: Mapping[str, Sequence[str]] | None = None) -> Purchase:
    """The data that the run's budget buys at its data seed, computed once for strategies that share it.

    Args:
        planned: The run.
        context: Where and with what.
        chosen: What the strategy's own `choose` bought elsewhere, by language; it is not called then.

    Raises:
        DataError: No row of the pools can be used.
        DeclarationError: The strategy's `choose` fails, or buys what the budget does not.
        UsageError: The budget says how its clips are drawn, and the strategy chooses its own.
    """
    run, store = planned.run, context.clips(planned.run.model)
    uses_speech = run.strategy.needs_speech
    check_drawable(run.strategy, run.spends)
    pools = tuple((str(pool), pool.revision) for pool in planned.pools)
    key: tuple[object, ...] = ("bought", run.task.name, pools, run.spends, run.data_seed, uses_speech, store)
    key += (run.strategy.unlabelled,)
    choose: Choice | None = None
    if own_draw(run.strategy, run.spends):

        def choose(wares: Sequence[Utterance], seconds: Callable[[Utterance], float]) -> list[Utterance]:
            if chosen is not None:
                return bought_elsewhere(chosen, run.strategy, wares, run.spends, seconds)
            return choose_clips(run.strategy, wares, run.spends, run.data_seed, seconds)

        key += (strategy_fingerprint(run.strategy), repr(chosen))
    return context.once(
        key,
        lambda: purchase(
            run.task,
            planned.pools,
            run.spends,
            run.data_seed,
            store,
            context.progress,
            uses_speech,
            choose,
            run.strategy.unlabelled,
        ),
    )


def buy_and_hold_out(
    planned: Planned, context: Context, chosen: Mapping[str, Sequence[str]] | None = None
) -> tuple[Purchase, ValidationSet]:
    """The run's training data and validation set.

    Args:
        planned: The run.
        context: Where and with what.
        chosen: See `buy`.

    Raises:
        DataError: No row of the pools or of the validation split can be used.
        UsageError: The selection holds out bought clips, and too few were bought.
    """
    bought = buy(planned, context, chosen)
    store = context.clips(planned.run.model)
    return watch_run(planned.run, bought, planned.watched, store, context.progress)


def check_no_leaks(planned: Planned) -> None:
    """Refuse a run whose training pools or validation split contain an id of its test set.

    Raises:
        SlubenchError: Names the split and the ids.
        DataError: A recording of the test is in a pool under another id.
    """
    for split, leaked in leaked_ids(planned.test, (*planned.pools, *planned.watched)).items():
        raise SlubenchError(
            f"{len(leaked)} test ids are in the training pool {split}: {', '.join(leaked[:10])}. Test"
            " sentences must not be trained on in any language; correct the mirror."
        )
    refuse_leaked_recordings(planned.test, (*planned.pools, *planned.watched))
