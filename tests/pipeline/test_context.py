"""One context, opened once, serves every step from training to verification."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.data.editions import MINI
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.errors import MissingError, UsageError
from slubench.pipeline.buy import buy
from slubench.pipeline.context import MOST_KEPT, Context, open_context
from slubench.pipeline.plan import plan
from slubench.pipeline.predict import predict
from slubench.pipeline.rescore import rescore_runs
from slubench.pipeline.run import perform
from slubench.pipeline.score import score
from slubench.pipeline.train import train
from slubench.runtime.home import Home
from slubench.submission.bundle.pack import submit
from slubench.submission.verify.verify import verify
from tests.massive_mirror import make_mirror


def a_run(context: Context, strategy: str, seed: int = 0) -> Run:
    model, weights = context.locate(context.registry.model("tiny"))
    declared = context.registry.strategy(strategy)
    return Run(
        task=context.registry.task("massive-de"),
        strategy=declared,
        budget=Budget.parse("50%"),
        model=model,
        weights=weights,
        data_seed=seed,
        train_seed=seed,
        edition="full",
        strategy_origin=context.registry.origin(declared),
    )


def test_one_context_serves_every_step(tmp_path: Path, home: Path) -> None:
    lines: list[str] = []
    mirror = make_mirror(tmp_path / "mirror", train=8, test=4)
    context = open_context(home=home, corpora=mirror, engine="transformers", say=lines.append)
    run = a_run(context, "direct-mix")
    planned = plan(run, context)
    with pytest.raises(MissingError, match="is not trained yet; run it first"):
        predict([planned], context)
    adapter = train(planned, context)
    assert train(planned, context) == adapter
    predict([planned], context)
    scores = score(planned, context)
    (outcome,) = perform([run], context)
    assert (outcome.scores, outcome.cached) == (scores, True)
    (again,) = rescore_runs([], context)
    assert (again.run, again.scores) == (run.name, scores)
    submit([run.name], tmp_path / "bundle", context)
    verification = verify(tmp_path / "bundle", context, Home(tmp_path / "scratch"))
    assert (verification.tier, verification.findings.told()) == ("rescored", [])
    assert [line.split()[0] for line in lines if not line.startswith(run.name)] == [
        "training", "predicting", "scoring", "scoring", "packing", "scoring",
    ]  # fmt: skip


def test_a_cell_is_bought_once_for_all_strategies_that_take_speech(tmp_path: Path, home: Path) -> None:
    context = open_context(home=home, corpora=make_mirror(tmp_path / "mirror", train=8, test=4))
    bought = {
        name: buy(plan(a_run(context, name), context), context)
        for name in ("direct-mix", "curriculum", "text-only")
    }
    assert bought["direct-mix"] is bought["curriculum"]
    assert bought["text-only"].bought == ()
    assert buy(plan(a_run(context, "curriculum", seed=1), context), context) is not bought["curriculum"]


def test_what_is_kept_in_memory_is_bounded(home: Path) -> None:
    context = open_context(home=home)
    made: list[int] = []

    def keep(number: int) -> None:
        def make() -> int:
            made.append(number)
            return number

        assert context.once(("number", number), make) == number

    for number in (*range(MOST_KEPT), 0, MOST_KEPT, MOST_KEPT - 1, 0):
        keep(number)
    assert made == [*range(MOST_KEPT), MOST_KEPT, 0]


def test_a_mirror_is_for_editions_without_a_corpus_of_their_own(tmp_path: Path, home: Path) -> None:
    context = open_context(home=home, corpora=tmp_path)
    with pytest.raises(UsageError, match="--corpora only applies to the full edition"):
        context.choose_edition("mini")
    assert context.source("mini").mirror == MINI.mirror
    assert context.source("full").mirror == tmp_path
    with pytest.raises(MissingError, match="the mini edition lacks massive-es"):
        context.task("massive-es", MINI)
    assert {task.name for task in context.offered(MINI)} >= {"massive-de", "massive-fr"}
