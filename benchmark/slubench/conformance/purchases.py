"""What a rehearsal buys: pools at no speech, a little and all, on two data seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path

from slubench.budget import Budget
from slubench.clips import ClipStore
from slubench.corpora.source import Source
from slubench.finding import find_pools
from slubench.model import Model
from slubench.purchase import purchase
from slubench.purchase_file import write_purchase
from slubench.task import Task

ANOTHER = "25%"
"""Bought once more, by another data seed."""


def write_purchases(
    folder: Path, source: Source, model: Model, tasks: Sequence[Task], budgets: Sequence[str], of: str = ""
) -> dict[str, str]:
    """Buy for every task, budget and condition on target data.

    Args:
        folder: Where purchases and their decoded clips are written.
        source: Where corpora are.
        model: Whose sampling rate and longest clip count.
        tasks: What is to be learnt.
        budgets: As in `--speech`.
        of: What their names begin with, to tell corpora of the same tasks apart.

    Returns:
        The files of the purchases, by a name for each.
    """
    store = ClipStore(folder / "clips", model.sampling_rate, model.max_seconds)
    files: dict[str, str] = {}
    for task, budget, seed in _cells(tasks, budgets):
        bought = purchase(task, find_pools(task, source, budget), budget, seed, store)
        target = f" with target data {budget.target}" if budget.target != "none" else ""
        path = folder / f"{len(files)}.json"
        write_purchase(path, bought)
        files[f"{of}{task.name} at {budget}{target}, data seed {seed}"] = str(path)
    return files


def _cells(tasks: Sequence[Task], budgets: Sequence[str]) -> Iterator[tuple[Task, Budget, int]]:
    for task in tasks:
        for target in task.targets:
            for budget in budgets:
                yield task, dataclasses.replace(Budget.parse(budget), target=target), 0
        yield task, Budget.parse(ANOTHER), 1
