"""How sure the probe is: honest engines and engines that drop a kind of module, in bfloat16 on a CPU.

    python tools/measure/probe_limits.py --home DIR     # writes results/probe_limits.json

Adapters of the mini edition are trained if they are not there, on the tracks lora-lm and lora-lm+projector.
transformers answers questions of the test in bfloat16, and vLLM answers them too, each engine in a process of
its own: with the adapter as it is (live, and merged into the weights), and with copies of it whose modules of
one kind do nothing. Then a probe's handful of questions is drawn many times from those that were answered once,
and the probe's own rule decides. Long replies are those of engines that no token ends.
"""

from __future__ import annotations

import argparse
import datetime
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

import numpy as np

from slubench.data.clips import ClipStore
from slubench.domain.budget import Budget
from slubench.domain.run import Run
from slubench.pipeline.context import Context, open_context
from slubench.pipeline.plan import plan, predictions_folder
from slubench.pipeline.run import perform
from slubench.runtime import engines
from slubench.serve.requests import Request, load

CELLS = (
    ("massive-de", "curriculum", "5%", "lora-lm"),
    ("massive-de", "curriculum", "25%", "lora-lm+projector"),
)
ANSWERED = 96
"""Questions that every engine answers once, half of them about text."""


@dataclass(frozen=True)
class Asked:
    """What one process is to answer, and where its answers go."""

    engine: str
    dtype: str
    model: Any
    weights: str
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
    from slubench.serve.transformers_engine import TransformersEngine
    from slubench.serve.vllm_engine import VllmEngine, size

    number = getattr(torch, asked.dtype)
    for module in (transformers_engine, merging):
        module.place = lambda: ("cpu", number)  # type: ignore[assignment]
    clips = ClipStore(Path(asked.clips), asked.model.sampling_rate, asked.model.max_seconds)
    weights = Path(asked.weights)
    reader = Reader.open(asked.model, weights, clips)
    if asked.long:
        reader = replace(reader, stops=())
    found = {}
    if asked.engine == "transformers":
        engine = TransformersEngine(asked.model, weights, clips, batch=8)
        if asked.long:
            engine.reader = reader
            engine._pinned = _endless(engine._pinned())  # type: ignore[method-assign]
        for name, folder in asked.adapters.items():
            found[name] = engine.score(folder, asked.questions, parts=True)
    elif asked.engine == "merged":
        ((name, folder),) = asked.adapters.items()
        merged = merging.merge(weights, Path(folder), Path(asked.out).parent, reader.family)
        vllm = VllmEngine(reader, merged, {}, size(reader, asked.questions, merged), "cpu", asked.dtype)
        found[name] = vllm.score("", asked.questions)
        shutil.rmtree(merged)
    else:
        carried = {folder: inspect(Path(folder), asked.model) for folder in asked.adapters.values()}
        if asked.engine == "live":
            vllm = VllmEngine(
                reader, weights, carried, size(reader, asked.questions, weights), "cpu", asked.dtype
            )
        for name, folder in asked.adapters.items():
            found[name] = vllm.score(folder, asked.questions)
    Path(asked.out).write_bytes(pickle.dumps(found))


def _endless(pinned: Any) -> Any:
    pinned.eos_token_id = None
    return lambda: pinned


def in_process(asked: Asked, folder: Path) -> dict[str, Any]:
    """Answer in a process of its own, once."""
    out = Path(asked.out)
    if not out.exists():
        job = folder / f"{out.stem}.job"
        job.write_bytes(pickle.dumps(asked))
        # Two busy cores: threads that wait for one another would take most of the time.
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
        with (folder / f"{out.stem}.log").open("w") as log:
            subprocess.run(
                [sys.executable, "-m", "tools.measure.probe_limits", "--job", str(job)],
                check=True, env=environment, stdout=log, stderr=log,
            )
    answers: dict[str, Any] = pickle.loads(out.read_bytes())
    return answers


def drop(adapter: str, kind: str, folder: Path) -> str:
    """A copy of an adapter whose modules of one kind do nothing; `ALL` for the whole."""
    import torch
    from safetensors.torch import load_file, save_file

    out = folder / f"without-{kind}"
    if not out.exists():
        shutil.copytree(adapter, out)
        tensors = load_file(out / "adapter_model.safetensors")
        for name, tensor in tensors.items():
            if "lora_B" in name and kind in ("all", *name.split(".")):
                tensors[name] = torch.zeros_like(tensor)
        save_file(tensors, out / "adapter_model.safetensors", metadata={"format": "pt"})
    return str(out)


def main() -> None:
    """Train, answer, draw, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path)
    parser.add_argument("--job", type=Path, help="for the processes that this one starts")
    options = parser.parse_args()
    if options.job:
        answer(pickle.loads(options.job.read_bytes()))
        return
    context = open_context(home=options.home, engine="transformers", say=print)
    folder = options.home / "probe-limits"
    folder.mkdir(parents=True, exist_ok=True)
    for task, strategy, speech, track in CELLS:
        collect(task, strategy, speech, track, context, folder)


KINDS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "all")


def collect(task: str, strategy: str, speech: str, track: str, context: Context, folder: Path) -> Any:
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
    every = load(
        predictions_folder(context.home, adapter, planned.test, planned.answered) / "questions.parquet"
    )
    questions = [
        one for kind in ("speech", "text") for one in [q for q in every if q.input == kind][: ANSWERED // 2]
    ]
    place = folder / f"{task}-{strategy}-{track}"
    place.mkdir(exist_ok=True)
    own = str(adapter.folder(context.home))
    found = {}
    for long in (False, True):
        words = "long" if long else "usual"
        asked = Asked(
            engine="transformers",
            dtype="bfloat16",
            model=model,
            weights=model.repository,
            clips=str(context.home.clips),
            adapters={"whole": own},
            questions=questions,
            long=long,
            out=str(place / f"{words}-transformers.pickle"),
        )
        started = time.monotonic()
        found[words, "transformers"] = in_process(asked, place)
        print(words, "transformers", round(time.monotonic() - started))
        started = time.monotonic()
        found[words, "merged"] = in_process(
            replace(asked, engine="merged", out=str(place / f"{words}-merged.pickle")), place
        )
        print(words, "merged", round(time.monotonic() - started))
        if track == "lora-lm":
            copies = {"whole": own} | {kind: drop(own, kind, place) for kind in KINDS}
            started = time.monotonic()
            found[words, "live"] = in_process(
                replace(asked, engine="live", adapters=copies, out=str(place / f"{words}-live.pickle")), place
            )
            print(words, "live", round(time.monotonic() - started))
    return found


if __name__ == "__main__":
    main()
