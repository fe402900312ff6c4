"""`slubench run`, from top to bottom: each verb turns one noun into the next.

    Run -> Lessons -> Adapter -> Answers -> Scores

Each verb first looks for what is on disk under its fingerprint, so running the same command again
resumes, or says at once that all is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from slubench.adapter import Adapter, find_adapter
from slubench.answering import Answers, Asked, answers_folder, ask
from slubench.answers import ASKED
from slubench.clips import ClipStore
from slubench.corpora.recordings import Watch, unwatched
from slubench.corpora.rows import read_rows
from slubench.corpora.source import Shards, Source
from slubench.errors import SlubenchError
from slubench.finding import find_pools, find_test, find_watched
from slubench.home import Home
from slubench.prompt import OWN_ASKED, with_ontology
from slubench.run import (
    Run,
    answers_fingerprint,
    own_fingerprint,
    scores_fingerprint,
    train_fingerprint,
    transcripts_fingerprint,
)
from slubench.scores import SCORER_VERSION, find_scores, score
from slubench.training import train
from slubench.transcribing import transcribe


@dataclass(frozen=True)
class Machine:
    """Where and with what runs are performed.

    Attributes:
        home: Where things live.
        source: Where corpora are looked for.
        engine: `vllm` or `transformers`.
        serving: `auto`, `live` or `merged`.
        say: Told each step in a line.
        watch: Opens a progress bar while clips are decoded.
        ways: In which ways adapters are asked; answers to own transcripts that are there are scored anyhow.
    """

    home: Home
    source: Source
    engine: str
    serving: str = "auto"
    say: Callable[[str], None] = lambda line: None
    watch: Watch = unwatched
    ways: Sequence[str] = ASKED

    def clips(self, run: Run) -> ClipStore:
        """The store of decoded clips at the rate and length that the run's model hears."""
        return ClipStore(self.home.clips, run.model.sampling_rate, run.model.max_seconds)


@dataclass(frozen=True)
class Outcome:
    """What became of a run.

    Attributes:
        run: The run.
        scores: Its Parquet file of scores.
        cached: Whether all was there already.
        seconds: Wall-clock seconds this command took for all its runs.
    """

    run: Run
    scores: Path
    cached: bool
    seconds: float


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
    pools: tuple[Shards, ...]
    watched: tuple[Shards, ...]
    test: Shards
    trained: str
    answered: str
    transcribed: str
    owned: str | None
    scored: str


def perform(runs: Sequence[Run], machine: Machine) -> list[Outcome]:
    """Train, ask and score runs; all that is missing of one model is asked in one engine.

    Args:
        runs: In order.
        machine: Where and with what.

    Raises:
        SlubenchError: A run cannot be done; what others have done is kept.
    """
    started = time.monotonic()
    planned = [plan(run, machine) for run in runs]
    paths: dict[str, Path] = {}
    cached: set[str] = set()
    to_ask: dict[str, tuple[Planned, Adapter]] = {}
    for one in planned:
        if one.scored in paths or one.scored in to_ask:
            continue
        found = find_scores(machine.home, one.scored)
        if found is not None:
            machine.say(f"{one.run.name}: scored already ({found.name})")
            paths[one.scored] = found
            cached.add(one.scored)
            continue
        adapter = find_adapter(machine.home, one.trained)
        if adapter is None:
            adapter = _train(one, machine)
        else:
            machine.say(f"{one.run.name}: trained already ({adapter.stem})")
        to_ask[one.scored] = one, adapter
    answered = _ask(list(to_ask.values()), machine)
    for one, adapter in to_ask.values():
        machine.say(f"{one.run.name}: scoring")
        paths[one.scored] = score(
            one.run,
            adapter,
            answered[one.answered],
            one.test,
            one.pools,
            one.scored,
            machine.home,
            answered[one.owned] if one.owned is not None else None,
        )
    seconds = time.monotonic() - started
    return [Outcome(one.run, paths[one.scored], one.scored in cached, seconds) for one in planned]


def _ask(to_ask: Sequence[tuple[Planned, Adapter]], machine: Machine) -> dict[str, Answers]:
    """Ask adapters in all ways that are wanted; answers by fingerprint."""
    asked = [Asked(one.run, adapter, one.test, one.answered) for one, adapter in to_ask]
    heard: dict[str, dict[str, str]] = {}
    for one, adapter in to_ask:
        if one.owned is None:
            continue
        if one.transcribed not in heard:
            heard[one.transcribed] = transcribe(
                one.run, one.test, one.transcribed, machine.engine, machine.home, machine.say, machine.watch
            )
        asked.append(Asked(one.run, adapter, one.test, one.owned, heard[one.transcribed]))
    # Tasks may share an adapter and its test; it is asked once.
    asked = list({one.fingerprint: one for one in asked}.values())
    found = ask(asked, machine.engine, machine.serving, machine.home, machine.say, machine.watch)
    return {one.fingerprint: answers for one, answers in zip(asked, found, strict=True)}


def _train(planned: Planned, machine: Machine) -> Adapter:
    _no_leaks(planned)
    store = machine.clips(planned.run)
    return train(
        planned.run,
        planned.pools,
        planned.watched,
        planned.trained,
        store,
        machine.home,
        machine.say,
        machine.watch,
    )


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


def _kept(home: Home, trained: str, test: Shards, answered: str | None) -> bool:
    """Whether answers are there."""
    adapter = find_adapter(home, trained)
    if adapter is None or answered is None:
        return False
    return (answers_folder(home, adapter, test, answered) / "answers.parquet").exists()


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
