"""A run: task, strategy, budget, model, seeds, and everything else that identifies it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from slubench.domain.budget import NONE, STRATIFIED, Budget
from slubench.domain.model import Model
from slubench.domain.selection import LAST, SELECTIONS
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task

LIMIT = "limit"
"""The mark of a smoke run, as in `fixed+limit-20`: it read only the first utterances of each split."""


def limit_of(ruleset: str) -> int:
    """The limit that a ruleset's mark names; 0 for none."""
    marks = (mark.partition("-") for mark in ruleset.split("+")[1:])
    return next((int(number) for name, _, number in marks if name == LIMIT and number.isdecimal()), 0)


@dataclass(frozen=True, kw_only=True)
class Run:
    """Everything that identifies a run.

    Attributes:
        task: What is asked.
        strategy: How one trains.
        budget: How much speech may be heard.
        model: The model, its weights located.
        weights: Commit or digest of the weights.
        track: Which parts learn.
        data_seed: Draws the clips.
        train_seed: Draws the rest.
        edition: Name of the edition.
        ruleset: As in `fixed`.
        selection: What is looked at beside what is learnt, and which weights count.
        strategy_origin: File the strategy was read from.
        limit: For a smoke run: of each split only the first so many utterances are read; 0 for all.
    """

    task: Task
    strategy: Strategy
    budget: Budget
    model: Model
    weights: str
    track: str = "lora-lm"
    data_seed: int = 0
    train_seed: int = 0
    edition: str = "mini"
    ruleset: str = "fixed"
    selection: str = LAST
    strategy_origin: str = ""
    limit: int = 0

    @property
    def spends(self) -> Budget:
        """The budget, normalised to 0 for a strategy that uses no speech.

        The condition on target data stays, for it sets the updates and gives text; one that learns nothing
        has neither.
        """
        if not self.strategy.stages:
            return NONE
        if not self.strategy.needs_speech:
            return dataclasses.replace(NONE, target=self.budget.target)
        return self.budget

    @property
    def rules(self) -> str:
        """The ruleset, followed by marks for what excludes the run from the ranking."""
        marks: tuple[str, ...] = () if self.spends.ranked else (STRATIFIED,)
        if not SELECTIONS[self.selects].ranked:
            marks += (self.selects,)
        if self.limit:
            marks += (f"{LIMIT}-{self.limit}",)
        return "+".join((self.ruleset, *marks))

    @property
    def selects(self) -> str:
        """The selection; a strategy without training has none."""
        return self.selection if self.strategy.stages else LAST

    @property
    def data_track(self) -> str:
        """`closed`, or `open` if task or strategy uses other data than the pools."""
        return "open" if "open" in (self.task.data_track, self.strategy.track) else "closed"

    @property
    def loads(self) -> tuple[object, ...]:
        """What an engine loads for it: two models may share a name, and two prompts a model."""
        return self.weights, self.model.repository, self.model.name, self.model.prompt

    @property
    def name(self) -> str:
        """A readable name, which is never parsed."""
        return "--".join((self.task.name, *self._tail()))

    @property
    def training(self) -> str:
        """A readable name of the training, independent of the test."""
        target = (self.task.test_in,) if self.spends.target != "none" else ()
        languages = "+".join(dict.fromkeys((*self.task.speech_in, *self.task.text_in, *target)))
        return "--".join((f"{self.task.corpus.name}-{languages}", *self._tail()))

    def _tail(self) -> tuple[str, ...]:
        budget = str(self.spends).replace("%", "pct")
        if self.spends.target != "none":
            budget += f"--target-{self.spends.target}"
        seeds = f"d{self.data_seed}t{self.train_seed}"
        watched: tuple[str, ...] = (self.selects,) if self.selects != LAST else ()
        if self.limit:
            watched += (f"{LIMIT}-{self.limit}",)
        return (self.strategy.name, budget, self.model.name, self.track, self.edition, *watched, seeds)
