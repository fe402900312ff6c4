"""A run: task x strategy x budget x model x track x seeds x edition x ruleset, and its fingerprints."""

from __future__ import annotations

import dataclasses

from slubench.data.source import SplitFiles
from slubench.domain.run import Run
from slubench.domain.selection import LAST
from slubench.domain.strategy import SPEECH, Strategy
from slubench.registry.function_source import function_source
from slubench.runtime.digest import digest
from slubench.schemas import RULES, SCHEMA_VERSION
from slubench.trainset.train_set import PASSES

# Raised when the same declaration trains, answers or is scored otherwise than before.
TRAIN_VERSION = 1
ANSWER_VERSION = 1
# Raised when a stage's own `compose` is called or followed otherwise than before.
COMPOSE_VERSION = 2


def train_fingerprint(run: Run, pools: tuple[SplitFiles, ...], watched: tuple[SplitFiles, ...] = ()) -> str:
    """What is trained: two runs with one fingerprint share an adapter, whatever they are tested on.

    Args:
        run: What is trained.
        pools: What it learns from.
        watched: What of the validation split it looks at.
    """
    if not run.strategy.stages:
        # Whatever its prompt: nothing is learnt, and the answers' fingerprint tells prompts apart.
        return digest({"version": TRAIN_VERSION, "model": run.model.name, "weights": run.weights})
    # What came later stands there only where it is not as it was, so that old adapters are found again.
    later: dict[str, object] = {"target": run.spends.target} if run.spends.target != "none" else {}
    if run.task.speech_split != run.task.train:
        later["speech_split"] = run.task.speech_split
    if run.spends.all_recordings and (run.spends.unit != "share" or 4 * run.spends.amount > 1):
        # H_b is at most what half of the updates hold; of SLURP's recordings, less than a third come to more.
        later["exposure"] = 2
    if run.selects != LAST:
        later["selection"] = [run.selects, sorted((str(shards), shards.revision) for shards in watched)]
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


def answers_fingerprint(run: Run, trained: str, test: SplitFiles, engine: str) -> str:
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


def transcripts_fingerprint(run: Run, test: SplitFiles, engine: str) -> str:
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
    """A strategy's values; its functions by what they can reach."""
    values: list[object] = [
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
    # What came later stands there only where it is not as it was, so that old adapters are found again.
    if marks := _marks(strategy):
        values.append(marks)
    return values


def _marks(strategy: Strategy) -> dict[str, object]:
    """What of a strategy trains otherwise than before.

    A `compose` was one pass for all updates. A stage of speech beside others heard more than H_b clips.
    """
    marks: dict[str, object] = {}
    stages = strategy.stages
    if any(stage.compose for stage in stages):
        marks["compose"] = COMPOSE_VERSION
    if any(stage.transform for stage in stages):
        marks["transforms"] = [
            function_source(stage.transform) if stage.transform else None for stage in stages
        ]
    alone = len(stages) == 1 and (stages[0].passes or PASSES + 1) <= PASSES
    if not alone and any(stage.learns_from == SPEECH for stage in stages):
        marks["heard"] = 2
    return marks
