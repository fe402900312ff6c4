"""Refuses what cannot be done before gigabytes are fetched and before a GPU works.

In this order: the test split (gated or missing), GPU, driver and memory for model and track, access to pools
and weights, disk, and then the rows and clips of the test.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from slubench.data.hub_files import MODEL, HubFile, cache_folder, listing
from slubench.data.splits import find_test, pools_of
from slubench.domain.budget import Budget
from slubench.domain.corpus import Corpus
from slubench.domain.footprint import merged_bytes, saved_bytes
from slubench.domain.model import Model
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned
from slubench.registry.adapters import find_adapter
from slubench.registry.weights import FETCHED, weights_at_hand
from slubench.runtime.disk import DiskNeed, check_disk
from slubench.runtime.machine import require_gpu, require_memory


def check_before_fetching(
    model: Model,
    track: str,
    tasks: Sequence[Task],
    strategies: Sequence[Strategy],
    budgets: Sequence[Budget],
    edition: str,
    context: Context,
    limit: int = 0,
) -> None:
    """Refuse what cannot be done while something is to be fetched still; else nothing is asked.

    Args:
        model: The model, its weights not looked for yet.
        track: Which parts are trained.
        tasks: Those of the command.
        strategies: Those of the command.
        budgets: Those of the command.
        edition: Where the corpora are.
        context: Where and with what.
        limit: For a smoke run: so many utterances of each split are read.

    Raises:
        MissingError: The test, the pools or the weights cannot be had, there is no GPU that torch can use, or
            memory or disk are too small.
        DataError: A row or clip of a test cannot be used.
    """
    source = context.source(edition, limit)
    needs: list[DiskNeed] = []

    def upcoming(corpus: Corpus, language: str, split: str) -> int:
        if files := source.upcoming(corpus, language, split):
            needs.append(DiskNeed(f"{corpus.name}/{language}/{split}", cache_folder(), _bytes(files)))
        return len(files)

    for task in tasks:
        if not upcoming(task.corpus, task.test_in, task.test):
            find_test(task, source)
    require_gpu(model)
    trains = any(strategy.stages for strategy in strategies)
    at_hand = weights_at_hand(model)
    if not at_hand:
        models = context.registry.models.values()
        require_memory(model, track, models, trains=trains)
    pools = [
        split
        for task in tasks
        for budget in budgets
        if budget.target in task.targets
        for split in pools_of(task, budget)
    ]
    named = {(corpus.name, language, split): (corpus, language, split) for corpus, language, split in pools}
    for pool in named.values() if trains else ():
        upcoming(*pool)
    if not at_hand and (found := listing(model.repository, model.revision, MODEL)) is not None:
        size = _bytes(found.missing(found.matching(*FETCHED)))
        needs.append(DiskNeed(f"the weights of {model.name}", cache_folder(), size))
    if not needs:
        return
    check_disk([*needs, *_made(model, track, context, trains)])
    for task in tasks:
        context.recordings(find_test(task, source), model)


def check_before_training(planned: Planned, context: Context) -> None:
    """Refuse a run that cannot be finished, before a GPU works.

    Args:
        planned: A run that is not scored yet.
        context: Where and with what.

    Raises:
        MissingError: Memory or disk are too small, or other processes hold the memory.
        DataError: A row or clip of the test cannot be used.
    """
    run = planned.run
    trains = bool(run.strategy.stages) and find_adapter(context.home, planned.trained) is None
    require_memory(run.model, run.track, context.registry.models.values(), trains=trains)
    check_disk(_made(run.model, run.track, context, trains))
    context.recordings(planned.test, run.model)


def _made(model: Model, track: str, context: Context, trains: bool) -> list[DiskNeed]:
    """What training and serving write."""
    home = context.home.root
    made = []
    if trains and (size := saved_bytes(model, track)):
        made.append(DiskNeed(f"checkpoints and weights of the track {track}", home, size))
    if context.engine == "vllm" and track != "full" and context.serving != "live":
        made.append(DiskNeed("merged weights while vLLM serves them", home, merged_bytes(model)))
    return made


def _bytes(files: Iterable[HubFile]) -> int:
    return sum(file.size for file in files)
