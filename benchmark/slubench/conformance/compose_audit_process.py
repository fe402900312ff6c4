"""Imports a strategy and composes its training sets under audit, in a separate process."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from slubench.conformance.audit import Audit, Opened, watch_over
from slubench.conformance.compose_audit import ComposeAudit, Composed, ComposeReport
from slubench.conformance.file_watch import FileWatch
from slubench.conformance.stand_in import say_nothing, stand_in
from slubench.conformance.verdict import told
from slubench.data.editions import MINI_CORPUS
from slubench.domain.pool import ExposureError
from slubench.domain.strategy import Strategy
from slubench.domain.utterance import Clip
from slubench.errors import SlubenchError
from slubench.registry import Registry, strategy_in
from slubench.runtime.digest import digest
from slubench.runtime.files import write_text
from slubench.trainset.file_guard import unguarded
from slubench.trainset.ledger import consumption
from slubench.trainset.purchase import Purchase
from slubench.trainset.purchase_file import read_purchase
from slubench.trainset.rules import beyond_budget, beyond_updates
from slubench.trainset.train_set import StageExamples, compose


def digest_of(train_set: Sequence[StageExamples]) -> str:
    """SHA-256 of all that a training reads of a train set, in order."""
    return digest(
        [
            [
                part.updates,
                [
                    [
                        [[part.file, part.row] if isinstance(part, Clip) else part for part in example.parts],
                        example.target,
                        example.utterance,
                        example.language,
                        example.weight,
                    ]
                    for example in part.examples
                ],
            ]
            for part in train_set
        ]
    )


# Where torch is installed these are looked for as if it were not.
BLOCKED = ("torch", "transformers", "peft", "vllm")


def perform(job: ComposeAudit) -> ComposeReport:
    """Run a job in this process, which is audited from now on."""
    purchases = {name: read_purchase(Path(path)) for name, path in job.purchases.items()}
    private = tuple(Path(folder) for folder in job.private)
    audit = Audit(Path(job.file), private=(*private, MINI_CORPUS))
    watch = FileWatch(private)
    audit.start()
    opened: list[Opened] = []
    try:
        with _blocked():
            strategy = _load(job)
    except Exception as error:
        seen = watch_over(audit, watch, frozenset())
        return ComposeReport(told(error, Path(job.file)), opened=seen, watched=watch.working)
    opened += watch_over(audit, watch, frozenset())
    cells: dict[str, Composed] = {}
    for name, bought in purchases.items():
        if bought.pool.speech() and not strategy.needs_speech:
            continue  # Its budget is normalised to none.
        if not strategy.unlabelled:
            bought = replace(bought, pool=replace(bought.pool, unbought=None))
        allowed = _allowed(bought)
        audit.allowed = allowed
        for seed in job.seeds:
            with unguarded():
                cells[f"{name}, train seed {seed}"] = _compose(strategy, bought, job, seed)
        opened += watch_over(audit, watch, allowed)
    return ComposeReport(
        cells=cells,
        opened=list(dict.fromkeys(opened)),
        watched=watch.working,
    )


def _compose(strategy: Strategy, bought: Purchase, job: ComposeAudit, seed: int) -> Composed:
    cell = bought.exposure(job.batch)
    if strategy.needs_speech and not bought.pool.speech():
        try:
            compose(strategy, bought.pool, cell, seed, stand_in(bought.pool), say_nothing)
        except SlubenchError:
            return Composed(refused=True)
    try:
        train_set = compose(strategy, bought.pool, cell, seed, stand_in(bought.pool), say_nothing)
        again = compose(strategy, bought.pool, cell, seed, stand_in(bought.pool), say_nothing)
    except ExposureError as error:
        return Composed(beyond_budget=[str(error)])
    except Exception as error:
        return Composed(error=told(error, Path(job.file)))
    return Composed(
        digest=digest_of(train_set),
        again=digest_of(again),
        beyond_updates=list(beyond_updates(train_set, cell)),
        beyond_budget=list(beyond_budget(strategy, train_set, bought.pool, cell)),
        updates=sum(part.updates for part in train_set),
        cell_updates=cell.updates,
        heard=consumption(train_set).heard.total(),
    )


def _load(job: ComposeAudit) -> Strategy:
    if job.name:
        return Registry(Path(job.home)).strategy(job.name)
    return strategy_in(Path(job.file))


def _allowed(bought: Purchase) -> frozenset[str]:
    return frozenset(str(Path(clip.file).resolve()) for clip in (*bought.bought, *bought.target))


@contextmanager
def _blocked() -> Iterator[None]:
    """Make heavy libraries appear not to be installed."""
    before = {name: sys.modules[name] for name in BLOCKED if name in sys.modules}
    sys.modules.update(dict.fromkeys(BLOCKED))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in BLOCKED:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def main(job_path: Path, report: Path) -> None:
    """Read a job, do it, write the report."""
    content = json.loads(job_path.read_text("utf-8"))
    job = ComposeAudit(**{**content, "seeds": tuple(content["seeds"]), "private": tuple(content["private"])})
    write_text(report, json.dumps(asdict(perform(job)), ensure_ascii=False))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
