"""A run: task x strategy x budget x model x track x seeds x edition x ruleset, and its fingerprints."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from slubench.budget import NONE, Budget
from slubench.corpora.source import Shards
from slubench.digest import digest
from slubench.function_source import function_source
from slubench.model import Model
from slubench.strategy import Strategy
from slubench.task import Task

# Raised when the same declaration trains, answers or is scored otherwise than before.
TRAIN_VERSION = 1
ANSWER_VERSION = 1
SCHEMA_VERSION = 2
RULES = 1


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that identifies a run.

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
        strategy_origin: File the strategy was read from.
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
    strategy_origin: str = ""

    @property
    def spends(self) -> Budget:
        """The budget, normalised to none for a strategy that takes no speech.

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
        """The ruleset, and behind it what takes the run out of the ranking."""
        return self.ruleset if self.spends.ranked else f"{self.ruleset}+stratified"

    @property
    def data_track(self) -> str:
        """`closed`, or `open` where task or strategy learns from other data than the pools."""
        return "open" if "open" in (self.task.data_track, self.strategy.track) else "closed"

    @property
    def name(self) -> str:
        """A readable name; nothing parses it."""
        return "--".join((self.task.name, *self._tail()))

    @property
    def training(self) -> str:
        """A readable name of what is trained, whatever the test."""
        target = (self.task.test_in,) if self.spends.target != "none" else ()
        languages = "+".join(dict.fromkeys((*self.task.speech_in, *self.task.text_in, *target)))
        return "--".join((f"{self.task.corpus.name}-{languages}", *self._tail()))

    def _tail(self) -> tuple[str, ...]:
        budget = str(self.spends).replace("%", "pct")
        if self.spends.target != "none":
            budget += f"--target-{self.spends.target}"
        seeds = f"d{self.data_seed}t{self.train_seed}"
        return (self.strategy.name, budget, self.model.name, self.track, self.edition, seeds)


def train_fingerprint(run: Run, pools: tuple[Shards, ...]) -> str:
    """What is trained: two runs with one fingerprint share an adapter, whatever they are tested on."""
    if not run.strategy.stages:
        # Whatever its prompt: nothing is learnt, and the answers' fingerprint tells prompts apart.
        return digest({"version": TRAIN_VERSION, "model": run.model.name, "weights": run.weights})
    # What came later stands there only where it is not as it was, so that old adapters are found again.
    later = {"target": run.spends.target} if run.spends.target != "none" else {}
    if run.task.speech_split != run.task.train:
        later["speech_split"] = run.task.speech_split
    return digest(
        {
            **later,
            "version": TRAIN_VERSION,
            "pools": sorted((str(shards), shards.revision) for shards in pools),
            "text_in": run.task.text_in,
            "speech_in": run.task.speech_in,
            "budget": str(run.spends),
            "data_seed": run.data_seed if run.spends.drawn else None,
            "strategy": values_of(run.strategy),
            "model": run.model.name,
            "weights": run.weights,
            "modules": [run.model.lora_modules, run.model.projector],
            "audio": [run.model.sampling_rate, run.model.max_seconds],
            "prompt": dataclasses.asdict(run.model.prompt),
            "recipe": dataclasses.asdict(run.model.recipe(run.track)),
            "track": run.track,
            "train_seed": run.train_seed,
            "edition": run.edition,
            "ruleset": run.rules,
        }
    )


def answers_fingerprint(run: Run, trained: str, test: Shards, engine: str) -> str:
    """What is answered: the adapter, the test, the prompt, the engine and the decoding."""
    return digest(
        {
            "version": ANSWER_VERSION,
            "trained": trained,
            "test": [str(test), test.revision],
            "prompt": dataclasses.asdict(run.model.prompt),
            "engine": engine,
            "decoding": {"greedy": True, "reply_tokens": run.model.reply_tokens},
        }
    )


def transcripts_fingerprint(run: Run, test: Shards, engine: str) -> str:
    """What the model without an adapter hears in a test: its weights, the test, the engine, the decoding."""
    prompt = run.model.transcription
    return digest(
        {
            "version": ANSWER_VERSION,
            "model": run.model.name,
            "weights": run.weights,
            "test": [str(test), test.revision],
            "prompt": None if prompt is None else dataclasses.asdict(prompt),
            "engine": engine,
            "decoding": {"greedy": True, "reply_tokens": run.model.reply_tokens},
        }
    )


def own_fingerprint(answered: str, transcribed: str) -> str:
    """What an adapter answers to transcripts of the model's own."""
    return digest({"answers": answered, "transcripts": transcribed})


def scores_fingerprint(task: str, answered: str, scorer_version: str, own: str | None = None) -> str:
    """What is scored: the answers as those of a task, and the version of the scorer.

    Two tasks can share answers (one model untrained, asked one test) and still are two rows.

    Args:
        task: Name of the task.
        answered: Fingerprint of the answers.
        scorer_version: The scorer's.
        own: Fingerprint of the answers to the model's own transcripts, where they were asked.
    """
    versions = {"scorer": scorer_version, "schema": SCHEMA_VERSION, "rules": RULES}
    more = {} if own is None else {"own": own}
    return digest({"answers": answered, "task": task, **more, **versions})


def values_of(strategy: Strategy) -> object:
    """A strategy's values; its functions by their source."""
    return [
        [
            int(stage.learns_from.value),
            stage.share,
            stage.rate,
            stage.passes,
            function_source(stage.compose) if stage.compose else None,
            function_source(stage.objective) if stage.objective else None,
        ]
        for stage in strategy.stages
    ]
