"""Verdicts on what two composing processes saw: imports, train sets, and opened files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from slubench.conformance.audit import Opened
from slubench.conformance.compose_audit import Composed, ComposeReport
from slubench.conformance.verdict import Verdict, judged
from slubench.domain.strategy import Strategy

_SPLITS = {"train": "a clip outside the budget", "validation": "the dev split", "test": "the test"}


def import_verdict(reports: Sequence[ComposeReport], file: Path) -> Verdict:
    """Whether the file imports where torch is not to be had."""
    return judged(
        "imports without torch",
        [report.error for report in reports if report.error],
        f"Run `python {file.name}` and fix what it reports; import torch only inside functions.",
    )


def train_set_verdicts(reports: Sequence[ComposeReport], strategy: Strategy) -> list[Verdict]:
    """Whether train sets are composed at every budget, follow from the seeds and keep to the rules.

    Args:
        reports: Two for each corpus, of processes that differ in the seed of Python's hashes.
        strategy: Whose they are.
    """
    cells = [(name, cell) for report in reports for name, cell in report.cells.items()]
    updates = sorted({cell.updates for _, cell in cells if not cell.refused})
    refused = sum(cell.refused for _, cell in cells) > 0
    found = f"{updates[0]} to {updates[-1]} updates" if updates else "none"
    return [
        judged(
            "composes at every budget",
            [f"{name}: {cell.error}" for name, cell in cells if cell.error],
            "compose(pool, rng) must yield at least one Example from the pool.",
            "refused at 0, because it needs speech" if refused else "text only, so all budgets are the same",
        ),
        judged(
            "training set follows from the seeds",
            _undetermined(reports),
            "Use only the rng passed to compose, and sort sets and ids before iterating over "
            "them; no clock, no hash(), no module-level random.",
            "same result twice in one process, and in processes with other hash seeds",
        ),
        judged(
            "keeps to the updates",
            [f"{name}: {wrong}" for name, cell in cells for wrong in cell.beyond_updates],
            "The rules give every strategy the same updates; its stages' shares sum to at most 1.",
            found,
        ),
        judged(
            "uses its updates",
            _idle(cells, strategy),
            "compose(pool, rng) is one pass, and is called again until its updates are full;"
            " a strategy with speech only ends with its clips. Yield transcripts too, or declare fewer"
            " updates: Stage(passes=...), or shares that sum to less than 1.",
            _told_use(cells, strategy),
        ),
        judged(
            "keeps to the budget",
            [f"{name}: {wrong}" for name, cell in cells for wrong in cell.beyond_budget],
            "A strategy with text and speech may use each bought clip three times on average, and in all no"
            " more"
            " clips than the pool has; one with speech only, 20 times. Yield each recording once per pass.",
            f"at most {max((cell.heard for _, cell in cells), default=0)} clip exposures",
        ),
    ]


def opened_verdict(opened: Sequence[Opened], watched: bool, strategy: Strategy, corpus: Path) -> Verdict:
    """Whether its code opened a file, or reached for a socket or another process.

    Args:
        opened: What was seen.
        watched: Whether the kernel watched too.
        strategy: On the track `open` it may open files of its own, and never the corpus's.
        corpus: The rehearsal's.
    """
    root = str(corpus.resolve()) + "/"
    by_kernel = "" if watched else "; files opened by C libraries cannot be seen on this system"
    return judged(
        "opens no file",
        [_shown(one, root) for one in opened if strategy.track == "closed" or one.what.startswith(root)],
        "All data comes from the pool: pool.text(), pool.speech(), pool.pairs(). Test, validation and clips"
        " outside the budget must not be opened.",
        f"audited while it was imported, composed and trained{by_kernel}",
    )


def declares_fewer(strategy: Strategy) -> bool:
    """Whether a strategy says that it uses fewer updates: by passes, or by shares that sum to less than 1."""
    stages = strategy.stages
    return any(stage.passes is not None for stage in stages) or sum(s.share for s in stages) < 1 - 1e-9


def _idle(cells: Sequence[tuple[str, Composed]], strategy: Strategy) -> Iterator[str]:
    if declares_fewer(strategy):
        return
    for name, cell in cells:
        if 0 < 2 * cell.updates < cell.cell_updates:
            yield f"{name}: {cell.updates} of {cell.cell_updates} updates"


def _told_use(cells: Sequence[tuple[str, Composed]], strategy: Strategy) -> str:
    shares = [cell.updates / cell.cell_updates for _, cell in cells if cell.cell_updates]
    declared = "; fewer are declared" if declares_fewer(strategy) else ""
    return f"at least {min(shares):.0%} of them{declared}" if shares else "it learns nothing"


def _undetermined(reports: Sequence[ComposeReport]) -> Iterator[str]:
    seen: dict[str, Composed] = {}
    for report in reports:
        for name, cell in report.cells.items():
            if cell.digest != cell.again:
                yield f"{name}: a different training set the second time in the same process"
            elif cell.digest != seen.setdefault(name, cell).digest:
                yield f"{name}: a different training set in another process"


def _shown(opened: Opened, root: str) -> str:
    place = f"line {opened.line}: " if opened.line else ""
    if not opened.what.startswith(root):
        return place + opened.what
    name = opened.what.removeprefix(root)
    split = Path(name).name.split("-")[0]
    what = _SPLITS.get(split, "a file of the corpus")
    how = "" if opened.line else ", opened by a library or another process"
    return f"{place}{what} ({name}{how})"
