"""Replays: safetensors weights that match the card, the recipe's config; what comes otherwise."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from safetensors.numpy import save_file

from slubench.pipeline.context import Context
from slubench.runtime.home import Home
from slubench.submission.problems import Refusal
from slubench.submission.verify.case import Case, Proof
from slubench.submission.verify.replay import Replay, _compare, _Ready
from slubench.submission.verify.verify import Verification, verify
from slubench.submission.verify.weights import lay_weights
from tests.command import slubench
from tests.massive_mirror import make_mirror
from tests.submission.conftest import Verify
from tests.submission.made_bundles import change_json, change_rows, published, set_all, sign, the


def the_case(verification: Verification, strategy: str) -> Case:
    return next(case for case in verification.cases if f"--{strategy}--" in case.name)


def taken(case: Case, folder: Path, context: Context, adapters: Path | None = None) -> str:
    assert case.planned is not None
    return lay_weights(case, case.planned.run, folder, adapters, context)


def test_the_config_is_the_recipes_and_not_the_bundles(bundle: Path, held: Verify, tmp_path: Path) -> None:
    verification = held(bundle)
    case = the_case(verification, "curriculum")
    folder = Path(taken(case, tmp_path / "adapter", held.context))
    config = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    recipe = held.context.registry.model("tiny").recipe("lora-lm")
    assert (config["r"], config["lora_alpha"], config["modules_to_save"]) == (recipe.rank, recipe.alpha, None)
    assert sorted(path.name for path in folder.iterdir()) == [
        "adapter_config.json",
        "adapter_model.safetensors",
    ]
    assert taken(the_case(verification, "zero-shot"), tmp_path / "none", held.context) == ""


def _pickled(path: Path) -> None:
    path.write_bytes(pickle.dumps({"zeros": [0.0]}))


def _others(path: Path) -> None:
    save_file({"zeros": np.ones(4, np.float32)}, path)


def test_other_weights_are_refused(bundle: Path, held: Verify, tmp_path: Path) -> None:
    (weights,) = bundle.glob("adapters/*curriculum*/*.safetensors")
    case = the_case(held(bundle), "curriculum")
    _others(weights)
    with pytest.raises(Refusal, match="the card has"):
        taken(case, tmp_path / "others", held.context)
    weights.unlink()
    weights.symlink_to("/dev/zero")
    with pytest.raises(Refusal, match="cannot be opened as a regular file"):
        taken(case, tmp_path / "link", held.context)


def test_a_pickle_that_calls_itself_safetensors(bundle: Path, held: Verify, tmp_path: Path) -> None:
    import hashlib

    (weights,) = bundle.glob("adapters/*curriculum*/*.safetensors")
    _pickled(weights)
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    card = the(bundle, "curriculum") / "card.json"
    change_json(card, lambda told: told.update(sha256={weights.name: digest}))
    sign(bundle)
    case = the_case(held(bundle), "curriculum")
    with pytest.raises(Refusal, match="is not a safetensors file"):
        taken(case, tmp_path / "a", held.context)
    change_json(card, lambda told: told.update(sha256={"adapter_model.bin": digest}))
    sign(bundle)
    told = held(bundle).findings.told()
    assert any("sha256 has the key 'adapter_model.bin'" in line for line in told), told


def test_weights_that_lie_elsewhere(one: Path, held: Verify, scored_home: Path, tmp_path: Path) -> None:
    case = the_case(held(one), "curriculum")
    with pytest.raises(Refusal, match="--with-adapters"):
        taken(case, tmp_path / "a", held.context)
    folder = Path(taken(case, tmp_path / "b", held.context, scored_home / "adapters_registry"))
    assert (folder / "adapter_model.safetensors").is_file()


@pytest.mark.parametrize(("unlike", "holds"), [(0, True), (1, True), (2, False)])
def test_how_many_replies_may_come_otherwise(
    unlike: int, holds: bool, one: Path, held: Verify, tmp_path: Path
) -> None:
    case = held(one).cases[0]
    assert case.claim is not None
    rows = list(case.claim.replies)
    replies = [
        {**row, "reply": "otherwise" if number < unlike else row["reply"], "tokens": 1}
        for number, row in enumerate(rows)
    ]
    # Twenty replies: one of them is the twentieth part that rounding may turn.
    again = [{**row, "utterance": f"more-{number}"} for number, row in enumerate(replies[:4])]
    text = "\n".join(json.dumps(row) for row in replies + again)
    (tmp_path / "replies.jsonl").write_text(text, "utf-8")
    assert _compare(_Ready(case, cast("object", None), tmp_path, "", "transformers")) is holds  # type: ignore[arg-type]
    if not holds:
        (first, _) = case.findings.found
        assert first.row == 1
        assert "the adapter gives 'otherwise'" in first.message


def test_without_weights_nothing_is_replayed(one: Path, held: Verify, tmp_path: Path) -> None:
    replay = Proof("replayed", "rescored", Replay(2, held.context, Home(tmp_path / "scratch")))
    verification = verify(one, held.context, Home(tmp_path / "scratch"), [replay])
    assert verification.tier is None
    assert "are not in the bundle" in verification.findings.told()[0]


@pytest.mark.slow
def test_from_a_run_to_a_replayed_row(tmp_path: Path) -> None:
    """Trained, handed in, replayed, merged; a reply that the adapter never gave is found."""
    mirror = make_mirror(tmp_path / "mirror")
    checkout, bundle = tmp_path / "checkout", tmp_path / "bundle"
    checkout.mkdir()
    (checkout / "pyproject.toml").write_text('[project]\nname = "slubench"\n', "utf-8")
    corpora = ("--corpora", mirror)
    options = ("--edition", "full", *corpora, "--model", "tiny", "--engine", "transformers")
    run = ("run", "--task", "massive-de", *options, "--home", tmp_path / "home")
    slubench(*run, "--strategy", "curriculum", "--speech", "50%", "--inputs", "speech,text,asr")
    slubench(*run, "--strategy", "zero-shot")
    handed = ("--to", bundle, "--home", tmp_path / "home", *corpora, "--with-adapters")
    slubench("submit", "curriculum", "zero-shot", *handed)
    verify_it = ("verify", bundle, "--home", checkout, *corpora, "--replay", "8", "--json")
    told = json.loads(slubench(*verify_it, "--publish").stdout)
    assert told["tier"] == "replayed"
    assert "replayed" in slubench("leaderboard", "show", "--home", checkout, "--task", "massive-de").stdout
    there = published(checkout)
    rows = the(bundle, "zero-shot") / "replies.parquet"
    change_rows(rows, set_all(reply="made up"))
    sign(bundle)
    ran = slubench(*verify_it, "--publish", code=3)
    # Unparsed either way, so that its scores may follow; only asking again tells.
    assert "the adapter gives" in ran.stderr or "the predictions give" in ran.stderr
    assert published(checkout) == there
