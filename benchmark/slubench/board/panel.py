"""A panel: one task's cells within one setting, and their measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from slubench.board.comparisons import Comparisons

TEXT_ONLY = "text-only"


DIRECT_MIX = "direct-mix"
RANKED_TIERS = ("local", "retrained")
"""Tiers that are ranked: submitted results once they are retrained, and one's own (RULES.md)."""


class MetricLabel(NamedTuple):
    """How a metric is labelled, see `slubench.domain.metric.Metric`."""

    name: str
    title: str
    about: str = ""
    form: Literal["points", "percent"] = "points"
    more_is_better: bool = True
    headline: bool = False


class Measure(NamedTuple):
    """What was measured: a metric, from which input, and whether on normalised text."""

    metric: str
    input: str = "speech"
    normalised: bool = True


@dataclass(frozen=True)
class Estimate:
    """A number with its interval, if there is one.

    Attributes:
        value: The number, in the unit of the score rows ([0, 1] for metrics).
        low: Lower end of the interval, None where there is none.
        high: Upper end.
        seeds: Over how many trained models it was taken.
        kind: What the interval is, in words.
    """

    value: float
    low: float | None = None
    high: float | None = None
    seeds: int = 1
    kind: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A strategy at one budget of speech, over its seeds.

    Attributes:
        strategy: Name of the strategy; of several that bear one, as `slubench.board.row_identity` calls them.
        speech: The budget as given (`5%`, `20min`, `230`), `0` where none of the source language was used.
        share: Clips bought over clips in the task's pool, in [0, 1].
        engine: Engine that answered, with its version; several versions joined by commas.
        serving: How the adapter was served; several ways joined by commas.
        tier: What the numbers rest on, RULES.md.
        seeds: (data seed, train seed) of each run, sorted.
        runs: What each run's page is called, in the order of `seeds`.
        measures: What was measured.
        counts: Means over the runs of what the ledger counts, by column of the score rows.
        slices: SLU-F1 on speech of parts of the test, by column and value.
        ranks: The best and the worst rank that the data allow it at its budget, None where it is not ranked.
        command: What reproduces its runs.
        way: Version of the engine and serving, where these tell it from another cell; else empty.
    """

    strategy: str
    speech: str
    share: float
    engine: str
    serving: str
    tier: str
    seeds: tuple[tuple[int, int], ...]
    runs: tuple[str, ...]
    measures: Mapping[Measure, Estimate] = field(repr=False)
    counts: Mapping[str, float] = field(repr=False)
    slices: Mapping[tuple[str, str], Estimate] = field(repr=False, default_factory=dict)
    ranks: tuple[int, int] | None = None
    command: str = field(repr=False, default="")
    way: str = ""

    @property
    def weight(self) -> tuple[bool, int, bool]:
        """Which of several cells of a strategy and budget speaks for it: ranked, of most seeds, retrained."""
        return self.tier in RANKED_TIERS, len(self.seeds), self.tier == "retrained"

    def estimate(
        self, metric: str, input_kind: str = "speech", *, normalised: bool = True
    ) -> Estimate | None:
        """The estimate of a metric, None if it was not measured."""
        return self.measures.get(Measure(metric, input_kind, normalised))

    @property
    def uses_speech(self) -> bool:
        """Whether any speech was used in training, including target-language speech alone."""
        return self.speech != "0" or bool(self.counts.get("clip_exposures"))


@dataclass(frozen=True, kw_only=True, order=True)
class Setting:
    """What must be equal for rows to share a table."""

    edition: str
    model: str
    track: str
    data_track: str
    ruleset: str
    rules: int

    @property
    def marks(self) -> tuple[str, ...]:
        """Why its rows are not ranked, such as `oracle-selection`; usually empty."""
        return tuple(self.ruleset.split("+")[1:])


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One task's cells within one setting, best first.

    Attributes:
        setting: Edition, model, track and ruleset.
        task: Name of the task.
        corpus: Name of the corpus.
        revision: The corpus's commit or digest, empty where it is not known.
        test_in: Language of the test (ISO 639-1).
        speech_in: Languages of the training recordings.
        text_in: Languages of the training transcripts.
        target: Condition on target-language data, empty for monolingual tasks.
        cells: By SLU-F1 on speech, best first.
        metrics: What was measured of any cell, in the order in which tables show it.
        notes: What a reader of this panel must know, in sentences.
        findings: What comparing the cells gives.
    """

    setting: Setting
    task: str
    corpus: str
    revision: str
    test_in: str
    speech_in: tuple[str, ...]
    text_in: tuple[str, ...]
    target: str
    cells: tuple[Cell, ...]
    metrics: tuple[MetricLabel, ...] = field(repr=False, default=())
    notes: tuple[str, ...] = ()
    findings: Comparisons = field(repr=False, default=Comparisons())

    @property
    def cross_lingual(self) -> bool:
        """Whether the training speech is in other languages than the test."""
        return self.test_in not in self.speech_in

    def of(self, strategy: str) -> tuple[Cell, ...]:
        """A strategy's cells by increasing share of speech."""
        return tuple(sorted((c for c in self.cells if c.strategy == strategy), key=lambda c: c.share))

    def reading_alone(self) -> Cell | None:
        """Text-only at 0, the baseline of the others; of several see `representative`."""
        return representative(cell for cell in self.of(TEXT_ONLY) if not cell.uses_speech)


def representative(cells: Iterable[Cell]) -> Cell | None:
    """Which of several cells of a strategy and budget speaks for it; its score plays no part."""
    ordered = sorted(cells, key=lambda cell: (cell.engine, cell.serving, cell.runs))
    return max(ordered, key=lambda cell: cell.weight, default=None)
