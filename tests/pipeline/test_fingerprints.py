"""What is trained, answered and scored again, and what is reused."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from slubench import Recipe, Stage, Strategy
from slubench.data.source import SplitFiles
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.domain.strategy import SPEECH
from slubench.pipeline.fingerprints import (
    answers_fingerprint,
    own_fingerprint,
    scores_fingerprint,
    train_fingerprint,
    transcripts_fingerprint,
)
from slubench.registry import Registry
from slubench.schemas import IDENTIFYING

REGISTRY = Registry()
TASK = REGISTRY.task("massive-fr")
# With a recipe of its own, so that pinned values outlast a change of the declared one.
RECIPE = Recipe(rate=5e-3, rank=16, alpha=32, batch=16, warmup=0.05, schedule="linear")
MODEL = dataclasses.replace(REGISTRY.model("tiny"), recipes={"lora-lm": RECIPE, "full": RECIPE})


def a_run(strategy: str = "curriculum", speech: str = "5%", **changes: object) -> Run:
    run = Run(
        task=TASK,
        strategy=REGISTRY.strategy(strategy),
        budget=Budget.parse(speech),
        model=MODEL,
        weights="w",
    )
    return dataclasses.replace(run, **changes)  # type: ignore[arg-type]


def pools(run: Run, revision: str = "r") -> tuple[SplitFiles, ...]:
    return tuple(SplitFiles(run.task.corpus, x, run.task.train, (), revision) for x in run.task.speech_in)


def trained(run: Run) -> str:
    return train_fingerprint(run, pools(run))


def test_french_trained_once_is_asked_in_eleven_languages() -> None:
    crossing = [
        a_run(task=task) for name, task in REGISTRY.tasks.items() if name.startswith("massive-fr-to-")
    ]
    assert len(crossing) == 11
    assert {trained(run) for run in crossing} == {trained(a_run())}
    tests = [SplitFiles(run.task.corpus, run.task.test_in, "test", (), "r") for run in crossing]
    answered = {
        answers_fingerprint(run, trained(run), test, "vllm")
        for run, test in zip(crossing, tests, strict=True)
    }
    assert len(answered) == 11


def test_a_strategy_without_speech_has_one_adapter_for_every_budget_and_data_seed() -> None:
    runs = [a_run("text-only", speech, data_seed=seed) for speech in ("0", "5%", "100%") for seed in (0, 1)]
    assert len({trained(run) for run in runs}) == 1
    assert trained(a_run("text-only", train_seed=1)) != trained(a_run("text-only"))


CHANGES: list[dict[str, object]] = [
    {"speech": "10%"},
    {"speech": "5%+stratified"},
    {"speech": "5%+all-recordings"},
    {"speech": "few115"},
    {"data_seed": 1},
    {"train_seed": 1},
    {"strategy": "direct-mix"},
    {"weights": "other"},
    {"track": "full"},
    {"edition": "full"},
    {"task": REGISTRY.task("massive-de")},
]


# Computed before there were target data and other draws: what was trained then must be found today.
PINNED = {
    ("curriculum", "5%"): "f4420ebd4f7bf387184d40d788bcee4ab37bc60017b1e06a7c38c9494a8a2c5d",
    ("text-only", "5%"): "7a4fc96f9dadfde2fe482b2f7613a12df6af2b53d9c28982deabe3e60885896e",
    ("direct-mix", "0"): "cfb255f4e46d979fe200002011bab22fec29d0c046562c0d58e49340bfa08d69",
}


@pytest.mark.parametrize(("strategy", "speech"), PINNED)
def test_what_was_trained_before_is_found(strategy: str, speech: str) -> None:
    """If this fails because the strategy's or the model's prompt changed, pin the new values."""
    run = a_run(strategy, speech)
    assert trained(run) == PINNED[strategy, speech]
    assert run.training.startswith(f"speech-massive-fr--{strategy}--")
    assert "target" not in run.name


def test_what_was_answered_before_is_found() -> None:
    test = SplitFiles(TASK.corpus, "fr", "test", (), "r")
    answered = answers_fingerprint(a_run(), trained(a_run()), test, "vllm")
    assert answered == "b92df2644388c109e352dd15d9b86e99e9a915b51689c68100dffef919ad4dbd"


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: next(iter(change)))
def test_what_is_trained_afresh(change: dict[str, object]) -> None:
    assert trained(a_run(**change)) != trained(a_run())  # type: ignore[arg-type]


def test_another_revision_of_the_corpus_is_trained_and_asked_afresh() -> None:
    run = a_run()
    assert train_fingerprint(run, pools(run, "other")) != trained(run)
    tests = [SplitFiles(run.task.corpus, "fr", "test", (), revision) for revision in ("r", "other")]
    assert len({answers_fingerprint(run, "t", test, "vllm") for test in tests}) == 2


def test_the_published_few_do_not_hang_on_the_data_seed() -> None:
    assert trained(a_run(speech="few115", data_seed=1)) == trained(a_run(speech="few115"))


def test_paths_and_serving_batch_are_in_no_fingerprint() -> None:
    run = a_run()
    elsewhere = dataclasses.replace(run.model, repository="/elsewhere", vllm_options={"max_num_seqs": 3})
    assert trained(dataclasses.replace(run, model=elsewhere)) == trained(run)
    moved = tuple(dataclasses.replace(part, files=(Path("/elsewhere"),)) for part in pools(run))
    assert train_fingerprint(run, moved) == trained(run)


def test_engine_and_scorer() -> None:
    run = a_run()
    test = SplitFiles(run.task.corpus, "fr", "test", (), "r")
    assert answers_fingerprint(run, "t", test, "vllm") != answers_fingerprint(run, "t", test, "transformers")


@pytest.mark.parametrize("name", IDENTIFYING)
def test_all_that_identifies_a_row_is_in_the_fingerprint_of_its_scores(name: str) -> None:
    """The strategy's name, the weights, the serving: two rows never share a fingerprint."""
    row = dict.fromkeys(IDENTIFYING, "one")
    found = {scores_fingerprint({**row, name: value}) for value in ("one", "other", None)}
    assert len(found) == 3


def test_own_transcripts_depend_on_the_weights_and_the_prompt_of_transcription_alone() -> None:
    run = a_run()
    test = SplitFiles(run.task.corpus, "fr", "test", (), "r")
    heard = transcripts_fingerprint(run, test, "vllm")
    assert transcripts_fingerprint(a_run("text-only", train_seed=3), test, "vllm") == heard
    told = dataclasses.replace(run.model.prompt, before="Listen.\n")
    asked = dataclasses.replace(run, model=dataclasses.replace(run.model, transcription=told))
    assert transcripts_fingerprint(asked, test, "vllm") != heard
    assert answers_fingerprint(asked, "t", test, "vllm") == answers_fingerprint(run, "t", test, "vllm")
    assert own_fingerprint("a", heard) != own_fingerprint("b", heard)


def test_tasks_that_share_answers_are_rows_of_their_own() -> None:
    one, other = (a_run("zero-shot", task=REGISTRY.task(name)) for name in ("massive-de", "massive-fr-to-de"))
    test = SplitFiles(one.task.corpus, "de", "test", (), "r")
    answered = {answers_fingerprint(run, train_fingerprint(run, ()), test, "vllm") for run in (one, other)}
    assert len(answered) == 1


def composes(pool: object, rng: object) -> int:
    return 2


def other(pool: object, rng: object) -> int:
    return 1


def test_strategies_that_compose_otherwise_are_trained_apart() -> None:
    stages = [(Stage(learns_from=SPEECH, compose=function),) for function in (composes, other)]
    named = [dataclasses.replace(a_run(), strategy=Strategy(name="mine", stages=stage)) for stage in stages]
    assert trained(named[0]) != trained(named[1])


def test_a_composed_strategy_of_one_pass_is_trained_again(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Strategy(name="mine", stages=(Stage(learns_from=SPEECH, compose=composes),))
    run = dataclasses.replace(a_run(), strategy=mine)
    before = trained(run)
    monkeypatch.setattr("slubench.pipeline.fingerprints.COMPOSE_VERSION", 1)
    assert trained(run) != before
    assert trained(a_run()) == PINNED["curriculum", "5%"]
