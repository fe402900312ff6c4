"""A run's record: what its page shows besides scores, as one row of Parquet beside the score file."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import fmean
from typing import Any

import slubench
from slubench.domain.meaning import as_reply
from slubench.domain.utterance import Utterance
from slubench.metrics.tally import Count, normalise, tally
from slubench.registry.adapters import Adapter
from slubench.runtime.files import replacing
from slubench.runtime.home import RECORDS, beside
from slubench.runtime.redaction import without_paths
from slubench.scoring.predictions import Prediction

POINTS = 60
"""The approximate number of points of a training curve."""
SOURCE = 100_000
"""The maximum characters of a stored strategy file."""

_ELSEWHERE = ("curve", "recipe", "name", "model", "track", "seed")
"""Fields of reports that repeat the run's identity or the card."""


@dataclass(frozen=True)
class KeptSource:
    """A strategy's file as a record keeps it.

    Attributes:
        file: As it is told in public.
        sha256: Of its content.
        source: Its text.
    """

    file: str
    sha256: str
    source: str


@dataclass(frozen=True)
class Origin:
    """The origin of a run.

    Attributes:
        adapter: Its card, None where it is not there any more.
        strategy: The strategy's file, or what else it was declared by.
        gold_shown: Whether the corpus' terms let gold be shown in public.
        kept: The strategy's file as an earlier record keeps it, where the file of today is another one.
    """

    adapter: Adapter | None
    strategy: str
    gold_shown: bool
    kept: KeptSource | None = None


def kept_source(scores: Path) -> KeptSource | None:
    """The strategy's file as the record beside a score file keeps it; None where there is no such record."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = ["strategy_file", "strategy_sha256", "strategy_source"]
    try:
        rows = pq.ParquetFile(beside(scores, RECORDS)).read(columns=names).slice(0, 1).to_pylist()
    except (pa.ArrowException, OSError):
        return None
    values = [rows[0].get(name) for name in names] if rows else []
    return KeptSource(*values) if values and all(isinstance(one, str) for one in values) else None


def write_record(
    scores: Path,
    identity: Mapping[str, Any],
    origin: Origin,
    reports: Mapping[str, Mapping[str, Any]],
    samples: Sequence[Mapping[str, Any]],
) -> None:
    """Write the record of a run beside its scores.

    Args:
        scores: Its score file.
        identity: What stands on its score rows.
        origin: Where it came from.
        reports: What the answering processes measured, by how they asked.
        samples: See `slubench.scoring.record`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from slubench import schemas as tables

    training = origin.adapter.training if origin.adapter is not None else {}
    points = thinned(training.get("curve", []))
    file = Path(origin.strategy)
    content = file.read_bytes() if file.is_file() else b""
    of_today = KeptSource(
        shelved(origin.strategy),
        hashlib.sha256(content).hexdigest() if content else "",
        content.decode("utf-8", "replace")[:SOURCE],
    )
    source = origin.kept or of_today
    row = {
        "scores_fingerprint": identity["scores_fingerprint"],
        "train_fingerprint": identity["train_fingerprint"],
        "strategy_file": source.file,
        "strategy_sha256": source.sha256,
        "strategy_source": source.source,
        "facts": sorted(_facts(origin.adapter, training, reports)),
        "curve_updates": [update for update, _ in points],
        "curve_losses": [loss for _, loss in points],
        "samples": list(samples),
    }
    with replacing(beside(scores, RECORDS)) as temporary:
        pq.write_table(pa.Table.from_pylist([row], schema=tables.RECORDS), temporary, compression="zstd")


def thinned(curve: Sequence[Mapping[str, Any]], points: int = POINTS) -> list[tuple[int, float]]:
    """A training curve: the mean loss of ranges of updates, each with its last update."""
    size = max(1, -(-len(curve) // points))
    parts = (curve[start : start + size] for start in range(0, len(curve), size))
    return [(int(part[-1]["update"]), fmean(float(point["loss"]) for point in part)) for part in parts]


def shelved(origin: str) -> str:
    """A strategy's file for public pages: with its folder if it is the package's, else by name alone."""
    path = Path(origin)
    if not path.is_file():
        return path.name if path.is_absolute() else origin
    shelves = [(Path(root) / "strategies").resolve() for root in slubench.__path__]
    return f"strategies/{path.name}" if path.parent.resolve() in shelves else path.name


def _facts(
    adapter: Adapter | None, training: Mapping[str, Any], reports: Mapping[str, Mapping[str, Any]]
) -> Iterator[tuple[str, str]]:
    """The fields of card and serving reports as text, named as in `ledger.clip_exposures.de`."""
    if adapter is not None:
        for name in ("base", "weights", "pools", "recipe", "sha256", "licence", "strategy_digest"):
            yield from _flat(name, getattr(adapter, name))
        told = {name: value for name, value in adapter.ledger.to_json().items() if name != "chosen"}
        yield from _flat("ledger", told)
        yield from _flat("training", {name: training[name] for name in training if name not in _ELSEWHERE})
    for input_kind, report in reports.items():
        yield from _flat(f"answering.{input_kind}", {k: v for k, v in report.items() if k not in _ELSEWHERE})


def _flat(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _flat(f"{name}.{key}", part)
    elif isinstance(value, list | tuple):
        if any(isinstance(part, Mapping) for part in value):
            yield from _flat(name, dict(enumerate(value, 1)))
        elif value:
            yield name, ", ".join(_written(part) for part in value)
    # Paths of the machine that trained are nobody's business, and no fact of the run.
    elif value is not None and value != "" and not str(value).startswith(("/", "\\")):
        yield name, without_paths(_written(value))


def _written(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


EACH = 6
"""The number of shown utterances with right predictions, and with wrong ones."""


def samples_of(
    answers: Sequence[Prediction], gold: Mapping[str, Utterance], *, gold_shown: bool
) -> list[dict[str, Any]]:
    """Some utterances with all of their predictions, as `slubench.schemas.SAMPLE`.

    Which ones follows from a hash of their names, so that runs on one test mostly show the same. Right is
    what matches exactly on normalised text; the first way that was asked decides.

    Args:
        answers: In every way that was asked.
        gold: What was meant, by utterance.
        gold_shown: Whether the corpus' terms let gold and transcript be shown; else ids and replies alone.
    """
    first = [answer for answer in answers if answer.input == answers[0].input]
    kept: dict[bool, list[str]] = {True: [], False: []}
    for answer in sorted(first, key=lambda one: sha256(one.utterance.encode()).digest()):
        names = kept[_right(answer, gold[answer.utterance])]
        if len(names) < EACH:
            names.append(answer.utterance)
    by_name: dict[str, list[Prediction]] = {name: [] for name in (*kept[False], *kept[True])}
    for answer in answers:
        if answer.utterance in by_name:
            by_name[answer.utterance].append(answer)
    return [
        {
            "utterance": name,
            "input": answer.input,
            "reply": answer.reply,
            "parsed": answer.meaning is not None,
            "right": _right(answer, gold[name]),
            "said": gold[name].text if gold_shown else None,
            "meant": as_reply(gold[name].meaning) if gold_shown else None,
        }
        for name, replies in by_name.items()
        for answer in replies
    ]


def _right(answer: Prediction, utterance: Utterance) -> bool:
    predicted = normalise(answer.meaning) if answer.meaning else None
    return bool(tally(normalise(utterance.meaning), predicted)[Count.EXACT])
