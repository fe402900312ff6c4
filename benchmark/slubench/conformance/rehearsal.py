"""A small corpus to rehearse on: every row in a file of its own, so that opening one says which it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from slubench.data.clips import ClipStore
from slubench.data.editions import MINI, MINI_CORPUS
from slubench.data.source import Source
from slubench.data.splits import find_pools
from slubench.domain.budget import Budget
from slubench.domain.model import Model
from slubench.domain.task import Task
from slubench.runtime.digest import Digests
from slubench.trainset.purchase import purchase
from slubench.trainset.purchase_file import write_purchase

TASK = "massive-de"
SPLITS = {
    "train": ("FBK-MT/Speech-MASSIVE", 64),
    "validation": ("FBK-MT/Speech-MASSIVE", 8),
    "test": ("FBK-MT/Speech-MASSIVE-test", 16),
}
LOCALE = "de-DE"


@dataclass(frozen=True)
class Rehearsal:
    """64 sentences to learn, 8 of validation and 16 of the test, taken from the mini edition's German.

    Attributes:
        folder: Where all of it lies.
    """

    folder: Path

    @property
    def corpus(self) -> Path:
        """The mirror, in the Hub's own layout, a shard a row."""
        return self.folder / "corpus"

    @property
    def home(self) -> Path:
        """HOME of the rehearsal's runs."""
        return self.folder / "home"

    def source(self) -> Source:
        """Where its corpus is looked for."""
        digests = Digests(self.folder / "digests.json")
        return Source(digests, self.corpus, hub=False, name="the rehearsal", own=MINI.terms)


def lay_out(folder: Path) -> Rehearsal:
    """Write the corpus below `folder`."""
    rehearsal = Rehearsal(folder)
    for split, (repository, rows) in SPLITS.items():
        place = rehearsal.corpus / repository / LOCALE
        place.mkdir(parents=True, exist_ok=True)
        _write(MINI_CORPUS / repository / LOCALE, place, split, rows)
    return rehearsal


def _write(source: Path, place: Path, split: str, rows: int) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(sorted(source.glob(f"{split}-[0-9]*.parquet")))
    for number, row in enumerate(_spread(table.num_rows, rows)):
        shard = place / f"{split}-{number:05d}-of-{rows:05d}.parquet"
        pq.write_table(table.slice(row, 1), shard)


def _spread(size: int, wanted: int) -> Iterator[int]:
    """Row numbers as far apart as can be."""
    return (size * number // wanted for number in range(wanted))


ANOTHER = "25%"
"""Bought again, with another data seed."""


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
        pools = find_pools(task, source, budget)
        # Whose strategy does not declare that it hears them is not given them.
        bought = purchase(task, pools, budget, seed, store, unlabelled=True)
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
