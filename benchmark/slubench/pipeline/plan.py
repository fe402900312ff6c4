"""Plans a run: finds its corpora and computes its fingerprints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.data.splits import find_pools, find_test, find_watched
from slubench.domain.model import parts_of, smallest_track
from slubench.domain.prompt import ASR_INPUT, with_ontology
from slubench.domain.run import Run
from slubench.errors import MissingError, UsageError
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.context import Context
from slubench.pipeline.fingerprints import (
    answers_fingerprint,
    more_metrics,
    own_fingerprint,
    train_fingerprint,
    transcripts_fingerprint,
)
from slubench.registry.adapters import Adapter, find_adapter, find_card, stem
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.runtime.digest import digest
from slubench.runtime.home import Home
from slubench.schemas import RULES, SCHEMA_VERSION
from slubench.trainset.purchase import buys_all


@dataclass(frozen=True)
class Planned:
    """A run with its corpora and fingerprints.

    Attributes:
        run: The run.
        pools: Files to learn from.
        watched: Files of the validation split that the run's selection uses.
        test: Files of the test.
        trained: Fingerprint of the adapter.
        answered: Fingerprint of its predictions from speech and from gold transcripts.
        transcribed: Fingerprint of the base model's own transcripts of the test.
        owned: Fingerprint of the predictions from those; None where they neither exist nor are wanted.
        scored: Tells its scores from those of other runs before the engine says how it served them; what
            serving and version of the engine were is in the fingerprint of the scores too.
    """

    run: Run
    pools: tuple[SplitFiles, ...]
    watched: tuple[SplitFiles, ...]
    test: SplitFiles
    trained: str
    answered: str
    transcribed: str
    owned: str | None
    scored: str

    def run_folder(self, home: Home) -> Path:
        """The folder of its training: train set, checkpoints, predictions."""
        return home.runs / stem(self.run.training, self.trained)

    def adapter(self, home: Home) -> Adapter:
        """The trained adapter.

        Raises:
            MissingError: The run is not trained yet.
        """
        adapter = find_adapter(home, self.trained)
        if adapter is None:
            raise MissingError(f"{self.run.training} ({self.trained[:8]}) is not trained yet; run it first.")
        return adapter


def plan(run: Run, context: Context) -> Planned:
    """Find a run's corpora and compute its fingerprints.

    Raises:
        UsageError: The task does not know the run's target data, or has no few pairs.
        MissingError: A corpus is not here.
    """
    source = context.source(run.edition, run.limit)
    # First of all the test, which may be gated: without it there is no use in fetching the rest.
    test = find_test(run.task, source)
    learns = run.strategy.stages or run.strategy.ontology
    pools = find_pools(run.task, source, run.spends) if learns else ()
    check_track(run)
    run = _normalised(run, pools, context)
    if run.strategy.ontology:
        known = (utterance.meaning for shards in pools for utterance in read_rows(shards).utterances)
        run = replace(run, model=with_ontology(run.model, known))
        # Only names were read: a run that learns nothing has seen no sentence.
        pools = pools if run.strategy.stages else ()
    watched = find_watched(run.task, source, run.selects)
    trained = train_fingerprint(run, pools, watched)
    answered = answers_fingerprint(run, trained, test, context.engine)
    transcribed = transcripts_fingerprint(run, test, context.engine)
    owned: str | None = own_fingerprint(answered, transcribed)
    if ASR_INPUT not in context.inputs and not _kept(context.home, trained, test, owned):
        owned = None
    planned = Planned(run, pools, watched, test, trained, answered, transcribed, owned, "")
    more = more_metrics(run.task, context.home.root)
    return replace(planned, scored=digest({"known": known_of(planned), "engine": context.engine, **more}))


def check_track(run: Run) -> None:
    """Check that a run's track trains the parts that its strategy names.

    Raises:
        UsageError: It does not.
    """
    there = parts_of(run.track)
    for number, stage in enumerate(run.strategy.stages, 1):
        for part in stage.trains:
            if part not in there:
                raise UsageError(
                    f"Stage {number} of {run.strategy.name} trains the {part}, and the track {run.track}"
                    f" trains {' and '.join(there)} alone. Use --track {smallest_track(run.strategy.trains)}."
                )


def known_of(planned: Planned) -> dict[str, Any]:
    """What identifies a run's scores, by `slubench.schemas.IDENTIFYING`; all but engine and serving."""
    run = planned.run
    return {
        "schema_version": SCHEMA_VERSION,
        "rules": RULES,
        "scorer_version": SCORER_VERSION,
        "train_fingerprint": planned.trained,
        "answers_fingerprint": planned.answered,
        "asr_fingerprint": planned.owned,
        "edition": run.edition,
        "corpus": run.task.corpus.name,
        "corpus_revision": planned.test.revision,
        "task": run.task.name,
        "strategy": run.strategy.name,
        "strategy_fingerprint": strategy_fingerprint(run.strategy),
        "model": run.model.name,
        "model_weights": run.weights or None,
        "track": run.track,
        "data_track": run.data_track,
        "ruleset": run.rules,
        "selection": run.selects,
        "speech": str(run.spends),
        "target": run.spends.target,
    }


def predictions_folder(home: Home, adapter: Adapter, test: SplitFiles, fingerprint: str) -> Path:
    """The folder of an adapter's requests, replies and predictions."""
    training = home.runs / stem(adapter.name, adapter.fingerprint)
    return training / "answers" / stem(str(test).replace("/", "-"), fingerprint)


def kept_place(home: Home, trained: str, test: SplitFiles, fingerprint: str) -> Path | None:
    """The folder of predictions with the adapter of that fingerprint; None where the adapter has no card."""
    card = find_card(home, trained)
    return None if card is None else predictions_folder(home, card, test, fingerprint)


def _normalised(run: Run, pools: tuple[SplitFiles, ...], context: Context) -> Run:
    """The run, with its budget set to 100 % if it buys all of the speech."""
    budget = run.spends
    if not budget or not buys_all(run.task, pools, budget, run.data_seed, context.clips(run.model)):
        return run
    context.say(f"--speech {budget} covers all of the speech of {run.task.name} and is treated as 100%")
    return replace(run, budget=replace(run.budget, amount=Fraction(1), unit="share"))


def _kept(home: Home, trained: str, test: SplitFiles, answered: str | None) -> bool:
    """Whether predictions exist."""
    folder = None if answered is None else kept_place(home, trained, test, answered)
    return folder is not None and (folder / "answers.parquet").exists()
