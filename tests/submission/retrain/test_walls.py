"""What retraining hides: the embedded corpus, this home, the test, the environment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from slubench.data.editions import MINI_CORPUS
from slubench.domain.run import Run
from slubench.errors import SlubenchError, UsageError
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan
from slubench.runtime.home import Home
from slubench.runtime.sandbox import SandboxError
from slubench.submission.retrain import retrain as module
from slubench.submission.retrain.proof import Retrained
from slubench.submission.retrain.retrain import retrain
from slubench.submission.retrain.sandbox_folder import out_of_bounds
from tests.massive_mirror import make_mirror, tone
from tests.submission.made_bundles import a_run
from tests.submission.retrain.conftest import read

LOOKS = '''
"""Looks for what it may not see while it composes."""

import pathlib

from slubench import TEXT, Example, Stage, Strategy


def own(pool, rng):
    seen = [name for name in NAMES if pathlib.Path(name).is_file() or any(pathlib.Path(name).rglob("*"))]
    environment = pathlib.Path("/proc/self/environ").read_text()
    raise ValueError(f"seen {seen} {[name for name in NAMED if name in environment]}")
    yield


OWN = Strategy(name="own", stages=(Stage(learns_from=TEXT, compose=own),))
'''


def looking(names: list[str]) -> str:
    return LOOKS.replace("NAMES", repr(names)).replace("NAMED", "['SLUBENCH_TEST_SECRET', 'HF_TOKEN']")


@pytest.mark.sandbox
def test_a_retraining_sees_neither_corpus_nor_home_nor_environment(
    context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of these is there outside."""
    monkeypatch.setenv("SLUBENCH_TEST_SECRET", "s")
    monkeypatch.setenv("HF_TOKEN", "s")
    planned = plan(a_run(context, context.registry.strategy("text-only")), context)
    names = [str(MINI_CORPUS), str(context.home.root), *map(str, planned.test.files)]
    context.home.runs.mkdir(parents=True, exist_ok=True)
    (context.home.runs / "kept").write_text("a run")
    text = looking(names)
    with pytest.raises(SandboxError) as failed:
        retrain(a_run(context, read(text), "0"), text, context, folder)
    assert "ValueError: seen [] []" in str(failed.value)


def test_what_is_hidden_is_all_that_a_retraining_may_not_see(context: Context) -> None:
    planned = plan(a_run(context, context.registry.strategy("text-only"), "0"), context)
    hidden = out_of_bounds(planned, context.home)
    home = context.home
    for path in (MINI_CORPUS, home.runs, home.adapters, home.root / "leaderboard", home.root / "cache"):
        assert path in hidden
    assert set(planned.test.files) <= set(hidden)


@pytest.mark.sandbox
def test_each_sandbox_hides_it(context: Context, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The walls of composing and of training alike, as they are built."""
    walls: list[Any] = []

    def built(name: str, job: Path, wall: Any, room: Any, seconds: float) -> Any:
        walls.append(wall)
        if name.endswith("compose_process"):
            return original(name, job, wall, room, seconds)
        raise SandboxError("enough")

    original = module._run
    monkeypatch.setattr(module, "_run", built)
    with pytest.raises(SandboxError, match="enough"):
        retrain(a_run(context, context.registry.strategy("text-only"), "0"), TEXT_ONLY, context, folder)
    assert len(walls) == 2
    for wall in walls:
        assert {MINI_CORPUS, context.home.runs, context.home.adapters} <= set(wall.hidden)


TEXT_ONLY = '''
"""Read only."""

from slubench import TEXT, Stage, Strategy

TEXT_ONLY = Strategy(name="text-only", stages=(Stage(learns_from=TEXT),))
'''


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_of_the_bundle_is_no_proof(seed: int, context: Context, home: Path) -> None:
    row = {"task": "massive-de", "strategy": "own", "speech": "5%", "target": "none"}
    cases: Any = [SimpleNamespace(claim=SimpleNamespace(row={**row, "data_seed": 3, "train_seed": 4}))]
    with pytest.raises(UsageError, match=f"--seed {seed} occurs in the bundle"):
        Retrained("massive-de/own/5%", seed, context, Home(home))(cases)


@pytest.mark.parametrize("leak", ["id", "recording"])
@pytest.mark.sandbox
def test_a_corpus_that_leaks_the_test_is_not_retrained(leak: str, context: Context, tmp_path: Path) -> None:
    shared = {10_003: 5} if leak == "recording" else {}
    mirror = make_mirror(tmp_path / "mirror", audio=lambda n: tone(pitch=200.0 + shared.get(n, n)))
    if leak == "id":
        leak_ids(mirror)
    run: Run = a_run(context, context.registry.strategy("text-only"), "0")
    leaking = replace(context, corpora=mirror, sources={})
    with pytest.raises(SlubenchError, match=r"test ids are in|test recordings are also in"):
        retrain(run, TEXT_ONLY, leaking, tmp_path / "retraining")
    assert not (tmp_path / "retraining" / "room").exists()


def leak_ids(mirror: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (path,) = mirror.rglob("train-*.parquet")
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["id"] = "10001"
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
