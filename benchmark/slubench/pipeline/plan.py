"""plan."""

from __future__ import annotations

from dataclasses import dataclass, replace

from slubench.data.rows import read_rows
from slubench.data.source import SplitFiles
from slubench.data.splits import find_pools, find_test, find_watched
from slubench.domain.prompt import OWN_ASKED, with_ontology
from slubench.domain.run import Run
from slubench.errors import SlubenchError
from slubench.pipeline.context import Machine
from slubench.pipeline.fingerprints import (
    answers_fingerprint,
    own_fingerprint,
    scores_fingerprint,
    train_fingerprint,
    transcripts_fingerprint,
)
from slubench.pipeline.predict import predictions_folder
from slubench.pipeline.score import SCORER_VERSION
from slubench.registry.adapters import find_card
from slubench.runtime.home import Home


@dataclass(frozen=True)
class Planned:
    """A run with its corpora found and its fingerprints.

    Attributes:
        run: The run.
        pools: What is learnt from.
        watched: What of the validation split is looked at.
        test: What is asked.
        trained: Fingerprint of the adapter.
        answered: Of its answers to recordings and gold transcripts.
        transcribed: Of what the model itself hears in the test.
        owned: Of the adapter's answers to that; None where they are neither there nor wanted.
        scored: Of the scores.
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


def plan(run: Run, machine: Machine) -> Planned:
    """Find a run's corpora and say by its fingerprints what it is."""
    learns = run.strategy.stages or run.strategy.ontology
    pools = find_pools(run.task, machine.source, run.spends) if learns else ()
    if run.strategy.ontology:
        known = (utterance.meaning for shards in pools for utterance in read_rows(shards).utterances)
        run = replace(run, model=with_ontology(run.model, known))
        # Names alone were read; what nothing is learnt from makes no sentence a seen one.
        pools = pools if run.strategy.stages else ()
    test = find_test(run.task, machine.source)
    watched = find_watched(run.task, machine.source, run.selects)
    trained = train_fingerprint(run, pools, watched)
    answered = answers_fingerprint(run, trained, test, machine.engine)
    transcribed = transcripts_fingerprint(run, test, machine.engine)
    owned: str | None = own_fingerprint(answered, transcribed)
    if OWN_ASKED not in machine.ways and not _kept(machine.home, trained, test, owned):
        owned = None
    scored = scores_fingerprint(run.task.name, answered, SCORER_VERSION, owned)
    return Planned(run, pools, watched, test, trained, answered, transcribed, owned, scored)


def _kept(home: Home, trained: str, test: SplitFiles, answered: str | None) -> bool:
    """Whether answers are there."""
    adapter = find_card(home, trained)
    if adapter is None or answered is None:
        return False
    return (predictions_folder(home, adapter, test, answered) / "answers.parquet").exists()


def _no_leaks(planned: Planned) -> None:
    """Refuse a pool, in whatever language and for whatever purpose, that holds an id of the test."""
    test = {utterance.id for utterance in read_rows(planned.test).utterances}
    for shards in (*planned.pools, *planned.watched):
        leaked = sorted(test & {utterance.id for utterance in read_rows(shards).utterances})
        if leaked:
            raise SlubenchError(
                f"{len(leaked)} test ids are in the training pool {shards}: {', '.join(leaked[:10])}."
                " A sentence of the test may not be learnt in any language; mend the mirror."
            )
