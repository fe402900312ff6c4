"""The suite for a task: its declaration, and its pools and test set if available."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from slubench.conformance.declarations import task_declared, task_imports
from slubench.conformance.subject import source_of
from slubench.conformance.verdict import NOT_CHECKED, Verdict, judged
from slubench.data.editions import offers
from slubench.data.leaks import leaked_ids
from slubench.data.rows import Rows, read_rows
from slubench.data.source import Source, SplitFiles
from slubench.data.splits import find_pools, find_test
from slubench.domain.budget import NONE
from slubench.domain.task import Task
from slubench.errors import DeclarationError
from slubench.registry import Registry

READ, APART = "rows can be read", "test separate from pools"


def check_task(task: Task, registry: Registry, source: Source) -> list[Verdict]:
    """Check a task.

    Args:
        task: The task.
        registry: Where it was found.
        source: Where its corpus is looked for; what is not there is not fetched.
    """
    verdicts = [_imports(task, registry), task_declared(task)]
    if not offers(source, task):
        reason = f"its corpus is not available here; get it, then run: slubench data check {task.name}"
        return [*verdicts, Verdict(READ, NOT_CHECKED, reason), Verdict(APART, NOT_CHECKED, reason)]
    budgets = [replace(NONE, target=target) for target in task.targets]
    found = {str(shards): shards for budget in budgets for shards in find_pools(task, source, budget)}
    pools = {name: read_rows(shards) for name, shards in found.items()}
    test = find_test(task, source)
    parts = {str(test): read_rows(test), **pools}
    rows = sum(len(part.utterances) for part in parts.values())
    broken = [str(row) for part in parts.values() for row in part.rejected]
    apart = "Remove the test sentences from the pools, in every language."
    return [
        *verdicts,
        judged(READ, [*broken, *_empty(parts)], "Fix the corpus or `read`.", f"{rows} rows"),
        judged(APART, _leaks(test, found.values()), apart),
    ]


def _imports(task: Task, registry: Registry) -> Verdict:
    try:
        return task_imports(source_of(registry.origin(task)))
    except DeclarationError as error:
        return Verdict("imports only what is allowed", NOT_CHECKED, str(error))


def _empty(parts: Mapping[str, Rows]) -> Iterator[str]:
    for shards, rows in parts.items():
        if not rows.utterances:
            yield f"{shards} has no usable row"


def _leaks(test: SplitFiles, pools: Iterable[SplitFiles]) -> Iterator[str]:
    for name, leaked in leaked_ids(test, pools).items():
        yield f"{len(leaked)} test ids in {name}: {', '.join(leaked[:5])}"
