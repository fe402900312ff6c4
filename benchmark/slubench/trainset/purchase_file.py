"""Writes a purchase to a file, for a process that has access to nothing else."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from slubench.data.clips import ClipStore
from slubench.data.recordings import Recordings
from slubench.domain.budget import Budget
from slubench.domain.meaning import Entity, Meaning
from slubench.domain.pool import Pool, Unlabelled
from slubench.domain.utterance import Clip, Utterance
from slubench.runtime.files import write_text
from slubench.trainset.purchase import Purchase


def write_purchase(path: Path, bought: Purchase) -> None:
    """Write a purchase as JSON; of rows that were left out, only the number is written."""
    pool, recordings = bought.pool, bought.recordings
    content = {
        "written": {language: [_row(u) for u in rows] for language, rows in pool.written.items()},
        "bought": {language: [_row(u) for u in rows] for language, rows in pool.bought.items()},
        "unbought": None
        if pool.unbought is None
        else {language: [[u.key, _clip(u.clip)] for u in part] for language, part in pool.unbought.items()},
        "budget": {**dataclasses.asdict(pool.budget), "amount": str(pool.budget.amount)},
        "sizes": [bought.written, bought.spoken, bought.target_spoken],
        "clips": [_clip(clip) for clip in bought.bought],
        "target": [_clip(clip) for clip in bought.target],
        "synthetic": sorted(_clip(clip) for clip in bought.synthetic),
        "store": [str(recordings.store.folder), recordings.store.sampling_rate, recordings.store.max_seconds],
        "keys": [[_clip(clip), key] for clip, key in recordings.keys.items()],
    }
    write_text(path, json.dumps(content, ensure_ascii=False))


def read_purchase(path: Path) -> Purchase:
    """Read what `write_purchase` wrote."""
    content = json.loads(path.read_text("utf-8"))
    budget = content["budget"]
    folder, rate, longest = content["store"]
    written, spoken, target_spoken = content["sizes"]
    return Purchase(
        pool=Pool(
            _rows(content["written"]),
            _rows(content["bought"]),
            Budget(**{**budget, "amount": Fraction(budget["amount"])}),
            _unbought(content["unbought"]),
        ),
        written=written,
        spoken=spoken,
        bought=tuple(Clip(*clip) for clip in content["clips"]),
        recordings=Recordings(
            ClipStore(Path(folder), rate, longest), {Clip(*clip): key for clip, key in content["keys"]}
        ),
        rejected=(),
        target_spoken=target_spoken,
        target=tuple(Clip(*clip) for clip in content["target"]),
        synthetic=frozenset(Clip(*clip) for clip in content["synthetic"]),
    )


def _unbought(content: Mapping[str, Any] | None) -> dict[str, list[Unlabelled]] | None:
    if content is None:
        return None
    return {
        language: [Unlabelled(key, language, Clip(*clip)) for key, clip in part]
        for language, part in content.items()
    }


def _clip(clip: Clip) -> tuple[str, int | None]:
    return clip.file, clip.row


def _row(utterance: Utterance) -> dict[str, Any]:
    shown = {field.name: getattr(utterance, field.name) for field in dataclasses.fields(utterance)}
    meaning = utterance.meaning
    return shown | {
        "meaning": [meaning.scenario, meaning.action, [tuple(entity) for entity in meaning.entities]],
        "clip": _clip(utterance.clip) if utterance.clip is not None else None,
        "slices": dict(utterance.slices),
    }


def _rows(by_language: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, tuple[Utterance, ...]]:
    return {language: tuple(map(_utterance, rows)) for language, rows in by_language.items()}


def _utterance(row: Mapping[str, Any]) -> Utterance:
    scenario, action, entities = row["meaning"]
    return Utterance(
        **{
            **row,
            "meaning": Meaning(scenario, action, tuple(Entity(*entity) for entity in entities)),
            "clip": Clip(*row["clip"]) if row["clip"] is not None else None,
            "remarks": tuple(row["remarks"]),
        }
    )
