"""Tier `rescored`: all that a bundle says of a run is made again, from names, replies and the corpus."""

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
from slubench.domain.model import Model
from slubench.domain.run import Run
from slubench.errors import MissingError, UsageError, shown
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.fingerprints import scores_fingerprint, values_of
from slubench.pipeline.plan import Planned
from slubench.pipeline.predict import Predictions
from slubench.pipeline.score import identify, write_scores
from slubench.pipeline.train import card_of
from slubench.registry.static_read import Unreadable, read_strategy
from slubench.registry.weights import locate
from slubench.runtime.home import Home
from slubench.schemas import IDENTITY
from slubench.scoring.predictions import ASKED, read_reply
from slubench.scoring.record import Origin
from slubench.submission.bundle.layout import CARD, REPLIES, SCORES
from slubench.submission.context import Desk
from slubench.submission.verify.case import Case, Claim
from slubench.submission.verify.claims import read_claim
from slubench.submission.verify.example_ids import alike, check_lessons, compare_ledgers
from slubench.submission.verify.score_rows import unlike_rows

# A model that learns nothing has one card, whatever asked it first.
_ALWAYS = ("fingerprint", "base", "weights")
_TRAINED = tuple(
    "name track strategy corpus pools budget data_seed train_seed edition ruleset recipe licence".split()
)


def rescore(case: Case, desk: Desk, scratch: Home) -> None:
    """Read what a case claims, and make it again; what differs is found, and what can't be made is noted.

    Args:
        case: A run of a bundle; its claim, plan, answers, scores and tier are filled in.
        desk: Whose corpora and declarations gold and pools are taken from.
        scratch: Where scores and cards are made anew.
    """
    before = len(case.findings.found)
    claim = case.claim = read_claim(case)
    if claim is None:
        return
    run = _run(case, claim, desk)
    if run is None:
        return
    try:
        planned = case.planned = desk.plan(run, str(claim.row["engine"]).partition(" ")[0])
    except UsageError as error:
        case.find(SCORES, str(error), 1)
        return
    except MissingError as error:
        case.notes.append(f"not rescored, for the corpus is not here: {error}")
        return
    if planned.test.revision != claim.row["corpus_revision"]:
        case.notes.append(
            f"not rescored: the answers are to revision {shown(claim.row['corpus_revision'])} of"
            f" {planned.test}, and what is here is {planned.test.revision}. Name the corpus that was asked"
            " with --corpora DIR."
        )
        return
    _check_fingerprints(case, claim, planned)
    _check_card(case, claim, planned)
    _check_lessons(case, claim, planned, desk)
    if _check_ids(case, claim, planned):
        _score(case, claim, planned, desk, scratch)
        if len(case.findings.found) == before:
            case.tier = "rescored"


def _run(case: Case, claim: Claim, desk: Desk) -> Run | None:
    name = claim.row["strategy"]
    try:
        strategy = read_strategy(claim.strategy_text, name)
    except Unreadable as error:
        case.findings.add(case.entry.strategy, str(error))
        return None
    shelved = desk.registry.strategies.get(name)
    if shelved is not None and (values_of(shelved), shelved.track) != (values_of(strategy), strategy.track):
        message = f"the name {name} is taken: what is declared under it in {desk.registry.origin(shelved)}"
        case.findings.add(case.entry.strategy, f"{message} trains otherwise. Give yours another name.")
    digest = hashlib.sha256(case.bundle.read(case.entry.strategy)).hexdigest()
    if strategy.stages and digest != claim.card.strategy_digest:
        message = (
            f"its SHA-256 is {digest[:12]}, and {CARD} tells of {shown(claim.card.strategy_digest[:12])}"
        )
        case.findings.add(case.entry.strategy, f"{message}: it is not the file that was trained from")
    try:
        run = desk.run_of(claim.row, claim.card, strategy)
        here = _weights(run.model, desk)
    except (UsageError, MissingError) as error:
        case.find(SCORES, str(error), 1)
        return None
    if here and here != claim.card.weights:
        message = f"weights is {shown(claim.card.weights)}; {run.model.name} of this version is {here}"
        case.find(CARD, f"{message}: the run is of another model")
    return run


def _weights(model: Model, desk: Desk) -> str:
    """The weights that a run of a declared model must have had; empty where that can't be told from here."""
    if Path(model.repository).is_absolute():
        return locate(model, desk.digests)[1]
    return f"{model.repository}@{model.revision}" if model.revision else ""


def _check_fingerprints(case: Case, claim: Claim, planned: Planned) -> None:
    due = {
        "train": planned.trained,
        "answers": planned.answered,
        "scores": scores_fingerprint(planned.run.task.name, planned.answered, SCORER_VERSION),
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
    due = json.loads(json.dumps(dataclasses.asdict(card_of(run, planned.pools, planned.trained, Ledger()))))
    names = _ALWAYS + _TRAINED if run.strategy.stages else _ALWAYS
    told = dataclasses.asdict(claim.card)
    for name in names:
        if not alike(told[name], due[name]):
            case.find(CARD, f"{name} is {shown(told[name])}; the run's names give {shown(due[name])}")
    if bool(run.strategy.stages) != bool(claim.card.sha256):
        case.find(CARD, "sha256 tells of weights where nothing is trained, or of none where something is")


def _check_lessons(case: Case, claim: Claim, planned: Planned, desk: Desk) -> None:
    file = case.entry.file("lessons.parquet")
    if not planned.run.strategy.stages:
        if len(claim.lessons):
            case.findings.add(file, f"it has {len(claim.lessons):,} rows, and nothing is learnt")
        case.findings.take(compare_ledgers(claim.card.ledger, Ledger(), case.entry.file(CARD)))
        return
    bought, watched = desk.buy(planned)
    case.findings.take(check_lessons(claim.lessons, planned.run, bought, watched, claim.card.ledger, file))


def _check_ids(case: Case, claim: Claim, planned: Planned) -> bool:
    """Whether each utterance of the test is answered once in each way, and nothing else is."""
    before = len(case.findings.found)
    test = {utterance.key for utterance in read_rows(planned.test).utterances}
    seen: Counter[tuple[str, str]] = Counter()
    for number, row in enumerate(claim.replies, 1):
        asked, utterance = row["asked"], row["utterance"]
        seen[asked, utterance] += 1
        if asked not in ASKED:
            case.find(REPLIES, f"asked is {shown(asked)}, expected {' or '.join(ASKED)}", number)
        elif utterance not in test:
            case.find(REPLIES, f"utterance {shown(utterance)} is not in {planned.test}", number)
        elif seen[asked, utterance] == 2:
            case.find(REPLIES, f"utterance {shown(utterance)} ({asked}) is answered twice", number)
    for asked in ASKED:
        missing = sorted(key for key in test if not seen[asked, key])
        if missing:
            few = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
            case.find(
                REPLIES, f"{len(missing):,} of {len(test):,} utterances are not answered ({asked}): {few}"
            )
    whole = all(value is not None for row in claim.replies for value in row.values())
    return whole and len(case.findings.found) == before


def _score(case: Case, claim: Claim, planned: Planned, desk: Desk, scratch: Home) -> None:
    import pyarrow.parquet as pq

    recordings = desk.hear(planned.run, planned.test)
    clips = {u.key: u.clip for u in read_rows(planned.test).utterances}
    case.answers = [
        dataclasses.replace(
            read_reply(row["utterance"], row["asked"], row["reply"], row["reply_tokens"]),
            seconds=recordings.seconds(clip) if (clip := clips[row["utterance"]]) is not None else None,
        )
        for row in claim.replies
    ]
    report = _report(case, claim.report)
    if report is None:
        return
    file = case.bundle.folder / case.entry.file(REPLIES)
    answers = Predictions(case.answers, report, file, planned.answered)
    fingerprint = scores_fingerprint(planned.run.task.name, planned.answered, SCORER_VERSION)
    due = identify(planned.run, claim.card, answers, planned.test, fingerprint)
    due |= {"own_fingerprint": None, "tier": "claimed", "created": claim.row["created"]}
    for name, _ in IDENTITY:
        if not name.endswith("_fingerprint") and not alike(claim.row[name], due[name]):
            message = f"{name} is {shown(claim.row[name])}; card, report and names give {shown(due[name])}"
            case.find(SCORES, message, 1)
    pools = planned.pools if planned.run.strategy.stages else ()
    strategy = str(case.bundle.folder / case.entry.strategy)
    origin = Origin(claim.card, strategy, EDITIONS[planned.run.edition].gold_shown)
    heard = {(row["language"], row["utterance"]) for row in claim.lessons.to_pylist() if row["heard"]}
    case.scores = write_scores(due, [answers], planned.test, pools, scratch, origin, heard)
    for number, message in unlike_rows(claim.scores, public_rows(pq.read_table(case.scores))):
        case.find(SCORES, message, number)


def _report(case: Case, report: Mapping[str, Any]) -> dict[str, Any] | None:
    types: dict[str, type | tuple[type, ...]] = dict.fromkeys(("engine", "version", "serving"), str)
    types["seconds"] = (int, float)
    wrong = [name for name, kind in types.items() if not isinstance(report.get(name), kind)]
    for name in wrong:
        case.find("report.json", f"{name} is {shown(report.get(name))}, which tells nothing")
    return None if wrong else dict(report)
