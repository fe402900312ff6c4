"""Spends a planned run's budget: finds its training and validation data."""

from __future__ import annotations

from slubench.data.leaks import leaked_ids, refuse_leaked_recordings
from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned
from slubench.trainset.purchase import Purchase, purchase
from slubench.trainset.validation import ValidationSet, watch_run


def buy(planned: Planned, context: Context) -> Purchase:
    """The data that the run's budget buys at its data seed, computed once for strategies that share it.

    Raises:
        DataError: No row of the pools can be used.
    """
    run, store = planned.run, context.clips(planned.run.model)
    uses_speech = run.strategy.needs_speech
    pools = tuple((str(pool), pool.revision) for pool in planned.pools)
    key = ("bought", run.task.name, pools, run.spends, run.data_seed, uses_speech, store)
    return context.once(
        key,
        lambda: purchase(
            run.task, planned.pools, run.spends, run.data_seed, store, context.progress, uses_speech
        ),
    )


def buy_and_hold_out(planned: Planned, context: Context) -> tuple[Purchase, ValidationSet]:
    """The run's training data and validation set.

    Raises:
        DataError: No row of the pools or of the validation split can be used.
        UsageError: The selection holds out bought clips, and too few were bought.
    """
    bought = buy(planned, context)
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
