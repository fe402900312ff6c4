"""How quickly SLURP's test set is scored, against a plain implementation of the same published algorithm.

    python bench/slurp_scoring.py --devel devel.jsonl.gz [--out bench/results/slurp_scoring.json]

13,078 predictions, as many as SLURP's test set has recordings, are made from the official development
annotations: each sentence gets six or seven recordings, and labels, types and fillers are spoilt at random.
SLURP's own script is not at hand here, so the plain implementation below is ours: entity by entity, words
by `jiwer.wer`, counts by label in dictionaries, nothing remembered between answers. Measured twice: with
the character distance in Python, by the textbook's table (`plain`), and by rapidfuzz (`plain, rapidfuzz`).
Neither stands for the official script's speed. All are given the same parsed rows, and the micro F1s must
agree to 1e-12.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jiwer
from rapidfuzz.distance import Levenshtein

from slubench.metrics import distance
from slubench.metrics.slurp import score
from slubench.metrics.slurp_rows import Gold, Prediction, read_gold, read_predictions

ITEMS = 13_078
ROUNDS = 5
KINDS = ("scenario", "action", "intent", "span", "word", "char")


def gold_rows(devel: Path) -> list[dict[str, Any]]:
    """Gold sentences with 13,078 recordings in all, named anew."""
    with gzip.open(devel, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    per_row = [ITEMS // len(rows) + (number < ITEMS % len(rows)) for number in range(len(rows))]
    files = iter(f"{number}.flac" for number in range(ITEMS))
    return [
        {**row, "recordings": [{"file": next(files)} for _ in range(count)]}
        for row, count in zip(rows, per_row, strict=True)
    ]


def corrupted(gold: dict[str, Gold], seed: int) -> list[dict[str, Any]]:
    """Predictions of a middling system: wrong labels, wrong types, spoilt, missing and made-up entities."""
    rng = random.Random(seed)
    items = list(gold.items())
    rows = []
    for file, item in items:
        label = rng.choice(items)[1].meaning if rng.random() < 0.15 else item.meaning
        entities = []
        for kind, filler in item.meaning.entities:
            words = filler.split()
            for _ in range(rng.choice((0, 0, 0, 1, 1, 2))):
                words[rng.randrange(len(words))] = "".join(rng.choices("abcdefgh ", k=rng.randint(1, 8)))
            if rng.random() > 0.1:
                kind = rng.choice(("date", "time", "person")) if rng.random() < 0.08 else kind
                entities.append({"type": kind, "filler": " ".join(words)})
        if rng.random() < 0.1:
            entities.append({"type": "date", "filler": "today"})
        rows.append({"file": file, "scenario": label.scenario, "action": label.action, "entities": entities})
    return rows


def plain(
    gold: dict[str, Gold],
    predictions: dict[str, Prediction],
    char_distance: Callable[[str, str], float],
) -> dict[str, float]:
    """Micro F1 by kind, and SLU-F1, as anyone would write it from the definition."""
    counts: dict[str, dict[str, list[float]]] = {kind: defaultdict(lambda: [0.0, 0.0, 0.0]) for kind in KINDS}
    for file, item in gold.items():
        prediction = predictions.get(file)
        if prediction is None:
            continue
        truth, said = item.meaning, prediction.meaning
        for kind in ("scenario", "action", "intent"):
            wanted, got = getattr(truth, kind), getattr(said, kind)
            if wanted == got:
                counts[kind][wanted][0] += 1
            else:
                counts[kind][got][1] += 1
                counts[kind][wanted][2] += 1
        left = list(truth.entities)
        for entity in said.entities:
            if entity in left:
                left.remove(entity)
                counts["span"][entity.type][0] += 1
            else:
                counts["span"][entity.type][1] += 1
        for entity in left:
            counts["span"][entity.type][2] += 1
        for kind, apart in (("word", word_distance), ("char", char_distance)):
            left = list(truth.entities)
            for entity in said.entities:
                best, least = -1, 0.0
                for place, other in enumerate(left):
                    if other.type == entity.type:
                        found = apart(other.filler, entity.filler)
                        if best < 0 or found < least:
                            best, least = place, found
                if best < 0:
                    counts[kind][entity.type][1] += 1
                else:
                    del left[best]
                    counts[kind][entity.type][0] += 1
                    counts[kind][entity.type][1] += least
                    counts[kind][entity.type][2] += least
            for entity in left:
                counts[kind][entity.type][2] += 1
    totals = {kind: [sum(column) for column in zip(*counts[kind].values(), strict=True)] for kind in KINDS}
    totals["slu"] = [a + b for a, b in zip(totals["word"], totals["char"], strict=True)]
    return {kind: 2 * tp / (2 * tp + fp + fn) for kind, (tp, fp, fn) in totals.items()}


def word_distance(gold: str, said: str) -> float:
    """Word edits over gold words."""
    return float(jiwer.wer(reference=gold, hypothesis=said))


def by_table(gold: str, said: str) -> float:
    """Character edits over the longer length, by the textbook's table."""
    above = list(range(len(said) + 1))
    for row, letter in enumerate(gold, start=1):
        line = [row]
        for column, other in enumerate(said, start=1):
            line.append(min(above[column] + 1, line[-1] + 1, above[column - 1] + (letter != other)))
        above = line
    return above[-1] / max(len(gold), len(said)) if gold or said else 1.0


def by_rapidfuzz(gold: str, said: str) -> float:
    """The same by rapidfuzz."""
    return Levenshtein.distance(gold, said) / max(len(gold), len(said)) if gold or said else 1.0


def seconds(what: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds."""
    wall, processor = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - processor


def main() -> None:
    """Measure both in turn, and print medians and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devel", type=Path, required=True, help="SLURP's devel.jsonl, gzipped")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    gold = read_gold(gold_rows(options.devel))
    rows = corrupted(gold, seed=0)
    predictions = read_predictions(rows)
    assert len(gold) == len(predictions) == ITEMS
    ours = {kind: part.micro.f1 for kind, part in score(gold, predictions).official.items()}
    theirs = plain(gold, predictions, by_table)
    furthest = max(abs(ours[kind] - theirs[kind]) for kind in theirs)
    assert furthest <= 1e-12, furthest
    times: dict[str, list[tuple[float, float]]] = {"slubench": [], "plain": [], "plain, rapidfuzz": []}
    for _ in range(options.rounds):
        distance.word_distance.cache_clear()
        distance.char_distance.cache_clear()
        times["slubench"].append(seconds(lambda: score(gold, predictions)))
        times["plain"].append(seconds(lambda: plain(gold, predictions, by_table)))
        times["plain, rapidfuzz"].append(seconds(lambda: plain(gold, predictions, by_rapidfuzz)))
    medians = {
        name: [statistics.median(column) for column in zip(*taken, strict=True)]
        for name, taken in times.items()
    }
    result = {
        "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "predictions": ITEMS,
        "rounds": options.rounds,
        "slu_f1": ours["slu"],
        "largest difference of a micro F1": furthest,
        "wall seconds": {name: round(pair[0], 4) for name, pair in medians.items()},
        "processor seconds": {name: round(pair[1], 4) for name, pair in medians.items()},
        "times as fast, processor": {
            name: round(pair[1] / medians["slubench"][1], 2)
            for name, pair in medians.items()
            if name != "slubench"
        },
    }
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
