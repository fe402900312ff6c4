"""What bundles are made and verified with, and how a run is told from its names alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from slubench.data.clips import ClipStore
from slubench.data.editions import EDITIONS, check_offered
from slubench.data.recordings import Progress, Recordings, decode_recordings, no_progress
from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.domain.budget import Budget
from slubench.domain.model import TRACKS
from slubench.domain.run import Run
from slubench.domain.selection import SELECTIONS
from slubench.domain.strategy import Strategy
from slubench.domain.target import TARGETS
from slubench.errors import SlubenchError, UsageError, unknown
from slubench.pipeline.context import Machine
from slubench.pipeline.plan import Planned, plan
from slubench.registry import Registry
from slubench.registry.adapters import Adapter
from slubench.runtime.digest import Digests
from slubench.runtime.home import Home
from slubench.scoring.predictions import check_test
from slubench.trainset.purchase import Purchase, purchase
from slubench.trainset.validation import ValidationSet, watch_run


@dataclass(frozen=True)
class Desk:
    """Where corpora, declarations and clips are taken from; all of it is the user's own.

    Attributes:
        home: Whose declarations and decoded clips are used.
        registry: The declarations.
        corpora: A mirror, for the full edition.
        say: Told each step in a line.
        watch: Opens a progress bar while clips are decoded.
    """

    home: Home
    registry: Registry
    corpora: Path | None = None
    say: Callable[[str], None] = lambda line: None
    watch: Progress = no_progress
    _bought: dict[tuple[object, ...], tuple[Purchase, ValidationSet]] = field(
        default_factory=dict, repr=False
    )
    _tests: dict[tuple[object, ...], Recordings] = field(default_factory=dict, repr=False)

    @property
    def digests(self) -> Digests:
        """Digests of local files."""
        return Digests(self.home.digests)

    def run_of(self, row: Mapping[str, Any], card: Adapter, strategy: Strategy, origin: str = "") -> Run:
        """The run that a score row and a card tell of.

        Args:
            row: By the names of `slubench.schemas.IDENTITY`.
            card: Of what was trained.
            strategy: How.
            origin: The strategy's file.

        Raises:
            UsageError: Task, model, edition, track, budget, condition or selection is none that is known.
        """
        task = self.registry.task(row["task"])
        if row["edition"] not in EDITIONS:
            raise unknown("edition", row["edition"], EDITIONS)
        if row["track"] not in TRACKS:
            raise unknown("track", row["track"], TRACKS)
        if row["target"] not in TARGETS:
            raise unknown("target data", row["target"], TARGETS)
        if card.ledger.selection not in SELECTIONS:
            raise unknown("selection", card.ledger.selection, SELECTIONS)
        task.check_target(row["target"])
        model = self.registry.model(card.base)
        model.recipe(row["track"])
        ruleset, _, _ = str(row["ruleset"]).partition("+")
        if ruleset != "fixed":
            raise unknown("ruleset", ruleset, ["fixed"])
        return Run(
            task=task,
            strategy=strategy,
            budget=dataclasses.replace(Budget.parse(row["speech"]), target=row["target"]),
            model=model,
            weights=card.weights,
            track=row["track"],
            data_seed=row["data_seed"],
            train_seed=row["train_seed"],
            edition=row["edition"],
            ruleset=ruleset,
            selection=card.ledger.selection,
            strategy_origin=origin,
        )

    def plan(self, run: Run, engine: str) -> Planned:
        """Find a run's corpora and its fingerprints.

        Raises:
            UsageError: The edition has no such task.
            MissingError: The corpus is not here.
        """
        edition = EDITIONS[run.edition]
        corpora = self.corpora if edition.mirror is None else None
        source = edition.source(corpora, self.digests)
        if edition.mirror is not None:
            try:
                check_offered(source, run.task, self.registry.tasks)
            except SlubenchError as error:
                raise UsageError(str(error)) from None
        return plan(run, Machine(self.home, source, engine, say=self.say, watch=self.watch))

    def buy(self, planned: Planned) -> tuple[Purchase, ValidationSet]:
        """What the run's budget buys at its data seed, from the corpus, and what is looked at beside.

        Raises:
            DataError: No row of the pools can be used.
        """
        run = planned.run
        uses_speech = run.strategy.needs_speech
        asked = (run.task.name, str(run.spends), run.spends.target, run.data_seed, uses_speech, run.edition)
        key = (*asked, run.model.sampling_rate, run.model.max_seconds, run.selects)
        if key not in self._bought:
            store = self.clips(run)
            bought = purchase(
                run.task, planned.pools, run.spends, run.data_seed, store, self.watch, uses_speech
            )
            self._bought[key] = watch_run(run, bought, planned.watched, store, self.watch)
        return self._bought[key]

    def hear(self, run: Run, test: SplitFiles) -> Recordings:
        """The decoded recordings of a test.

        Raises:
            DataError: The test is not whole.
        """
        key = (str(test), test.revision, run.model.sampling_rate, run.model.max_seconds)
        if key not in self._tests:
            rows = read_rows(test)
            recordings = decode_recordings(
                rows.utterances, test.corpus.audio, str(test), self.clips(run), self.watch
            )
            check_test(rows, recordings)
            self._tests[key] = recordings
        return self._tests[key]

    def clips(self, run: Run) -> ClipStore:
        """The store of clips as the run's model hears them."""
        return ClipStore(self.home.clips, run.model.sampling_rate, run.model.max_seconds)
