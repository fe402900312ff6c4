"""Fingerprints of a run: of its training, its predictions, its transcripts and its scores."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from slubench.data.source import SplitFiles
from slubench.domain.peft_method import split_track
from slubench.domain.run import Run
from slubench.domain.selection import LAST, RENAMED
from slubench.domain.strategy import SPEECH, Strategy
from slubench.domain.task import Task
from slubench.registry.function_source import function_source
from slubench.registry.strategy_fingerprint import LATER
from slubench.runtime.digest import digest
from slubench.schemas import IDENTIFYING
from slubench.trainset.train_set import PASSES

# Raised when the same declaration trains, answers or is scored otherwise than before.
TRAIN_VERSION = 1
ANSWER_VERSION = 1
# Selections are hashed under their first names, so that what was trained before they were renamed is found.
HASHED = {now: before for before, now in RENAMED.items()}
# Raised when a stage's own `compose` is called or followed otherwise than before.
COMPOSE_VERSION = 2


def train_fingerprint(run: Run, pools: tuple[SplitFiles, ...], watched: tuple[SplitFiles, ...] = ()) -> str:
    """Fingerprint of the training: runs that share it share an adapter, even if their tests differ.

    Args:
        run: What is trained.
        pools: What it learns from.
        watched: Files of the validation split that its selection uses.
    """
    if not run.strategy.stages:
        # Whatever its prompt: nothing is learnt, and the answers' fingerprint tells prompts apart.
        return digest({"version": TRAIN_VERSION, "model": run.model.name, "weights": run.weights})
    # What was added later is hashed only where it is not the default, so that old adapters are found.
    later: dict[str, object] = {"target": run.spends.target} if run.spends.target != "none" else {}
    if run.task.speech_split != run.task.train:
        later["speech_split"] = run.task.speech_split
    if run.spends.all_recordings and (run.spends.unit != "share" or 4 * run.spends.amount > 1):
        # H_b is at most what half of the updates hold; of SLURP's recordings, less than a third come to more.
        later["exposure"] = 2
    if run.selects != LAST:
        later["selection"] = [
            HASHED.get(run.selects, run.selects),
            sorted((str(shards), shards.revision) for shards in watched),
        ]
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
            "modules": [run.model.lora_modules, run.model.projector, *_encoder_modules(run)],
            "audio": [run.model.sampling_rate, run.model.max_seconds],
            "prompt": dataclasses.asdict(run.model.prompt),
            "recipe": dataclasses.asdict(run.model.recipe(run.track)),
            "track": run.track,
            "train_seed": run.train_seed,
            "edition": run.edition,
            "ruleset": run.rules.replace(run.selects, HASHED.get(run.selects, run.selects)),
        }
    )


def _encoder_modules(run: Run) -> list[str]:
    return [run.model.encoder_modules] if split_track(run.track)[1] == "lora-all" else []


def answers_fingerprint(run: Run, trained: str, test: SplitFiles, engine: str) -> str:
    """Fingerprint of the predictions: adapter, test, prompt, engine and decoding."""
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
    """Fingerprint of the base model's transcripts of a test: weights, test, engine and decoding."""
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
    """Fingerprint of an adapter's predictions from the base model's transcripts."""
    return digest({"answers": answered, "transcripts": transcribed})


def more_metrics(task: Task, home: Path | None = None) -> dict[str, object]:
    """The part of metrics that changes scores besides the scorer version; empty for the package's metrics.

    Files are told by their content, so that none is imported to find out that all is scored already.

    Args:
        task: Its metrics, where it names some.
        home: Folder of a user's `metrics/`, which count beside those of plugins; neither counts where None.
    """
    found: dict[str, object] = {"of_task": list(task.metrics)}
    if home is not None:
        files = sorted((home / "metrics").glob("[!_]*.py"))
        found["own"] = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files]
        found["plugins"] = sorted(
            f"{point.value} {point.dist.version if point.dist else ''}"
            for point in entry_points(group="slubench.metrics")
        )
    found = {name: value for name, value in found.items() if value}
    return {"metrics": found} if found else {}


def scores_fingerprint(row: Mapping[str, Any], metrics: Mapping[str, object] | None = None) -> str:
    """The scores: all that identifies their row, so that no two rows share it.

    Args:
        row: By the names of `slubench.schemas.IDENTIFYING`.
        metrics: See `more_metrics`.
    """
    return digest({"row": {name: row[name] for name in IDENTIFYING}, **(metrics or {})})


def scores_fingerprint_before(
    row: Mapping[str, Any], schema: int, metrics: Mapping[str, object] | None = None
) -> str:
    """The scores' fingerprint as versions 2 and 3 of the schema made it, of task and predictions alone.

    Args:
        row: By the names of `slubench.schemas.IDENTIFYING`.
        schema: Version of the score file's columns.
        metrics: See `more_metrics`.
    """
    versions = {"scorer": row["scorer_version"], "schema": schema, "rules": row["rules"]}
    own = row["asr_fingerprint"]
    more: dict[str, object] = {} if own is None else {"own": own}
    more |= metrics or {}
    return digest({"answers": row["answers_fingerprint"], "task": row["task"], **more, **versions})


def values_of(strategy: Strategy) -> object:
    """A strategy's values, with functions by the code that they can reach."""
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
    """The parts of a strategy that changed its training in later versions.

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
    for name, default in LATER.items():
        if any(getattr(stage, name) != default for stage in stages):
            marks[name] = [getattr(stage, name) for stage in stages]
    if strategy.unlabelled:
        marks["unlabelled"] = True
    if strategy.choose is not None:
        marks["choose"] = function_source(strategy.choose)
    alone = len(stages) == 1 and (stages[0].passes or PASSES + 1) <= PASSES
    if not alone and any(stage.learns_from == SPEECH for stage in stages):
        marks["heard"] = 2
    return marks
