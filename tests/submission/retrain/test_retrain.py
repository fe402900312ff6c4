"""A cell of a bundle is trained again behind walls, asked and scored outside, and compared."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from slubench.data.editions import MINI_CORPUS
from slubench.errors import DataError, MissingError, UsageError, VerificationError
from slubench.metrics.statistics import prediction_interval
from slubench.pipeline.context import Context
from slubench.runtime.home import REPLICATES, Home, beside
from slubench.submission.bundle.pack import submit
from slubench.submission.problems import Refusal
from slubench.submission.retrain.interval import (
    Reproduction,
    ScoreInterval,
    compare,
)
from slubench.submission.retrain.retrain import retrain
from slubench.submission.retrain.take_back import take_adapter
from tests.command import slubench
from tests.massive_mirror import make_mirror
from tests.submission.made_bundles import a_context, a_run, pretend
from tests.submission.retrain.conftest import read

LOSS = '''
"""Reads by a loss of its own, and looks round while it trains."""

import pathlib

from slubench import TEXT, Stage, Strategy


def loss(model, batch):
    for name in NAMES:
        if any(pathlib.Path(name).rglob("*.parquet")):
            raise ValueError(name)
    return model(**{name: batch[name] for name in ("inputs_embeds", "attention_mask", "labels")}).loss


OWN = Strategy(name="own", stages=(Stage(learns_from=TEXT, objective=loss),))
'''


@pytest.fixture(scope="session")
def seeds(tmp_path_factory: pytest.TempPathFactory, mirror: Path) -> Context:
    """A home in which five seeds of curriculum and three of text-only are scored; hardly a reply is right."""
    context = a_context(tmp_path_factory.mktemp("seeds"), mirror)
    for seed in range(5):
        pretend(context, "curriculum", seed=seed, wrong=0.9)
    for seed in range(3):
        pretend(context, "text-only", speech="0", seed=seed, wrong=0.0)
    return context


def scores(context: Context, strategy: str) -> list[Path]:
    return sorted(context.home.scores.glob(f"massive-de--{strategy}--*.parquet"))


def test_a_score_is_held_against_the_interval_of_one_more_seed(seeds: Context) -> None:
    curriculum, text_only = scores(seeds, "curriculum"), scores(seeds, "text-only")
    values = [_value(path) for path in curriculum]
    found = compare(curriculum[0], curriculum[1:])
    assert found.score == pytest.approx(values[0])
    assert found.mean == pytest.approx(np.mean(values[1:]))
    assert found.seeds == 4
    assert 0 <= found.interval.low < found.mean < found.interval.high <= 1
    assert compare(text_only[0], curriculum).holds is False
    assert compare(text_only[0], text_only[1:] * 2).holds


def test_a_comparison_says_in_words_where_the_score_lies() -> None:
    told = Reproduction(0.612, 0.6, ScoreInterval(0.55, 0.65), 5)
    assert str(told) == "SLU-F1 61.2, in [55.0, 65.0], the 95 % interval of one more seed by 5 seeds"
    told = Reproduction(0.66, 0.6, ScoreInterval(0.55, 0.65), 5)
    assert not told.holds
    assert str(told).startswith("SLU-F1 66.0, outside [55.0, 65.0]")


def test_seeds_that_differ_by_too_much_lift_nothing() -> None:
    # Replies right, wrong, right, wrong, right: whatever is trained again lies in their interval.
    interval = ScoreInterval(*prediction_interval(np.array([1.0, 0.0, 1.0, 0.0, 1.0])))
    assert interval == (0.0, 1.0)
    told = Reproduction(0.0, 0.6, interval, 5)
    assert not told.holds
    assert "wider than 20 points" in str(told)


def test_a_total_interval_that_is_too_wide_lifts_nothing() -> None:
    narrow, wide = ScoreInterval(0.55, 0.65), ScoreInterval(0.35, 0.85)
    told = Reproduction(0.6, 0.6, narrow, 5, wide)
    assert not told.holds
    assert "the total interval is [35.0, 85.0], wider than 40 points" in str(told)
    assert Reproduction(0.6, 0.6, narrow, 5, ScoreInterval(0.5, 0.7)).holds


def test_the_verifiers_seed_is_among_those_of_the_total_interval(seeds: Context) -> None:
    curriculum, text_only = scores(seeds, "curriculum"), scores(seeds, "text-only")
    alike = compare(curriculum[0], curriculum[1:])
    other = compare(text_only[0], curriculum[1:])
    assert alike.interval == other.interval
    assert alike.total is not None
    assert other.total is not None
    assert other.total.high - other.total.low > alike.total.high - alike.total.low
    for found in (alike.total, other.total, alike.interval):
        assert 0 <= found.low <= found.high <= 1


@pytest.mark.parametrize("test", [1, 8])
def test_seeds_that_agree_on_a_tiny_test_prove_nothing(test: int, tmp_path: Path) -> None:
    context = a_context(tmp_path / "home", make_mirror(tmp_path / "mirror", test=test))
    own, *others = (pretend(context, "text-only", "0", seed, wrong=0.0) for seed in range(4))
    found = compare(own, others)
    assert found.score in found.interval
    assert not found.holds
    assert found.too_wide


def test_too_few_seeds_or_no_replicates_prove_nothing(seeds: Context, tmp_path: Path) -> None:
    paths = scores(seeds, "curriculum")
    with pytest.raises(UsageError, match="needs 3 seeds of the cell; the bundle has 2"):
        compare(paths[0], paths[1:3])
    copy = tmp_path / paths[0].name
    copy.write_bytes(paths[0].read_bytes())
    assert not beside(copy, REPLICATES).exists()
    with pytest.raises(DataError, match="has no replicates of slu_f1"):
        compare(copy, paths[1:])


def _value(path: Path) -> float:
    rows = pq.read_table(path).to_pylist()
    wanted = {"metric": "slu_f1", "input": "speech", "slice_by": "all", "normalised": True}
    (value,) = [row["value"] for row in rows if wanted.items() <= row.items()]
    return float(value)


@pytest.fixture(scope="session")
def bundle(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Curriculum claims what an untrained model gives, no reply right; text-only that all are."""
    context = a_context(tmp_path_factory.mktemp("agreeing"), mirror)
    for seed in range(5):
        pretend(context, "curriculum", seed=seed, wrong=1.0)
    for seed in range(3):
        pretend(context, "text-only", speech="0", seed=seed, wrong=0.0)
    out = tmp_path_factory.mktemp("bundle") / "bundle"
    submit(["massive-de/curriculum", "massive-de/text-only"], out, context)
    return out


VERIFY = ("--seed", "11", "--engine", "transformers")


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_cell_is_retrained_from_the_command(bundle: Path, mirror: Path, home: Path) -> None:
    options = (*VERIFY, "--home", home, "--corpora", mirror)
    cell = "massive-de/curriculum/50%"
    ran = slubench("verify", bundle, "--retrain", cell, *options, "--json")
    told = json.loads(ran.stdout)
    tiers = {run["strategy"]: run["tier"] for run in told["runs"]}
    assert tiers == {"curriculum": "retrained", "text-only": "rescored"}
    assert f"{cell} retrained with seed 11: SLU-F1 0.0, in [" in ran.stderr
    assert "curriculum--50pct" in ran.stderr
    assert not (home / "runs").exists()


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_score_outside_the_interval_is_found_and_nothing_is_granted(
    bundle: Path, mirror: Path, home: Path
) -> None:
    options = (*VERIFY, "--home", home, "--corpora", mirror)
    ran = slubench("verify", bundle, "--retrain", "massive-de/text-only/0", *options, code=3)
    assert "massive-de/text-only/0 retrained with seed 11: SLU-F1" in ran.stderr
    assert "SLU-F1 0.0, outside [" in ran.stderr
    assert "100.0], the 95 % interval of one more seed by 3 seeds" in ran.stderr
    assert "no tier is granted" in ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--retrain", "massive-de/curiculum/50%", "--seed", "9"), "Did you mean massive-de/curriculum/50%"),
        (("--retrain", "massive-de/curriculum/50%", "--seed", "3"), "--seed 3 occurs in the bundle"),
        (("--retrain", "massive-de/curriculum/50%"), "add --seed S"),
        (("--seed", "9"), "add --retrain TASK"),
    ],
)
def test_what_can_not_be_retrained(
    options: tuple[str, ...], message: str, bundle: Path, mirror: Path, home: Path
) -> None:
    ran = slubench("verify", bundle, *options, "--home", home, "--corpora", mirror, code=2)
    assert message in ran.stderr


@pytest.mark.slow
@pytest.mark.sandbox
def test_a_loss_of_its_own_trains_behind_walls(
    context: Context, folder: Path, mirror: Path, tmp_path: Path
) -> None:
    places = [str(mirror), str(context.home.root), str(MINI_CORPUS)]
    text = LOSS.replace("NAMES", repr(places))
    path = retrain(a_run(context, read(text), "0"), text, context, folder)
    row = pq.read_table(path).to_pylist()[0]
    assert (row["strategy"], row["train_seed"], row["updates"]) == ("own", 7, 5)
    (card,) = (folder / "outcome" / "adapters_registry").glob("*.json")
    assert json.loads(card.read_text("utf-8"))["ledger"]["text_exposures"] == {"de": 80}


def test_without_a_sandbox_nothing_is_retrained(
    context: Context, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    strategy = context.registry.strategy("text-only")
    with pytest.raises(MissingError, match="needs bubblewrap"):
        retrain(a_run(context, strategy, "0"), "raise SystemExit", context, folder)
    assert not folder.exists()


def test_what_the_training_left_is_taken_as_a_strangers(context: Context, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    run = a_run(context, context.registry.strategy("text-only"), "0")
    made = tmp_path / "made"
    made.mkdir()
    (made / "adapter_model.bin").write_bytes(b"\x80\x04")
    with pytest.raises(VerificationError, match="left no weights in safetensors"):
        take_adapter(made, tmp_path / "1", run, context.digests)
    weights = made / "adapter_model.safetensors"
    weights.symlink_to("/etc/passwd")
    with pytest.raises(Refusal, match="cannot be opened as a regular file"):
        take_adapter(made, tmp_path / "2", run, context.digests)
    weights.unlink()
    weights.write_bytes(b"no tensors")
    (made / "training.json").write_text("{}")
    with pytest.raises(VerificationError, match="not a safetensors file"):
        take_adapter(made, tmp_path / "3", run, context.digests)
    save_file({"zeros": np.zeros(4, np.float32)}, weights)
    (made / "adapter_config.json").write_text('{"auto_mapping": {"parent_library": "os"}}')
    take_adapter(made, tmp_path / "4", run, context.digests)
    assert sorted(path.name for path in (tmp_path / "4").iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "training.json",
    ]
    config = json.loads((tmp_path / "4" / "adapter_config.json").read_text("utf-8"))
    assert config["target_modules"] == run.model.lora_modules
    assert "auto_mapping" not in config
    assert Home(tmp_path).runs.exists() is False
