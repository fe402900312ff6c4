"""The context of a command: folders, declarations, corpora and settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from slubench.data.clips import ClipStore
from slubench.data.editions import EDITIONS, Edition, check_offered, choose, offers
from slubench.data.recordings import Progress, Recordings, decode_recordings, no_progress
from slubench.data.rows import read_rows
from slubench.data.source import Source, SplitFiles
from slubench.domain.model import Model
from slubench.domain.task import Task
from slubench.errors import UsageError
from slubench.registry import Registry
from slubench.registry.weights import choose_model, locate
from slubench.runtime import engines
from slubench.runtime.digest import Digests
from slubench.runtime.home import Home, find_home
from slubench.runtime.machine import why_not
from slubench.scoring.predictions import INPUTS, check_test

T = TypeVar("T")

MOST_KEPT = 16
"""The number of purchases and decoded test sets kept in memory; the oldest is dropped first."""


@dataclass(frozen=True)
class Context:
    """What every step of a run needs; `open_context` creates one for each command.

    Attributes:
        home: Where results are kept.
        registry: The declarations.
        corpora: A mirror of the corpora, for the full edition.
        engine: `vllm` or `transformers`.
        serving: `auto`, `live` or `merged`.
        inputs: The inputs to predict from: speech, text, and the model's own transcripts where wanted.
            Predictions from own transcripts that exist already are always scored.
        batch_size: Most examples on the device at once; 0 for as many as fit.
        say: Reports a step in one line.
        progress: Opens a progress bar.
        gpus: How many GPUs an engine works on together.
        sources: Where each edition's corpora are, by name; an entry given here replaces the edition's own.
    """

    home: Home
    registry: Registry
    corpora: Path | None = None
    engine: str = "transformers"
    serving: str = "auto"
    inputs: Sequence[str] = INPUTS
    batch_size: int = 0
    say: Callable[[str], None] = lambda line: None
    progress: Progress = no_progress
    gpus: int = 1
    sources: dict[str, Source] = field(default_factory=dict, repr=False)
    _kept: dict[object, Any] = field(default_factory=dict, repr=False)

    @cached_property
    def digests(self) -> Digests:
        """Digests of local files, cached in HOME."""
        return Digests(self.home.digests)

    def choose_edition(self, name: str) -> Edition:
        """The edition of that name; for `auto`, the choice is reported.

        Raises:
            UsageError: There is no such edition, or it has its own corpus and a mirror is named.
            MissingError: The mirror is not a folder.
        """
        edition, reason = choose(name, lambda model: why_not(self.registry.model(model)))
        if reason:
            self.say(reason)
        self.sources.setdefault(edition.name, edition.source(self.corpora, self.digests))
        return edition

    def source(self, edition: str, limit: int = 0) -> Source:
        """Where an edition's corpora are; the mirror applies to editions without their own corpus.

        Args:
            edition: Its name.
            limit: For a smoke run: so many utterances of each split are read.
        """
        if limit:
            return replace(self.source(edition), limit=limit)
        if edition not in self.sources:
            chosen = EDITIONS[edition]
            corpora = self.corpora if chosen.mirror is None else None
            self.sources[edition] = chosen.source(corpora, self.digests)
        return self.sources[edition]

    def task(self, name: str, edition: Edition) -> Task:
        """The task of that name; the edition must have it.

        Raises:
            UsageError: There is no such task.
            MissingError: The edition lacks it.
        """
        task = self.registry.task(name)
        check_offered(self.source(edition.name), task, self.registry.tasks)
        return task

    def offered(self, edition: Edition) -> list[Task]:
        """All tasks of an edition."""
        source = self.source(edition.name)
        return [task for task in self.registry.tasks.values() if source.hub or offers(source, task)]

    def model(self, name: str | None, edition: Edition) -> Model:
        """The model of that name or folder, or the edition's default.

        Raises:
            UsageError: There is no such model.
            MissingError: The folder holds no checkpoint.
        """
        return choose_model(name or edition.model, self.registry)

    def locate(self, model: Model) -> tuple[Model, str]:
        """The model with the folder of its weights, and the commit or digest of the weights.

        Raises:
            MissingError: The weights are not here, or the model needs a GPU and there is none.
        """
        return locate(model, self.digests)

    def clips(self, model: Model) -> ClipStore:
        """The store of decoded clips at the model's sampling rate and longest length."""
        return ClipStore(self.home.clips, model.sampling_rate, model.max_seconds)

    def recordings(self, test: SplitFiles, model: Model) -> Recordings:
        """The decoded recordings of a test set.

        Raises:
            DataError: A row or clip of the test cannot be used.
        """

        def decoded() -> Recordings:
            rows = read_rows(test)
            found = decode_recordings(
                rows.utterances, test.corpus.audio, str(test), self.clips(model), self.progress
            )
            check_test(rows, found)
            return found

        return self.once(("test", str(test), test.revision, self.clips(model)), decoded)

    def once(self, key: object, make: Callable[[], T]) -> T:
        """The result of `make`, computed once for each key while it is cached."""
        if key not in self._kept:
            made = make()
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = made
        found: T = self._kept[key]
        return found


def open_context(
    *,
    home: Path | None = None,
    corpora: Path | None = None,
    engine: str = "",
    serving: str = "auto",
    inputs: Sequence[str] = INPUTS,
    batch_size: int = 0,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = no_progress,
) -> Context:
    """Open the context of a command.

    Args:
        home: HOME, if one is named.
        corpora: A mirror of the corpora, if one is named.
        engine: `auto`, `vllm` or `transformers`; empty for a command that starts no engine.
        serving: `auto`, `live` or `merged`.
        inputs: The inputs to predict from.
        batch_size: Most examples on the device at once; 0 for as many as fit.
        say: Reports a step in one line.
        progress: Opens a progress bar.

    Raises:
        DeclarationError: A file of HOME or a plugin does not import.
        UsageError: There is no such engine.
        MissingError: The engine is not installed.
    """
    place = find_home(home)
    registry = Registry(place.root, say)
    resolved = engines.resolve(engine) if engine else "transformers"
    return Context(place, registry, corpora, resolved, serving, inputs, batch_size, say, progress)


def engine_for(model: Model, wanted: str) -> str:
    """The given engine; for `auto`, the preferred one that is installed and serves the model.

    Args:
        model: The model, what it leaves to its family filled in.
        wanted: `auto`, `vllm` or `transformers`.

    Raises:
        UsageError: vLLM was asked for and has no class for the model, or there is no such engine.
        MissingError: It is not installed.
    """
    engine = engines.resolve(wanted)
    if engine != "vllm" or model.stock_vllm or model.vllm_architecture:
        return engine
    if wanted == "auto":
        return engines.resolve("transformers")
    raise UsageError(
        f"vLLM has no class for {model.name}: its family, {model.family}, declares none."
        " Use --engine transformers."
    )
