"""`--limit`: a run on a few utterances, which says so wherever it is seen and is never ranked."""

from __future__ import annotations

import dataclasses

import pytest

from slubench.board.panel import Setting
from slubench.data.rows import read_rows
from slubench.data.splits import find_pools, find_test
from slubench.domain.run import limit_of
from slubench.errors import UsageError
from slubench.pipeline.context import open_context
from slubench.pipeline.plan import plan
from slubench.submission.run_of_row import refuse_smoke_run
from tests.pipeline.test_fingerprints import a_run

RUN = a_run()


def test_the_first_utterances_of_each_split_are_read() -> None:
    context = open_context()
    task = context.registry.task("massive-de")
    whole, few = context.source("mini"), context.source("mini", 5)
    every = read_rows(find_test(task, whole)).utterances
    assert read_rows(find_test(task, few)).utterances == every[:5]
    assert [len(read_rows(pool).utterances) for pool in find_pools(task, few)] == [5]
    assert find_test(task, few).revision == f"{find_test(task, whole).revision}+limit-5"


def test_nothing_of_a_smoke_run_is_taken_for_a_whole_run() -> None:
    context = open_context()
    run = dataclasses.replace(RUN, task=context.registry.task("massive-de"))
    whole, few = plan(run, context), plan(dataclasses.replace(run, limit=5), context)
    for name in ("trained", "answered", "scored"):
        assert getattr(whole, name) != getattr(few, name), name
    assert "limit-5" in few.run.name
    assert "limit" not in whole.run.name


def test_its_rows_are_marked_and_not_ranked() -> None:
    run = dataclasses.replace(RUN, limit=5)
    assert run.rules == f"{RUN.rules}+limit-5"
    assert limit_of(run.rules) == 5
    assert limit_of(RUN.rules) == limit_of("fixed+stratified") == limit_of("fixed+limit-x") == 0
    setting = Setting(
        edition="mini", model="tiny", track="lora-lm", data_track="closed", ruleset=run.rules, rules=1
    )
    assert setting.marks == ("limit-5",)
    with pytest.raises(UsageError, match="smoke run"):
        refuse_smoke_run({"run": "x", "ruleset": run.rules})
    refuse_smoke_run({"run": "x", "ruleset": RUN.rules})
