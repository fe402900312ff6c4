"""Replies of vLLM and transformers in bfloat16, with adapters whole and with parts dropped; kept in files.

`python -m tools.measure.bfloat16_replies JOB` is the process of one engine.
"""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slubench.data.clips import ClipStore
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.pipeline.context import Context
from slubench.pipeline.plan import plan, predictions_folder
from slubench.pipeline.run import perform
from slubench.serve.requests import Request, load
from slubench.serve.scored_reply import ALL, ScoredReply

DTYPE = "bfloat16"
KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
PROJECTOR = "multi_modal_projector"
ANSWERED = 96
"""Questions that every engine answers once, half of them about text."""
FIRST = ("massive-de", "curriculum", "5%", "lora-lm")
SECOND = ("massive-de", "curriculum", "25%", "lora-lm+projector")
OTHERS = (("massive-de", "text-only", "0", "lora-lm"),)
"""Whose replies are handed in as the first one's, beside the second's."""
Cell = tuple[str, str, str, str]


@dataclass(frozen=True)
class Asked:
    """What one process answers, and where its answers go."""

    engine: str
    model: Any
    clips: str
    adapters: dict[str, str]
    questions: Sequence[Request]
    long: bool
    out: str


def answer(asked: Asked) -> None:
    """Let one engine answer with each adapter in turn; in a process of its own."""
    import torch

    from slubench.serve import merge as merging
    from slubench.serve import transformers_engine
    from slubench.serve.engine import Reader
    from slubench.serve.read_adapter import inspect
    from slubench.serve.vllm_engine import VllmEngine, size

    for module in (transformers_engine, merging):
        vars(module)["place"] = lambda: ("cpu", getattr(torch, DTYPE))
    clips = ClipStore(Path(asked.clips), asked.model.sampling_rate, asked.model.max_seconds)
    weights = Path(asked.model.repository)
    reader = Reader.open(asked.model, weights, clips)
    if asked.long:
        reader = replace(reader, stops=())
    if asked.engine == "transformers":
        engine = transformers_engine.TransformersEngine(asked.model, weights, clips, batch=8)
        if asked.long:
            pinned = engine._pinned()
            pinned.eos_token_id = None
            engine.reader = reader
            vars(engine)["_pinned"] = lambda: pinned
        found = {
            name: engine.score(folder, asked.questions, parts=True) for name, folder in asked.adapters.items()
        }
    else:
        carried = {folder: inspect(Path(folder), asked.model) for folder in asked.adapters.values()}
        if asked.engine == "merged":
            weights = merging.merge(weights, Path(next(iter(carried))), Path(asked.out).parent, reader.family)
            carried = {}
        vllm = VllmEngine(reader, weights, carried, size(reader, asked.questions, weights), "cpu", DTYPE)
        vllm._telling.ignore_eos = asked.long
        found = {
            name: vllm.score(folder if carried else "", asked.questions)
            for name, folder in asked.adapters.items()
        }
        if not carried:
            shutil.rmtree(weights)
    Path(asked.out).write_bytes(pickle.dumps(found))


def in_process(asked: Asked) -> dict[str, list[ScoredReply]]:
    """Answer in a process of its own, once."""
    out = Path(asked.out)
    if not out.exists():
        started = time.monotonic()
        job = out.with_suffix(".job")
        job.write_bytes(pickle.dumps(asked))
        # On few and busy cores threads that wait for one another would take most of the time.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        command = [sys.executable, "-m", "tools.measure.bfloat16_replies", str(job)]
        with out.with_suffix(".log").open("w") as log:
            subprocess.run(command, check=True, env=environment, stdout=log, stderr=log)
        print(out.name, f"{time.monotonic() - started:.0f} s", flush=True)
    answers: dict[str, list[ScoredReply]] = pickle.loads(out.read_bytes())
    return answers


def drop(adapter: str, kind: str, folder: Path) -> str:
    """A copy of an adapter whose modules of one kind do nothing."""
    import torch
    from safetensors.torch import load_file, save_file

    out = folder / f"without-{kind}"
    if not out.exists():
        shutil.copytree(adapter, out)
        tensors = load_file(out / "adapter_model.safetensors")
        for name, tensor in tensors.items():
            if "lora_B" in name and kind in (ALL, *name.split(".")):
                tensors[name] = torch.zeros_like(tensor)
        if kind == PROJECTOR:  # it is kept whole: without it the base's own counts
            tensors = {name: tensor for name, tensor in tensors.items() if PROJECTOR not in name}
            config = json.loads((out / "adapter_config.json").read_text("utf-8")) | {"modules_to_save": None}
            (out / "adapter_config.json").write_text(json.dumps(config), "utf-8")
        save_file(tensors, out / "adapter_model.safetensors", metadata={"format": "pt"})
    return str(out)


def ready(cell: Cell, context: Context, folder: Path) -> tuple[Asked, Path]:
    """A cell's adapter, trained if need be, and what transformers is asked of it."""
    task, strategy, speech, track = cell
    registry = context.registry
    model, weights = context.locate(registry.model("tiny"))
    run = Run(
        task=registry.task(task),
        strategy=registry.strategy(strategy),
        budget=Budget.parse(speech),
        model=model,
        weights=weights,
        track=track,
    )
    perform([run], context)
    planned = plan(run, context)
    adapter = planned.adapter(context.home)
    place = folder / f"{task}-{strategy}-{track}"
    place.mkdir(parents=True, exist_ok=True)
    answers = predictions_folder(context.home, adapter, planned.test, planned.answered)
    every = load(answers / "questions.parquet")
    questions = [
        one for kind in ("speech", "text") for one in [q for q in every if q.input == kind][: ANSWERED // 2]
    ]
    own = {"whole": str(adapter.folder(context.home))}
    out = str(place / "usual-transformers.pickle")
    return Asked("transformers", model, str(context.home.clips), own, questions, False, out), place


Found = dict[tuple[str, str, str], list[ScoredReply]]
"""Replies by usual or long, how they were served, and what was dropped."""


def collect(cell: Cell, context: Context, folder: Path) -> Found:
    """All engines' replies with a cell's adapter and its copies."""
    asked, place = ready(cell, context, folder)
    own = asked.adapters["whole"]
    found: Found = {}
    for length in ("usual", "long"):
        loads = {"transformers": asked.adapters, "merged": asked.adapters}
        if cell == FIRST:
            loads["live"] = asked.adapters | {kind: drop(own, kind, place) for kind in (*KINDS, ALL)}
        elif length == "usual":
            loads |= {f"merged-{kind}": {kind: drop(own, kind, place)} for kind in (PROJECTOR, "o_proj")}
        for served, adapters in loads.items():
            out = str(place / f"{length}-{served}.pickle")
            engine = served.partition("-")[0]
            one = replace(asked, engine=engine, adapters=adapters, long=length == "long", out=out)
            found |= {(length, engine, name): replies for name, replies in in_process(one).items()}
    return found


if __name__ == "__main__":
    answer(pickle.loads(Path(sys.argv[1]).read_bytes()))
