"""The tier `rescored`: everything claimed about a run is recomputed from names, replies and the corpus."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slubench.board.read.public import public_rows
from slubench.data.editions import EDITIONS
from slubench.data.rows import read_rows
from slubench.domain.ledger import Ledger
from slubench.domain.lookalike import looks_like
from slubench.domain.model import Model
from slubench.domain.run import Run
from slubench.domain.selection import renamed
from slubench.domain.strategy import Strategy
from slubench.errors import DataError, MissingError, SlubenchError, UsageError, shown
from slubench.metrics import shipped
from slubench.pipeline.buy import buy_and_hold_out
from slubench.pipeline.context import Context
from slubench.pipeline.fingerprints import (
    more_metrics,
    scores_fingerprint,
    scores_fingerprint_before,
)
from slubench.pipeline.kept_predictions import Predictions
from slubench.pipeline.plan import Planned, known_of
from slubench.pipeline.score import identify, metrics_for, write_scores
from slubench.pipeline.train import card_of
from slubench.registry.static_read import read_strategy
from slubench.registry.strategy_fingerprint import strategy_fingerprint
from slubench.runtime.home import Home
from slubench.schemas import IDENTITY, SCHEMA_VERSION, WHOLE_IDENTITY
from slubench.scoring.predictions import INPUTS, read_reply
from slubench.scoring.record import Origin
from slubench.submission.bundle.layout import CARD, REPLIES, SCORES
from slubench.submission.run_of_row import plan_row, run_of_row
from slubench.submission.verify.case import Case, Claim
from slubench.submission.verify.claims import read_claim
from slubench.submission.verify.example_ids import alike, check_examples, compare_ledgers
from slubench.submission.verify.score_rows import unlike_rows

# A model that learns nothing has one card, whatever asked it first.
_ALWAYS = ("fingerprint", "base", "weights")
_TRAINED = tuple(
    "name track strategy corpus pools budget data_seed train_seed edition ruleset recipe licence".split()
)


def rescore(case: Case, context: Context, scratch: Home) -> None:
    """Recompute the claims of a case; differences are recorded as problems, and missing corpora noted.

    Args:
        case: A run of a bundle; its claim, plan, answers, scores and tier are filled in.
        context: Whose corpora and declarations gold and pools are taken from.
        scratch: Where scores and cards are made anew.
    """
    before = len(case.findings.found)
    claim = case.claim = read_claim(case)
    if claim is None:
        return
    run = _run(case, claim, context)
    if run is None:
        return
    try:
        planned = case.planned = plan_row(run, claim.row, context)
    except UsageError as error:
        case.find(SCORES, str(error), 1)
        return
    except MissingError as error:
        case.notes.append(f"not rescored, because the corpus is not available here: {error}")
        return
    if planned.test.revision != claim.row["corpus_revision"]:
        case.notes.append(
            f"not rescored: the predictions are for revision {shown(claim.row['corpus_revision'])} of"
            f" {planned.test}, but {planned.test.revision} was found."
            " Give the right corpus with --corpora DIR."
        )
        return
    _check_fingerprints(case, claim, planned)
    _check_card(case, claim, planned)
    _check_examples(case, claim, planned, context)
    if _check_ids(case, claim, planned):
        _score(case, claim, planned, context, scratch)
        if len(case.findings.found) == before:
            case.tier = "rescored"


def _run(case: Case, claim: Claim, context: Context) -> Run | None:
    name, file = claim.row["strategy"], case.entry.strategy
    try:
        strategy = read_strategy(claim.strategy_text, name)
        _check_name(case, strategy, context)
    except (SlubenchError, RecursionError, MemoryError) as error:
        why = str(error) if isinstance(error, SlubenchError) else "it is too deep to be read"
        case.findings.add(file, why)
        return None
    digest = hashlib.sha256(case.bundle.read(file)).hexdigest()
    if strategy.stages and digest != claim.card.strategy_digest:
        message = f"its SHA-256 is {digest[:12]}, but {CARD} has {shown(claim.card.strategy_digest[:12])}"
        case.findings.add(file, f"{message}: it is not the file that was used for training")
    try:
        file = str(case.bundle.folder / case.entry.strategy)
        run = run_of_row(claim.row, claim.card, strategy, context, file)
        here = _weights(run.model, context)
    except SlubenchError as error:
        case.find(SCORES, str(error), 1)
        return None
    if here and here != claim.card.weights:
        message = f"weights is {shown(claim.card.weights)}; {run.model.name} of this version has {here}"
        case.find(CARD, f"{message}: the run used another model")
    return run


def _check_name(case: Case, strategy: Strategy, context: Context) -> None:
    """See that a strategy's name, and what a reader takes for it, means nothing else here."""
    name, file = strategy.name, case.entry.strategy
    shelved = context.registry.strategies.get(name)
    if shelved is not None and strategy_fingerprint(shelved) != strategy_fingerprint(strategy):
        message = f"the name {name} is taken: what is declared under it in {context.registry.origin(shelved)}"
        case.findings.add(file, f"{message} trains otherwise. Give yours another name.")
    if other := looks_like(name, context.registry.strategies):
        case.findings.add(file, f"the name {name} looks like {other}. Give yours another name.")


def _weights(model: Model, context: Context) -> str:
    """The weights that a run of a declared model must have had; empty where that can't be told from here."""
    if Path(model.repository).is_absolute():
        return context.locate(model)[1]
    return f"{model.repository}@{model.revision}" if model.revision else ""


def _scored_as(planned: Planned, row: Mapping[str, Any]) -> str:
    """The scores' fingerprint that a row should bear, by the schema that it was written in."""
    more = more_metrics(planned.run.task)
    due = {**known_of(planned), "asr_fingerprint": None, "engine": row["engine"], "serving": row["serving"]}
    if row["schema_version"] < WHOLE_IDENTITY:
        return scores_fingerprint_before(due, row["schema_version"], more)
    return scores_fingerprint(due, more)


def _check_fingerprints(case: Case, claim: Claim, planned: Planned) -> None:
    due = {
        "train": planned.trained,
        "answers": planned.answered,
        "scores": _scored_as(planned, claim.row),
    }
    for part, fingerprint in due.items():
        told = claim.row[f"{part}_fingerprint"]
        if told != fingerprint:
            message = (
                f"{part}_fingerprint is {told[:12]}; strategy, corpus, budget, model, seeds and recipe give"
            )
            case.find(SCORES, f"{message} {fingerprint[:12]}", 1)


def _check_card(case: Case, claim: Claim, planned: Planned) -> None:
    """What identifies the training, apart from what only the one who trained can know."""
    run = planned.run
    due = json.loads(json.dumps(dataclasses.asdict(card_of(planned, Ledger()))))
    names = _ALWAYS + _TRAINED if run.strategy.stages else _ALWAYS
    told = dataclasses.asdict(claim.card)
    for name in names:
        if not alike(_renamed(told[name]), due[name]):
            case.find(CARD, f"{name} is {shown(told[name])}; the run's identity gives {shown(due[name])}")
    if bool(run.strategy.stages) != bool(claim.card.sha256):
        case.find(CARD, "sha256 lists weights although nothing is trained, or none although something is")


def _check_examples(case: Case, claim: Claim, planned: Planned, context: Context) -> None:
    file = case.entry.file("lessons.parquet")
    if not planned.run.strategy.stages:
        if len(claim.examples):
            case.findings.add(file, f"it has {len(claim.examples):,} rows, but nothing is trained")
        case.findings.take(compare_ledgers(claim.card.ledger, Ledger(), case.entry.file(CARD)))
        return
    try:
        bought, watched = buy_and_hold_out(planned, context, claim.card.ledger.chosen)
    except (DataError, UsageError) as error:
        case.findings.add(case.entry.file(CARD), str(error))
        return
    case.findings.take(check_examples(claim.examples, planned.run, bought, watched, claim.card.ledger, file))


def _check_ids(case: Case, claim: Claim, planned: Planned) -> bool:
    """Check that each test utterance has exactly one prediction from each input."""
    before = len(case.findings.found)
    test = {utterance.key for utterance in read_rows(planned.test).utterances}
    seen: Counter[tuple[str, str]] = Counter()
    for number, row in enumerate(claim.replies, 1):
        input_kind, utterance = row["input"], row["utterance"]
        seen[input_kind, utterance] += 1
        if input_kind not in INPUTS:
            case.find(REPLIES, f"input is {shown(input_kind)}, expected {' or '.join(INPUTS)}", number)
        elif utterance not in test:
            case.find(REPLIES, f"utterance {shown(utterance)} is not in {planned.test}", number)
        elif seen[input_kind, utterance] == 2:
            case.find(REPLIES, f"utterance {shown(utterance)} ({input_kind}) has two predictions", number)
    for input_kind in INPUTS:
        missing = sorted(key for key in test if not seen[input_kind, key])
        if missing:
            few = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            case.find(
                REPLIES,
                f"{len(missing):,} of {len(test):,} utterances have no prediction ({input_kind}): {few}",
            )
    whole = all(value is not None for row in claim.replies for value in row.values())
    return whole and len(case.findings.found) == before


def _score(case: Case, claim: Claim, planned: Planned, context: Context, scratch: Home) -> None:
    import pyarrow.parquet as pq

    recordings = context.recordings(planned.test, planned.run.model)
    clips = {u.key: u.clip for u in read_rows(planned.test).utterances}
    case.answers = [
        dataclasses.replace(
            read_reply(row["utterance"], row["input"], row["reply"], row["reply_tokens"]),
            seconds=recordings.seconds(clip) if (clip := clips[row["utterance"]]) is not None else None,
        )
        for row in claim.replies
    ]
    file = case.bundle.folder / case.entry.file(REPLIES)
    answers = Predictions(case.answers, dict(claim.report), file, planned.answered)
    planned = dataclasses.replace(planned, owned=None)
    due = identify(planned, claim.card, answers, more_metrics(planned.run.task))
    due |= {"asr_fingerprint": None, "tier": "claimed", "created": claim.row["created"]}
    # What a file of an earlier schema does not tell is not held against it.
    before = claim.row["schema_version"] < SCHEMA_VERSION
    untold = (
        {"schema_version", *(name for name, _ in IDENTITY if claim.row[name] is None)} if before else set()
    )
    if claim.row["schema_version"] < WHOLE_IDENTITY and not planned.run.strategy.stages:
        untold.add("strategy_digest")  # that of whichever strategy had asked the model first
    if claim.row["dtype"] is None:
        untold.add("dtype")
    for name, _ in IDENTITY:
        if name in untold or name.endswith("_fingerprint"):
            continue
        if not alike(_renamed(claim.row[name]), due[name]):
            message = f"{name} is {shown(claim.row[name])}; card, report and names give {shown(due[name])}"
            case.find(SCORES, message, 1)
    pools = planned.pools if planned.run.strategy.stages else ()
    strategy = str(case.bundle.folder / case.entry.strategy)
    origin = Origin(claim.card, strategy, EDITIONS[planned.run.edition].gold_shown)
    # A bundle is scored by the metrics that everyone has.
    metrics = metrics_for(planned.run.task, shipped())
    heard = {(row["language"], row["utterance"]) for row in claim.examples.to_pylist() if row["heard"]}
    case.scores = write_scores(due, [answers], planned.test, pools, scratch, origin, metrics, heard)
    for number, message in unlike_rows(claim.scores, public_rows(pq.read_table(case.scores))):
        case.find(SCORES, message, number)


def _renamed(value: Any) -> Any:
    """A value with the present names of selections, so that what version 0.1 handed in is verified."""
    return renamed(value) if isinstance(value, str) else value
