"""Reads a bundle's claims about a run, and checks the form of files and names."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from slubench.domain.ledger import Ledger
from slubench.domain.meaning import meaning_of
from slubench.domain.renamed_columns import LEDGER, renamed
from slubench.errors import shown
from slubench.metrics import SCORER_VERSION
from slubench.registry.adapters import CARD_VERSION, Adapter
from slubench.schemas import EXAMPLE_IDS, IDENTITY, OLDEST_READ, RULES, SCHEMA_VERSION
from slubench.schemas import REPLIES as REPLY_COLUMNS
from slubench.schemas import SCORES as SCORE_COLUMNS
from slubench.submission.bundle.layout import (
    CARD,
    EXAMPLES_FILE,
    REPLIES,
    REPLY_LENGTH,
    REPORT,
    SCORES,
    SLOT_TYPES,
    SLOTS,
)
from slubench.submission.field_rules import Fault
from slubench.submission.problems import Refusal
from slubench.submission.published_fields import (
    card_faults,
    identity_faults,
    known_report,
    known_training,
    report_faults,
)
from slubench.submission.verify.case import Case, Claim

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

_FIRST = datetime(2025, 1, 1, tzinfo=UTC)
"""Before there were such scores."""
_EMPTY = ("asr_fingerprint",)
_MAY_BE_EMPTY = ("strategy_digest", "strategy_fingerprint", "model_weights", "cell_updates", "dtype")
"""Of a model as it is there is no strategy's file; earlier schema versions tell none of these."""


def read_claim(case: Case) -> Claim | None:
    """Read all files of a run; None, with the problems recorded, if one cannot be read."""
    from slubench.submission.bundle.untrusted_parquet import read_table

    bundle, entry = case.bundle, case.entry

    def table(name: str, schema: pa.Schema) -> pa.Table:
        return read_table(bundle.read(entry.file(name)), schema, entry.file(name))

    card = _tried(case, lambda: _card(case, bundle.json(entry.file(CARD))))
    report = _tried(case, lambda: _report(case, bundle.json(entry.file(REPORT))))
    text = _tried(case, lambda: _strategy(case, bundle.read(entry.strategy)))
    scores = _tried(case, lambda: table(SCORES, SCORE_COLUMNS))
    replies = _tried(case, lambda: table(REPLIES, REPLY_COLUMNS))
    examples = _tried(case, lambda: table(EXAMPLES_FILE, EXAMPLE_IDS))
    row = None if scores is None else _identity(case, scores)
    rows = None if replies is None else replies.to_pylist()
    if rows is not None:
        _check_replies(case, rows)
    if card is None or report is None or text is None or scores is None or row is None or rows is None:
        return None
    if examples is None:
        return None
    return Claim(
        row=row,
        card=card,
        report=report,
        strategy_text=text,
        replies=rows,
        examples=examples,
        scores=scores,
    )


def _tried(case: Case, read: Callable[[], T | None]) -> T | None:
    try:
        return read()
    except Refusal as refusal:
        case.findings.take([refusal.finding])
        return None


def _card(case: Case, content: dict[str, Any]) -> Adapter | None:
    version, ledger = content.get("version"), content.get("ledger")
    if isinstance(ledger, dict) and not isinstance(version, bool) and version in range(1, CARD_VERSION):
        content = {**content, "ledger": renamed(ledger, LEDGER)}
    if isinstance(version, bool) or version not in range(1, CARD_VERSION + 1):
        case.find(CARD, f"version is {shown(version)}, expected {CARD_VERSION}")
        return None
    if _told(case, CARD, card_faults(content)):
        return None
    ledger, training = Ledger.from_json(content["ledger"]), known_training(content["training"])
    return Adapter(**{**content, "ledger": ledger, "training": training, "version": CARD_VERSION})


def _report(case: Case, content: dict[str, Any]) -> dict[str, Any] | None:
    return None if _told(case, REPORT, report_faults(content)) else known_report(content)


def _strategy(case: Case, content: bytes) -> str | None:
    """A strategy's file: UTF-8 that reads as it is written."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        case.findings.add(case.entry.strategy, f"byte {error.start + 1:,} is not UTF-8")
        return None
    for number, line in enumerate(text.split("\n"), 1):
        strange = next((one for one in line.rstrip("\r") if one not in "\t\f" and not _readable(one)), None)
        if strange is not None:
            message = f"it holds the character {strange!a}, which a reader would not see"
            case.findings.add(case.entry.strategy, message, number)
            return None
    return text


def _readable(one: str) -> bool:
    """Whether a character shows: it neither controls, nor hides, nor turns the direction of reading."""
    return unicodedata.category(one) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _told(case: Case, file: str, faults: Iterator[Fault], row: int | None = None) -> bool:
    """Whether there are faults; they are among the findings."""
    found = list(islice(faults, 100))
    for name, fault in found:
        case.find(file, f"{name} {fault}", row)
    return bool(found)


def _identity(case: Case, scores: pa.Table) -> dict[str, Any] | None:
    """The run identified by the score rows, which must all agree."""
    if not len(scores):
        case.find(SCORES, "it has no rows")
        return None
    before = len(case.findings.found)
    first: dict[str, Any] = scores.slice(0, 1).to_pylist()[0]
    for name, _ in IDENTITY:
        values = scores.column(name).to_pylist()
        other = next((number for number, value in enumerate(values, 1) if value != first[name]), None)
        if other is not None:
            message = f"{name} is {shown(values[other - 1])} here, but {shown(first[name])} in row 1"
            case.find(SCORES, message, other)
        if first[name] is None and name not in (*_EMPTY, *_MAY_BE_EMPTY):
            case.find(SCORES, f"{name} is empty", 1)
        elif first[name] is not None and name in _EMPTY:
            case.find(SCORES, f"{name} is not empty: ASR transcripts do not belong in a bundle", 1)
    schemas = tuple(range(OLDEST_READ, SCHEMA_VERSION + 1))
    reads = {"schema_version": schemas, "rules": (RULES,), "scorer_version": (SCORER_VERSION,)}
    for name, versions in reads.items():
        if first[name] not in versions:
            message = f"{name} is {shown(first[name])}, and this version of slubench has {versions[-1]}"
            case.find(SCORES, f"{message}; score it again (`slubench rescore`) and submit it again", 1)
    _told(case, SCORES, identity_faults(first), 1)
    created = first["created"]
    if created is not None and not _FIRST <= created <= datetime.now(UTC) + timedelta(days=1):
        case.find(SCORES, f"created is {created}, expected a time from {_FIRST:%Y-%m-%d} until now", 1)
    return first if len(case.findings.found) == before else None


def _check_replies(case: Case, rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows, 1):
        for name, value in row.items():
            if value is None:
                case.find(REPLIES, f"{name} is empty", number)
        if fault := _reply_fault(row["reply"] or "", row["reply_tokens"]):
            case.find(REPLIES, fault, number)


def _reply_fault(reply: str, tokens: int | None) -> str:
    """What no model says within the tokens that it may use."""
    if len(reply) > REPLY_LENGTH:
        return f"a reply of {len(reply):,} characters; the maximum is {REPLY_LENGTH:,}"
    if tokens is not None and not 0 <= tokens <= REPLY_LENGTH:
        return f"reply_tokens is {tokens:,}, expected 0 to {REPLY_LENGTH:,}"
    if reply.count(":") <= SLOT_TYPES:
        return ""
    meaning = meaning_of(reply)
    if meaning is not None and len(meaning.entities) > SLOTS:
        return f"a reply of {len(meaning.entities):,} slots; the maximum is {SLOTS}"
    types = len({entity.type for entity in meaning.entities}) if meaning is not None else 0
    return f"a reply of {types:,} types of slots; the maximum is {SLOT_TYPES}" if types > SLOT_TYPES else ""
