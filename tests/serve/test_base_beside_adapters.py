"""The base asked beside adapters answers as the base; vLLM is asked greedily, with the cap and the stops."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from slubench.data.clips import ClipStore
from slubench.domain.prompt import ClipRef
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.serve import by_vllm, replies
from slubench.serve.engine import Reader
from slubench.serve.progress import Reporter
from slubench.serve.read_adapter import AdapterFiles
from slubench.serve.replies import Reply
from slubench.serve.report import ServeReport
from slubench.serve.requests import Request
from slubench.serve.serving_mode import LIVE, Load
from slubench.serve.vllm_engine import Size, VllmEngine
from slubench.serve.work import LoadedJob, RemainingRequests
from tests.serve.tiny_checkpoints import declare

QUESTIONS = tuple(Request(f"u{at}", asked, ("words",)) for asked in ("speech", "text") for at in range(12))


def said(adapter: str, question: Request) -> Reply:
    return Reply(
        question.utterance, question.input, f"{Path(adapter).name or 'base'} {question.key}", 3, "stop"
    )


class Plain:
    """transformers: each adapter's own answers, in whatever order."""

    def __init__(self, *given: Any, **named: Any) -> None:
        pass

    def ask(self, adapter: str, questions: Sequence[Request]) -> Iterator[list[Reply]]:
        yield [said(adapter, question) for question in questions]

    def close(self) -> None:
        pass


class Sticky(Plain):
    """vLLM on a CPU: what is asked of the base after an adapter is answered by that adapter."""

    def __init__(self) -> None:
        self.last = ""

    def ask(self, adapter: str, questions: Sequence[Request]) -> Iterator[list[Reply]]:
        self.last = adapter or self.last
        yield [said(self.last, question) for question in questions]


def asking(folder: Path, name: str) -> AdapterRequests:
    adapter = "" if name == "base" else str(folder / name)
    return AdapterRequests(name, adapter, str(folder / "q.parquet"), str(folder / f"{name}.jsonl"))


@pytest.mark.parametrize("order", [("base", "one", "two"), ("one", "base", "two"), ("two", "one", "base")])
def test_the_base_asked_beside_adapters_answers_as_the_base(
    order: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    askings = tuple(asking(tmp_path, name) for name in order)
    model = declare(tmp_path, stock=False)
    report = str(tmp_path / "report.json")
    place = str(tmp_path)
    job = PredictJob(
        model=model, engine="vllm", serving=LIVE, clips=place, folder=place, askings=askings, report=report
    )
    adapters = {one.adapter: AdapterFiles(Path(one.adapter), 8, (), True) for one in askings if one.adapter}
    left = {one: RemainingRequests(one, QUESTIONS, 0) for one in askings}
    clips = ClipStore(tmp_path, 16_000, 6.0)
    work = LoadedJob(job, tmp_path, clips, adapters, left, Reporter(io.StringIO()))
    monkeypatch.setattr(by_vllm, "TransformersEngine", Plain)
    monkeypatch.setattr(by_vllm, "_start", lambda *given: Sticky())
    monkeypatch.setattr(by_vllm, "place", lambda: ("cpu", None))
    monkeypatch.setattr(by_vllm, "described", lambda: {"device": "cpu", "dtype": "float32"})
    monkeypatch.setattr(ServeReport, "save", lambda self, path: None)
    found = by_vllm.run(work, Load(LIVE, "asked for", askings))
    assert [one.name for one in found.askings] == list(order)
    for one in askings:
        kept = {reply.key: reply for reply in replies.load(Path(one.replies))}
        assert kept == {question.key: said(one.adapter, question) for question in QUESTIONS}
        told = next(report for report in found.askings if report.name == one.name)
        assert (told.asked, told.kept, told.tokens) == (24, 0, 72)


class Model:
    """What vLLM's LLM is given, and what it is asked."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.asked: list[tuple[list[Any], Any, Any]] = []

    def generate(self, inputs: list[Any], sampling: Any, lora_request: Any, use_tqdm: bool) -> list[Any]:
        self.asked.append((inputs, sampling, lora_request))
        return [
            SimpleNamespace(outputs=[SimpleNamespace(token_ids=[len(one["prompt"]), 9])]) for one in inputs
        ]


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vLLM of these names and nothing else."""
    modules: Mapping[str, dict[str, Any]] = {
        "vllm": {"LLM": Model, "SamplingParams": lambda **given: given},
        "vllm.lora": {},
        "vllm.lora.request": {"LoRARequest": lambda *given: given},
    }
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


class Words:
    """A reader whose replies are the tokens themselves."""

    stops = (7, 9)
    family = SimpleNamespace(vllm=SimpleNamespace(
        architecture="another", make_input=lambda prompt, sounds, rate: {"prompt": prompt}
    ))  # fmt: skip

    def __init__(self, model: Any) -> None:
        self.model = model

    def sounds(self, question: Request) -> list[Any]:
        return []

    def reply(self, question: Request, tokens: list[int]) -> Reply:
        return Reply(question.utterance, question.input, str(tokens), len(tokens), "stop")


def test_vllm_is_asked_greedily_and_the_base_without_any_adapter(
    vllm: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slubench.serve.vllm_engine.free_share", lambda: 0.5)
    model = declare(tmp_path, stock=False, architecture="SomeLoRA")
    adapters = {
        name: AdapterFiles(tmp_path / name, rank, (), True) for name, rank in (("one", 8), ("two", 12))
    }
    engine = VllmEngine(cast(Any, Words(model)), tmp_path, adapters, Size(640, 1), "cuda")
    inner = cast(Model, engine._llm)
    options = inner.options
    assert (options["generation_config"], options["max_model_len"], options["dtype"]) == (
        "vllm", 640, "bfloat16",
    )  # fmt: skip
    assert (options["enable_lora"], options["max_loras"], options["max_cpu_loras"]) == (True, 1, 2)
    assert options["max_lora_rank"] == 16  # the least that vLLM takes for a rank of 12
    assert options["hf_overrides"] == {"architectures": ["SomeLoRA"]}
    asked = [Request(f"u{at}", "text", ("x" * at,)) for at in range(3)]
    for adapter in ("one", "", "two", ""):
        (found,) = engine.ask(adapter, asked)
        # Each reply goes to its own question.
        assert [reply.reply for reply in found] == [f"[{len(one.prompt(model))}, 9]" for one in asked]
    requests = [request for _, _, request in inner.asked]
    one, two = ((f"adapter-{n}", n, str((tmp_path / name).resolve())) for n, name in ((1, "one"), (2, "two")))
    assert requests == [one, None, two, None]
    for _, sampling, _ in inner.asked:
        assert sampling == {
            "temperature": 0.0,
            "repetition_penalty": 1.0,
            "max_tokens": model.reply_tokens,
            "stop_token_ids": [7, 9],
            "detokenize": False,
        }


class Tokens:
    """A processor whose tokenizer joins numbers."""

    tokenizer = SimpleNamespace(decode=lambda ids, **options: " ".join(map(str, ids)))


def test_a_reply_ends_with_its_first_closing_token_and_the_cap_is_told(tmp_path: Path) -> None:
    reader = Reader(declare(tmp_path, stock=False), Tokens(), ClipStore(tmp_path, 16_000, 6.0), (7, 9))
    question = Request("u", "speech", (ClipRef("k"),))
    ended, capped, empty = (reader.reply(question, ids) for ids in ([1, 2, 9, 3, 7], [1, 2, 3], [7]))
    assert (ended.reply, ended.tokens, ended.finish) == ("1 2 9", 3, "stop")
    assert (capped.reply, capped.tokens, capped.finish) == ("1 2 3", 3, "length")
    assert (empty.tokens, empty.finish) == (1, "stop")


def test_a_very_short_clip_is_filled_with_silence_and_no_other(tmp_path: Path) -> None:
    sounds = {"short": np.ones(100, np.float32), "long": np.ones(4_000, np.float32)}
    clips = cast(ClipStore, SimpleNamespace(load=lambda key: sounds[key]))
    reader = Reader(declare(tmp_path, stock=False), Tokens(), clips, (7,))
    short, long = reader.sounds(Request("u", "speech", (ClipRef("short"), ClipRef("long"))))
    assert (len(short), float(short[:100].sum()), float(abs(short[100:]).sum())) == (1_600, 100.0, 0.0)
    assert len(long) == 4_000
