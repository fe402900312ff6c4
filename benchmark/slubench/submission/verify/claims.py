"""Reads a bundle's claims about a run, and checks the form of files and names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from slubench.domain.ledger import Ledger
from slubench.domain.renamed_columns import LEDGER, renamed
from slubench.domain.strategy import NAME
from slubench.errors import shown
from slubench.metrics import SCORER_VERSION
from slubench.registry.adapters import CARD_VERSION, Adapter
from slubench.schemas import EXAMPLE_IDS, IDENTITY, OLDEST_READ, RULES, SCHEMA_VERSION
from slubench.schemas import REPLIES as REPLY_COLUMNS
from slubench.schemas import SCORES as SCORE_COLUMNS
from slubench.submission.bundle.layout import CARD, LESSONS, REPLIES, REPLY_LENGTH, REPORT, SCORES
from slubench.submission.problems import Refusal
from slubench.submission.verify.case import Case, Claim

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")

_HEX = re.compile(r"[0-9a-f]{64}")
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "strategy": (
        re.compile(rf"(?=.{{1,64}}$){NAME.pattern}"),
        "at most 64 lower-case letters, digits, hyphens",
    ),
    "task": (re.compile(rf"(?=.{{1,100}}$){NAME.pattern}"), "lower-case letters, digits, hyphens"),
    "model": (re.compile(rf"(?=.{{1,100}}$){NAME.pattern}"), "lower-case letters, digits, hyphens"),
    "engine": (
        re.compile(r"(vllm|transformers)( [0-9A-Za-z.+_-]{1,40})?"),
        "vllm or transformers, and a version",
    ),
    "serving": (re.compile(r"live|merged|native"), "live, merged or native"),
    "tier": (re.compile(r"claimed"), "claimed: a tier is granted, not declared"),
    **{f"{part}_fingerprint": (_HEX, "64 hexadecimal digits") for part in ("train", "answers", "scores")},
}
_EMPTY = ("asr_fingerprint",)
_MAY_BE_EMPTY = ("strategy_digest", "strategy_fingerprint", "model_weights", "cell_updates")
"""Of a model as it is there is no strategy's file; earlier schema versions tell none of these."""
# What ledgers of cards from before do not tell.
_LATER_FIELDS = ("cell_updates", "texts_derived")


def read_claim(case: Case) -> Claim | None:
    """Read all files of a run; None, with the problems recorded, if one cannot be read."""
    from slubench.submission.bundle.untrusted_parquet import read_table

    bundle, entry = case.bundle, case.entry

    def table(name: str, schema: pa.Schema) -> pa.Table:
        return read_table(bundle.read(entry.file(name)), schema, entry.file(name))

    card = _tried(case, lambda: _card(case, bundle.json(entry.file(CARD))))
    report = _tried(case, lambda: bundle.json(entry.file(REPORT)))
    text = _tried(case, lambda: bundle.read(entry.strategy))
    scores = _tried(case, lambda: table(SCORES, SCORE_COLUMNS))
    replies = _tried(case, lambda: table(REPLIES, REPLY_COLUMNS))
    lessons = _tried(case, lambda: table(LESSONS, EXAMPLE_IDS))
    row = None if scores is None else _identity(case, scores)
    rows = None if replies is None else replies.to_pylist()
    if rows is not None:
        _check_replies(case, rows)
    if card is None or report is None or text is None or scores is None or row is None or rows is None:
        return None
    if lessons is None:
        return None
    return Claim(
        row=row,
        card=card,
        report=report,
        strategy_text=text.decode("utf-8", "replace"),
        replies=rows,
        lessons=lessons,
        scores=scores,
    )


def _tried(case: Case, read: Callable[[], T | None]) -> T | None:
    try:
        return read()
    except Refusal as refusal:
        case.findings.take([refusal.finding])
        return None


def _card(case: Case, content: dict[str, Any]) -> Adapter | None:
    before = len(case.findings.found)
    _check_fields(case, content, Adapter, "")
    ledger = content.get("ledger")
    if isinstance(ledger, dict) and content.get("version") in range(1, CARD_VERSION):
        ledger = renamed(ledger, LEDGER)
    if isinstance(ledger, dict):
        _check_fields(case, ledger, Ledger, "ledger.")
    training = content.get("training")
    for name in ("flops", "seconds"):
        value = training.get(name, 0.0) if isinstance(training, dict) else 0.0
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            case.find(CARD, f"training.{name} is {shown(value)}, expected a number of 0 or more")
    version = content.get("version")
    if isinstance(version, bool) or version not in range(1, CARD_VERSION + 1):
        case.find(CARD, f"version is {shown(version)}, expected {CARD_VERSION}")
    if len(case.findings.found) > before:
        return None
    return Adapter(**{**content, "ledger": Ledger.from_json(content["ledger"]), "version": CARD_VERSION})


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "dict": dict,
    "tuple": list,
    "Ledger": dict,
}
_OF_ITEMS: Mapping[str, type | tuple[type, ...]] = {
    "dict[str, str]": str,
    "dict[str, int]": int,
    "dict[str, float]": (int, float),
    "tuple[int, ...]": int,
    "tuple[str, ...]": str,
}


def _check_fields(case: Case, content: Mapping[str, Any], noun: type, prefix: str) -> None:
    """Check that a JSON object has the fields of a dataclass with the right types."""
    known = {field.name: str(field.type) for field in fields(noun)}
    for name in content.keys() - known.keys():
        case.find(CARD, f"{prefix}{shown(name)} is not a field of a card")
    for name, annotation in known.items():
        if name not in content:
            if name in _LATER_FIELDS:
                continue
            case.find(CARD, f"{prefix}{name} is missing")
            continue
        value = content[name]
        kind = _TYPES[annotation.partition("[")[0]]
        items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        fits = isinstance(value, kind) and not isinstance(value, bool)
        each = _OF_ITEMS.get(annotation)
        if not fits or (each is not None and not all(isinstance(item, each) for item in items)):
            case.find(CARD, f"{prefix}{name} is {shown(value)}, expected {annotation}")


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
    for name, (pattern, expected) in _FORMS.items():
        value = first[name]
        if value is not None and not pattern.fullmatch(value):
            case.find(SCORES, f"{name} is {shown(value)}, expected {expected}", 1)
    schemas = tuple(range(OLDEST_READ, SCHEMA_VERSION + 1))
    reads = {"schema_version": schemas, "rules": (RULES,), "scorer_version": (SCORER_VERSION,)}
    for name, versions in reads.items():
        if first[name] not in versions:
            message = f"{name} is {shown(first[name])}, and this version of slubench has {versions[-1]}"
            case.find(SCORES, f"{message}; score it again (`slubench rescore`) and submit it again", 1)
    if first["created"] is not None and first["created"] > datetime.now(UTC) + timedelta(days=1):
        case.find(SCORES, f"created is {first['created']}, which is in the future", 1)
    return first if len(case.findings.found) == before else None


def _check_replies(case: Case, rows: list[dict[str, Any]]) -> None:
    for number, row in enumerate(rows, 1):
        for name, value in row.items():
            if value is None:
                case.find(REPLIES, f"{name} is empty", number)
        reply = row["reply"]
        if reply is not None and len(reply) > REPLY_LENGTH:
            message = f"a reply of {len(reply):,} characters; the maximum is {REPLY_LENGTH:,}"
            case.find(REPLIES, message, number)
