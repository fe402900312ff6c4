"""The probe on real models in bfloat16: an honest engine passes, one that drops a kind of module is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from slubench.domain.prompt import ClipRef
from slubench.models.tiny import TINY
from slubench.serve import transformers_engine
from slubench.serve.near_ties import with_near_ties
from slubench.serve.probe import QUESTIONS, ProbeError, choose, compare, judge
from slubench.serve.requests import Request, load
from slubench.serve.scored_reply import ALL, ScoredReply
from slubench.serve.transformers_engine import TransformersEngine
from tests.serve.serving_jobs import ServingJobs
from tests.serve.tiny_checkpoints import LANGUAGE_MODEL, adapt, sentence

KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "multi_modal_projector")


def without(adapter: Path, kind: str, folder: Path) -> Path:
    """A copy of an adapter whose modules of one kind do nothing."""
    out = Path(shutil.copytree(adapter, folder / f"without-{kind}"))
    tensors = load_file(out / "adapter_model.safetensors")
    if kind in ("multi_modal_projector", ALL):
        tensors = {name: tensor for name, tensor in tensors.items() if "multi_modal_projector" not in name}
        config = json.loads((out / "adapter_config.json").read_text("utf-8")) | {"modules_to_save": None}
        (out / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    for name, tensor in tensors.items():
        if "lora_B" in name and (kind == ALL or f".{kind}." in name):
            tensors[name] = torch.zeros_like(tensor)
    save_file(tensors, out / "adapter_model.safetensors", metadata={"format": "pt"})
    return out


def engine(jobs: ServingJobs, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> TransformersEngine:
    monkeypatch.setattr(transformers_engine, "place", lambda: ("cpu", dtype))
    return TransformersEngine(jobs.model, Path(jobs.model.repository), jobs.clips, batch=QUESTIONS)


def probed(served: Sequence[ScoredReply], expected: Sequence[ScoredReply], dtype: str) -> set[str]:
    """The kinds of modules that are told where the probe agrees."""
    found = judge("mine", [compare(*pair) for pair in zip(served, expected, strict=True)], dtype)
    assert found.outcome == "agrees"
    return set(found.told)


def check_every_kind(jobs: ServingJobs, adapter: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    questions = choose(load(jobs.questions))
    exact = engine(jobs, torch.float32, patch)
    coarse = engine(jobs, torch.bfloat16, patch)
    expected = {
        "bfloat16": coarse.score(str(adapter), questions, parts=True),
        "float32": exact.score(str(adapter), questions, parts=True),
    }
    # Another engine in the same format: other kernels round otherwise, here those of float32.
    told = {"bfloat16": probed(exact.score(str(adapter), questions), expected["bfloat16"], "bfloat16")}
    told["float32"] = probed(
        replace_batch(exact).score(str(adapter), questions), expected["float32"], "float32"
    )
    assert told["float32"] == {*KINDS, ALL}
    # Of random weights, which kinds do little more than rounding is left to chance; most do more.
    assert len(told["bfloat16"]) >= len(KINDS) - 2
    for kind in (*KINDS, ALL):
        served = exact.score(str(without(adapter, kind, folder)), questions)
        part = "the adapter of mine" if kind == ALL else f"the {kind} modules of the adapter of mine"
        with pytest.raises(ProbeError, match=f"vLLM ignores {part}"):
            probed(served, expected["float32"], "float32")
        if kind in told["bfloat16"]:
            with pytest.raises(ProbeError):
                probed(served, expected["bfloat16"], "bfloat16")


def replace_batch(one: TransformersEngine) -> TransformersEngine:
    one._batch = 1
    return one


def test_a_dropped_kind_of_module_is_named(
    jobs: ServingJobs, projector_adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check_every_kind(jobs, projector_adapter, tmp_path, monkeypatch)


@pytest.mark.slow
def test_a_dropped_kind_of_module_is_named_in_the_embedded_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = ServingJobs(tmp_path, replace(TINY, lora_modules=LANGUAGE_MODEL))
    jobs.write_questions(QUESTIONS)
    adapter = adapt(
        tmp_path / "adapter",
        Path(TINY.repository),
        strength=0.05,
        modules_to_save=["multi_modal_projector"],
    )
    check_every_kind(jobs, adapter, tmp_path, monkeypatch)


def test_the_adapter_is_whole_again_after_its_parts_were_switched_off(
    jobs: ServingJobs, projector_adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = engine(jobs, torch.float32, monkeypatch)
    questions = choose(load(jobs.questions))
    before = [reply for handful in asked.ask(str(projector_adapter), questions) for reply in handful]
    scored = asked.score(str(projector_adapter), questions, parts=True)
    after = [reply for handful in asked.ask(str(projector_adapter), questions) for reply in handful]
    assert after == before
    assert {one.reply.key: one.reply for one in scored} == {reply.key: reply for reply in before}
    # What was generated is what the forward pass over the whole reply holds best.
    for one in scored:
        assert [next(iter(place)) for place in one.best] == list(one.tokens)


def test_near_ties_are_told_where_two_tokens_are_as_good(
    jobs: ServingJobs, checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = engine(jobs, torch.float32, monkeypatch)
    (scored,) = asked.score("", [Request("u0", "text", (sentence(0),))])
    assert with_near_ties(asked.reader, scored, 0.0).ties == ()
    every = with_near_ties(asked.reader, scored, 1e9).ties
    assert len(every) == sum(len(place) - 1 for place in scored.best)
    gaps = sorted(
        top - known
        for place in scored.best
        for top in [max(place.values())]
        for known in place.values()
        if known < top
    )
    assert len(with_near_ties(asked.reader, scored, gaps[2]).ties) == 3
    for length, text, _ in every:
        assert not text or not scored.reply.reply[length:].startswith(text)


def test_a_reply_of_nothing_but_its_end_is_scored(jobs: ServingJobs, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = engine(jobs, torch.float32, monkeypatch)
    clip = ClipRef(load(jobs.questions)[0].clips[0])
    model = asked._with("")
    (end, *_) = asked.reader.stops
    scored = asked._scored(model, Request("u0", "speech", (clip,)), [end], parts=False)
    assert (scored.reply.reply, scored.tokens, len(scored.best)) == ("", (end,), 1)
    assert probed([scored], [scored], "bfloat16") == set()


def test_a_reply_that_says_the_placeholder_of_a_clip_is_scored_up_to_it(
    jobs: ServingJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = engine(jobs, torch.float32, monkeypatch)
    model = asked._with("")
    placeholder = model.config.audio_token_index
    clip = ClipRef(load(jobs.questions)[0].clips[0])
    tokens = [5, placeholder, 6, asked.reader.stops[0]]
    scored = asked._scored(model, Request("u0", "speech", (clip,)), tokens, parts=False)
    assert (scored.tokens, len(scored.best)) == (tuple(tokens), 2)
    assert compare(scored, scored).places == 2
