"""Checks a bundle's training examples, given by id, against budget, seeds and ledger."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slubench.domain.ledger import Ledger
from slubench.domain.run import Run
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip, SpokenClip, whole_clip
from slubench.errors import shown
from slubench.pipeline.train import cell_of, prepare, tally
from slubench.runtime.redaction import public_line
from slubench.schemas import EXAMPLE_IDS
from slubench.submission.problems import Problem, Problems
from slubench.trainset.purchase import Purchase
from slubench.trainset.rules import beyond_budget, beyond_stages, beyond_updates
from slubench.trainset.train_set import StageExamples
from slubench.trainset.validation import ValidationSet

if TYPE_CHECKING:
    import pyarrow as pa


_UNTOLD = (
    "texts_derived",
    "predicted",
    "predicted_unlabelled",
    "spoken_unique",
    "spoken_exposures",
    "spoken_minutes",
)
"""Of a ledger, what the examples of a bundle do not tell."""


def ids_of(train_set: Sequence[StageExamples], bought: Purchase) -> list[dict[str, Any]]:
    """Training examples as rows of `slubench.schemas.EXAMPLE_IDS`, without texts and targets."""
    named = {
        clip: {"language": language, "utterance": key} for (language, key), clip in bought.pool.heard.items()
    }
    return [
        {
            "stage": stage,
            "position": position,
            "utterance": example.utterance,
            "language": example.language,
            "heard": [named[whole_clip(part)] for part in example.clips if not isinstance(part, SpokenClip)],
            "texts": sum(isinstance(part, str) for part in example.parts),
            "weight": example.weight,
        }
        for stage, part in enumerate(train_set)
        for position, example in enumerate(part.examples)
    ]


def check_examples(
    table: pa.Table, run: Run, bought: Purchase, watched: ValidationSet, ledger: Ledger, file: str
) -> Iterator[Problem]:
    """The claimed training examples that do not agree with budget, seeds or ledger.

    A strategy that is data is composed again, example by example; of one with functions of its own the ids
    are looked up in what the budget buys, and counted.

    Args:
        table: In `slubench.schemas.EXAMPLE_IDS`.
        run: The run, its strategy as it was read.
        bought: What the budget buys, from the corpus.
        watched: What is looked at beside.
        ledger: As the card tells it.
        file: Where the train set is from.
    """
    findings = Problems()
    told = _read(table, run, bought, file, findings)
    if told is None:
        yield from findings.found
        return
    counted = tally(run, bought, told, watched)
    if all(stage.compose is None for stage in run.strategy.stages):
        composed, due = prepare(run, bought, watched)
        findings.take(_differences(ids_of(composed, bought), table, file))
    else:
        due = counted
    card = file.replace("lessons.parquet", "card.json")
    findings.take(compare_ledgers(ledger, due, card))
    yield from findings.found


def compare_ledgers(told: Ledger, due: Ledger, file: str) -> Iterator[Problem]:
    """Differences between a card's ledger and its training examples."""
    claimed, counted = told.to_json(), due.to_json()
    for name, value in counted.items():
        if (name == "cell_updates" and not claimed[name]) or name in _UNTOLD:
            continue  # A card from before it was told; and neither texts nor questions are in a bundle.
        if name == "rejected":
            # Where its rows lay is another folder on each machine.
            claimed[name], value = ([public_line(row) for row in rows] for rows in (claimed[name], value))
        if not alike(claimed[name], value):
            message = (
                f"its ledger has {name} {shown(claimed[name])}; its training examples give {shown(value)}"
            )
            yield Problem(file, message)


def alike(one: Any, other: Any) -> bool:
    """Whether two values are equal, numbers within rounding."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return abs(one - other) <= 1e-6 * max(1.0, abs(one), abs(other))
    return bool(one == other)


@dataclass(frozen=True)
class _Known:
    heard: Mapping[tuple[str, str], Clip]
    read: frozenset[tuple[str, str]]


def _read(
    table: pa.Table, run: Run, bought: Purchase, file: str, findings: Problems
) -> tuple[StageExamples, ...] | None:
    """The train set as it is described; None where it is not made of the run's pool."""
    pool, stages = bought.pool, run.strategy.stages
    clips = pool.heard
    known = _Known(clips, frozenset((*((u.language, u.key) for u in pool.text()), *clips)))
    examples: list[list[Example]] = [[] for _ in stages]
    due = [0] * len(stages)
    for number, row in enumerate(table.to_pylist(), 1):
        example = _example(row, known, run, file, number, findings)
        stage, position = row["stage"], row["position"]
        if stage is None or not 0 <= stage < len(stages):
            findings.add(file, f"stage {shown(stage)}, but {run.strategy.name} has {len(stages)}", number)
            continue
        if position != due[stage]:
            message = f"position {shown(position)}, expected {due[stage]} of stage {stage}"
            findings.add(file, message, number)
        due[stage] = (due[stage] if position is None else position) + 1
        if example is not None:
            examples[stage].append(example)
    if findings:
        return None
    cell = cell_of(run, bought)
    train_set = tuple(
        StageExamples(stage, math.ceil(len(some) / cell.batch), tuple(some))
        for stage, some in zip(stages, examples, strict=True)
    )
    for wrong in (
        *beyond_stages(run.strategy, train_set, pool, cell),
        *beyond_updates(train_set, cell),
        *beyond_budget(run.strategy, train_set, pool, cell),
    ):
        findings.add(file, wrong)
    return None if findings else train_set


def _example(
    row: Mapping[str, Any], known: _Known, run: Run, file: str, number: int, findings: Problems
) -> Example | None:
    own = (row["language"], row["utterance"])
    if own not in known.read:
        where = f"{shown(row['utterance'])} ({shown(row['language'])})"
        findings.add(file, f"{where} is not in the pool of {run.task.name}", number)
        return None
    parts: list[str | Clip] = []
    for one in row["heard"] or []:
        clip = known.heard.get((one["language"], one["utterance"])) if one else None
        if clip is None:
            name = shown(one["utterance"]) if one else "none"
            message = f"the clip {name} is not among the {len(known.heard):,} that {run.spends} buys"
            findings.add(file, f"{message} at data seed {run.data_seed}", number)
            return None
        parts.append(clip)
    texts = row["texts"]
    if texts is None or not 0 <= texts <= 1_000 or not (parts or texts):
        findings.add(file, f"{shown(texts)} texts and {len(parts)} clips are not a valid example", number)
        return None
    return Example((*parts, *[""] * texts), "", row["utterance"], row["language"], row["weight"] or 0.0)


def _differences(due: Sequence[Mapping[str, Any]], told: pa.Table, file: str) -> Iterator[Problem]:
    """Rows that differ from those composed again from strategy, budget and seeds."""
    rows = told.to_pylist()
    for number, (row, expected) in enumerate(zip(rows, due, strict=False), 1):
        for name in EXAMPLE_IDS.names:
            if not alike(row[name], expected[name]):
                message = f"{name} is {shown(row[name])}; strategy, budget and seeds give"
                yield Problem(file, f"{message} {shown(expected[name])}", number)
                break
    if len(rows) != len(due):
        yield Problem(file, f"it has {len(rows):,} rows; strategy, budget and seeds give {len(due):,}")
