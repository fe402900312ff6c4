"""One scored run: the rows that share a scores fingerprint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from slubench.board.panel import Estimate, Measure
from slubench.board.row_identity import WHOLE, model_labels, row_keys, standing, strategy_labels
from slubench.metrics.statistics import unseen_share
from slubench.schemas import IDENTITY

TEST_SAMPLING = "95 % interval of test sampling, one trained model"


@dataclass(frozen=True)
class ScoredRun:
    """A scored run.

    Attributes:
        row: What identifies it and what its ledger counts, by the names of `slubench.schemas.IDENTITY`.
        measures: Metrics over the whole test.
        slices: SLU-F1 on speech, normalised, by column and value.
        page: What its page is called, the same whenever the same scores are shown.
        speakers: How many spoke the test, 0 where that is not known.
        strategy: What its strategy is called: its name, where no other strategy of the board bears it.
        model: What its model is called: its name, where no other weights of the board bear it.
    """

    row: Mapping[str, Any]
    measures: Mapping[Measure, Estimate] = field(repr=False)
    slices: Mapping[tuple[str, str], Estimate] = field(repr=False, default_factory=dict)
    page: str = ""
    speakers: int = 0
    strategy: str = ""
    model: str = ""

    @property
    def seeds(self) -> tuple[int, int]:
        """Data seed and train seed."""
        return self.row["data_seed"], self.row["train_seed"]

    @property
    def engine(self) -> str:
        """The engine's name without its version, since versions are interchangeable."""
        return str(self.row["engine"]).partition(" ")[0]

    @property
    def uses_speech(self) -> bool:
        """Whether it used any speech, even if only of the target language at a budget of 0."""
        return bool(self.row["clip_exposures"])

    @property
    def speech(self) -> str:
        """The budget as given; `0` if no speech was used, as for text-only strategies at any budget."""
        return str(self.row["speech"]) if self.row["clip_exposures"] else "0"


def runs_of(table: pa.Table) -> list[ScoredRun]:
    """Group score rows into runs; a row that occurs twice counts once.

    Where the same scores come with several tiers of proof, the higher one counts, then what was made last.

    Args:
        table: Rows in `slubench.schemas.SCORES`, see `slubench.board.read.scores.read_scores`.
    """
    keys = row_keys(table).tolist()
    ranks = [standing(row) for row in table.select(["tier", "created"]).to_pylist()]
    best: dict[int, tuple[bool, int, Any]] = {}
    for key, rank in zip(keys, ranks, strict=True):
        if key not in best or rank > best[key]:
            best[key] = rank
    counted = pa.array([rank == best[key] for key, rank in zip(keys, ranks, strict=True)], pa.bool_())
    table = table.append_column(_RUN, pa.array(keys, pa.int64())).filter(counted)
    sliced = _slices(table)
    table = table.filter(pc.equal(table.column("slice_by"), "all"))
    keys = table.column(_RUN).to_pylist()
    first: dict[int, int] = {}
    for index, key in enumerate(keys):
        first.setdefault(key, index)

    measures: dict[int, dict[Measure, Estimate]] = {key: {} for key in first}
    columns = (table.column(name).to_pylist() for name in _MEASURED)
    for key, metric, input_kind, normalised, *told in zip(keys, *columns, strict=True):
        measures[key].setdefault(Measure(metric, input_kind, normalised), _estimate(*told))

    rows = table.select([name for name, _ in IDENTITY]).take(pa.array(first.values(), pa.int64())).to_pylist()
    pages = _pages(rows)
    speakers = [number or 0 for number in table.column("speakers").to_pylist()]
    return [
        ScoredRun(row, measures[key], sliced.get(key, {}), page, speakers[first[key]], strategy, model)
        for key, row, page, strategy, model in zip(
            first, rows, pages, strategy_labels(rows), model_labels(rows), strict=True
        )
    ]


def _pages(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """The first digits of the scores fingerprint, as in the names of score files; numbered if they recur."""
    pages: dict[int, str] = {}
    times: Counter[str] = Counter()
    for place in sorted(range(len(rows)), key=lambda at: [str(rows[at][name]) for name in _NUMBERED]):
        fingerprint = str(rows[place]["scores_fingerprint"])
        known = re.fullmatch("[0-9a-f]{12,}", fingerprint)
        digits = (fingerprint if known else sha256(fingerprint.encode()).hexdigest())[:12]
        times[digits] += 1
        pages[place] = digits if times[digits] == 1 else f"{digits}-{times[digits]}"
    return [pages[place] for place in range(len(rows))]


def _estimate(value: float, low: float | None, high: float | None, clusters: int | None) -> Estimate:
    """A row's value with its interval, which scorers before 3 left without width at 0 and 100 %."""
    if low is None or high is None:
        return Estimate(value, low, high, 1, "")
    if low == high and clusters and 0 <= value <= 1:
        unseen = unseen_share(0.05, clusters)
        low, high = value - unseen * value, value + unseen * (1 - value)
    return Estimate(value, low, high, 1, TEST_SAMPLING)


def _slices(table: pa.Table) -> dict[int, dict[tuple[str, str], Estimate]]:
    shown = pc.and_(pc.equal(table.column("metric"), "slu_f1"), pc.equal(table.column("input"), "speech"))
    shown = pc.and_(shown, pc.and_(table.column("normalised"), pc.not_equal(table.column("slice_by"), "all")))
    table = table.filter(shown)
    columns = (table.column(name).to_pylist() for name in (_RUN, "slice_by", "slice", *_VALUES))
    found: dict[int, dict[tuple[str, str], Estimate]] = {}
    for key, by, name, *told in zip(*columns, strict=True):
        found.setdefault(key, {}).setdefault((by, name), _estimate(*told))
    return found


_RUN = "run_number"
_NUMBERED = ("scores_fingerprint", "task", "strategy", *WHOLE)
_VALUES = ("value", "low", "high", "clusters")
_MEASURED = ("metric", "input", "normalised", *_VALUES)
