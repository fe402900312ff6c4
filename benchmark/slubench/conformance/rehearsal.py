"""A small corpus to rehearse on: every row in a file of its own, so that opening one says which it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slubench.corpora.source import Source
from slubench.digest import Digests
from slubench.editions import MINI, MINI_CORPUS

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
