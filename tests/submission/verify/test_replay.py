"""Replays: safetensors weights that match the card, the recipe's config; what comes otherwise."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from slubench.pipeline.context import Context
from slubench.runtime.home import Home
from slubench.runtime.jobs import PredictJob
from slubench.serve.replies import Reply, explained
from slubench.submission.problems import Refusal
from slubench.submission.verify.case import Case, Proof
from slubench.submission.verify.replay import Replay, Replayed, _compare, _Ready, judge
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


def replayed(case: Case, folder: Path, dtype: str, change: Mapping[int, Mapping[str, Any]]) -> Replayed:
    """A case of which these replies, by place, come otherwise."""
    assert case.claim is not None
    assert case.planned is not None
    rows = [{**row, "tokens": 1, "finish": "stop"} for row in case.claim.replies]
    for row in rows:
        del row["reply_tokens"]
    rows = [{**row, **change.get(place, {})} for place, row in enumerate(rows)]
    (folder / "replies.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    asked = frozenset((row["utterance"], row["input"]) for row in rows)
    ready = _Ready(case, case.planned.run, folder, "", "transformers", "auto", dtype, asked)
    return _compare(ready, dtype)


TIE: Mapping[str, Any] = {"reply": "otherwise", "ties": [[0, "{", False], [0, "no", False]]}
"""Whichever way the reply handed in begins, that is as good as the one that came."""
ROW: Mapping[str, Any] = {"utterance": "u", "input": "text", "reply": "handed in"}
OTHER: Mapping[str, Any] = {"reply": "otherwise"}


@pytest.mark.parametrize(
    ("dtype", "ties", "others", "holds"),
    [
        ("float32", 0, 0, True),
        ("float32", 0, 1, True),
        ("float32", 0, 2, False),
        ("float32", 4, 0, False),
        ("bfloat16", 3, 0, True),
        ("bfloat16", 0, 2, False),
        ("bfloat16", 16, 0, False),
    ],
)
def test_how_many_replies_may_come_otherwise(
    dtype: str, ties: int, others: int, holds: bool, one: Path, held: Verify, tmp_path: Path
) -> None:
    case = held(one).cases[0]
    assert case.claim is not None
    objects = list(range(len(case.claim.replies)))
    change = dict.fromkeys(objects[:ties], TIE)
    change |= dict.fromkeys(objects[ties : ties + others], OTHER)
    assert (judge([replayed(case, tmp_path, dtype, change)]) == [case]) is holds
    if holds:
        assert not case.findings
        told = f"{ties + others} of them came otherwise, as {dtype} may round"
        assert (told in case.notes) is bool(ties + others)
    else:
        assert all("the adapter gives 'otherwise'" in found.message for found in case.findings.found)
        assert len(case.findings.found) == (ties or others)


def test_one_false_adapter_among_many_true_ones_is_found(one: Path, held: Verify, tmp_path: Path) -> None:
    case = held(one).cases[0]
    true = replace(replayed(case, tmp_path, "bfloat16", {}), count=1000)
    other = held(one).cases[0]
    false = replayed(other, tmp_path, "bfloat16", dict.fromkeys(range(4), OTHER))
    assert judge([true] * 12 + [false]) == [case] * 12
    assert len(other.findings.found) == 4


def test_replies_that_rounding_turns_are_counted_over_all_cells(
    one: Path, held: Verify, tmp_path: Path
) -> None:
    """One cell may hold more of them than another, where all together hold few."""
    cases = [held(one).cases[0] for _ in range(2)]
    turned: tuple[int, Mapping[str, Any], Reply] = (1, ROW, Reply("u", "text", "", 1, "stop"))
    ones = [
        replace(replayed(case, tmp_path, "bfloat16", {}), count=64, otherwise=[turned] * number)
        for case, number in zip(cases, (45, 0), strict=True)
    ]
    assert judge(ones) == cases
    assert judge(ones[:1]) == []


@pytest.mark.parametrize(
    ("claimed", "text", "ties", "holds"),
    [
        ('{"a": 1}', '{"b": 1}', [(2, "a", False)], True),
        ('{"c": 1}', '{"b": 1}', [(2, "a", False)], False),
        ('{"b": 1', '{"b": 1}', [(7, "", True)], True),
        ('{"b": 1 and more', '{"b": 1}', [(7, "", True)], False),
        ("", "words", [(0, "", True)], True),
        ("", "words", [(0, "W", False)], False),
        ("f\u00fcr", "fur", [(1, "", False)], True),  # the first byte of a letter alone spells nothing yet
    ],
)
def test_a_reply_may_part_from_another_where_two_tokens_are_as_good(
    claimed: str, text: str, ties: list[tuple[int, str, bool]], holds: bool
) -> None:
    assert explained(claimed, Reply("u", "text", text, 3, "stop", ties=tuple(ties))) is holds


Lines: TypeAlias = Callable[[Mapping[str, Any]], Iterable[Mapping[str, Any]]]


class ServingProcess:
    """In place of the serving process: replies to what is asked as the bundle says."""

    def __init__(self, case: Case, patch: pytest.MonkeyPatch, lines: Lines = lambda line: [line]) -> None:
        assert case.claim is not None
        self.said = {(one["utterance"], one["input"]): one["reply"] for one in case.claim.replies}
        self.lines = lines
        self.jobs: list[PredictJob] = []
        patch.setattr("slubench.submission.verify.replay.run_module", self)
        installed = {"vllm": None, "transformers": None}
        patch.setattr("slubench.runtime.engines.available", lambda: installed)

    def __call__(self, module: str, path: Path) -> None:
        job = PredictJob.load(path)
        self.jobs.append(job)
        Path(job.report).write_text('{"dtype": "float32"}', "utf-8")
        (asking,) = job.askings
        with Path(asking.replies).open("w", encoding="utf-8") as file:
            for asked in pq.read_table(asking.questions, columns=["utterance", "input"]).to_pylist():
                reply = self.said[asked["utterance"], asked["input"]]
                for line in self.lines({**asked, "reply": reply, "tokens": 1, "finish": "stop"}):
                    file.write(json.dumps(line) + "\n")


@pytest.mark.parametrize(
    ("engine", "serving", "wanted"),
    [("vllm 0.32.0", "live", "live"), ("vllm 0.32.0", "merged", "merged"), ("vllm 0.32.0", "native", "auto"),
     ("transformers 5.17.0", "live", "auto")],
)  # fmt: skip
def test_an_adapter_is_replayed_as_its_row_says_that_it_was_served(
    engine: str, serving: str, wanted: str, bundle: Path, held: Verify, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    case = the_case(held(bundle), "curriculum")
    assert case.claim is not None
    row = {**case.claim.row, "engine": engine, "serving": serving, "dtype": "bfloat16"}
    case.claim = replace(case.claim, row=row)
    process = ServingProcess(case, monkeypatch)
    replay = Replay(2, held.context, Home(tmp_path / "scratch"))
    assert replay([case]) == [case]
    (job,) = process.jobs
    assert f"4 replies were replayed with {job.engine}" in case.notes
    assert (job.engine, job.serving, job.ties) == (engine.partition(" ")[0], wanted, "bfloat16")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (lambda line: [], "0 of 4 requests were given a reply"),
        (lambda line: [line] if line["input"] == "text" else [], "2 of 4 requests were given a reply"),
        (lambda line: [{**line, "utterance": f"another {line['utterance']}"}], "0 of 4 requests were given"),
        (lambda line: [{**line, "reply": "no"}], "the adapter gives 'no'"),
    ],
)
def test_only_what_is_given_again_is_replayed(
    lines: Lines, message: str, bundle: Path, held: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = the_case(held(bundle), "curriculum")
    ServingProcess(case, monkeypatch, lines)
    assert Replay(2, held.context, Home(tmp_path / "scratch"), "transformers")([case]) == []
    assert any(message in line for line in case.findings.told()), case.findings.told()


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
    assert "the adapter gives" in ran.stderr
    assert "the predictions give" not in ran.stderr
    assert published(checkout) == there
