"""How quickly SLURP's test set is scored, against a plain rendering of the published script.

    python tools/measure/slurp_scoring.py --devel devel.jsonl.gz [--out FILE]

13,078 predictions, as many as SLURP's test set has recordings, are made from the official development
annotations: each sentence gets six or seven recordings, and labels, types and fillers are spoilt at random.
Two things are timed: the scoring of rows that are parsed already, and the whole way from two files of JSON
lines to all numbers (official and strict, micro, macro, by label, and the counts of every item).

The published script is not at hand here. Copies of it in public repositories walk gold item by item and
entity by entity, take words' distance from `jiwer.wer`, characters' from Levenshtein's normalised distance
of `textdistance`, and count by label in dictionaries. `plain` does the same, written from the definition,
for the official numbers alone. What textdistance does depends on what is installed beside it: without a
compiled Levenshtein it fills a table in Python. So there are several baselines:

- `plain, textdistance X`: with that very library, where it is installed (`pip install textdistance==4.1.5`:
  the last that holds two empty strings for 1 apart, as the published numbers do).
- `plain, table`: with the textbook's table in Python, quicker than textdistance's own.
- `plain, rapidfuzz`: with a compiled Levenshtein, the quickest that the script can be.

The script's progress bars and tables are left out. The micro F1s of all must agree to 1e-12.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import json
import platform
import random
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jiwer
from rapidfuzz.distance import Levenshtein

from slubench.metrics import distance
from slubench.metrics.slurp import SlurpGold, SlurpPrediction, SlurpScores, score
from slubench.scoring.slurp_rows import read_gold, read_predictions

ITEMS = 13_078
ROUNDS = 7
KINDS = ("scenario", "action", "intent", "span", "word", "char")

CharDistance = Callable[[str, str], float]


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


def corrupted(gold: Mapping[str, SlurpGold], seed: int) -> list[dict[str, Any]]:
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
    gold: Mapping[str, SlurpGold], predictions: Mapping[str, SlurpPrediction], char_distance: CharDistance
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


def char_distances() -> dict[str, CharDistance]:
    """The ways to compare characters that can be had here."""
    ways: dict[str, CharDistance] = {"plain, table": by_table, "plain, rapidfuzz": by_rapidfuzz}
    try:
        textdistance = importlib.import_module("textdistance")
    except ImportError:
        return ways
    ways[f"plain, textdistance {textdistance.__version__}"] = textdistance.levenshtein.normalized_distance
    return ways


def lines_of(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def score_files(gold: Path, predictions: Path) -> SlurpScores:
    """From two files to all numbers."""
    return score(read_gold(lines_of(gold)), read_predictions(lines_of(predictions)))


def plain_files(gold: Path, predictions: Path, char_distance: CharDistance) -> dict[str, float]:
    """The same way by `plain`."""
    return plain(read_gold(lines_of(gold)), read_predictions(lines_of(predictions)), char_distance)


def seconds(what: Callable[[], object]) -> tuple[float, float]:
    """Wall-clock and processor seconds."""
    distance.words.cache_clear()
    wall, processor = time.perf_counter(), time.process_time()
    what()
    return time.perf_counter() - wall, time.process_time() - processor


def taken(tasks: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, Any]:
    """Times of tasks that take turns: least and median of wall clock and processor, and how they compare."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            times[name].append(seconds(task))
    told: dict[str, Any] = {}
    for place, clock in enumerate(("wall", "processor")):
        for what, of in (("least", min), ("median", statistics.median)):
            told[f"{clock} seconds, {what}"] = {
                name: round(of(pair[place] for pair in pairs), 4) for name, pairs in times.items()
            }
    least = {name: min(pair[1] for pair in pairs) for name, pairs in times.items()}
    told["times as fast, least of processor"] = {
        name: round(value / least["slubench"], 2) for name, value in least.items() if name != "slubench"
    }
    return told


def main() -> None:
    """Check that all agree, measure them in turn, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--devel", type=Path, required=True, help="SLURP's devel.jsonl, gzipped")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    options = parser.parse_args()
    rows = gold_rows(options.devel)
    gold = read_gold(rows)
    said = corrupted(gold, seed=0)
    predictions = read_predictions(said)
    assert len(gold) == len(predictions) == ITEMS
    ways = char_distances()
    ours = {kind: part.micro.f1 for kind, part in score(gold, predictions).official.items()}
    furthest = 0.0
    for name, way in ways.items():
        theirs = plain(gold, predictions, way)
        furthest = max(furthest, *(abs(ours[kind] - theirs[kind]) for kind in theirs))
        assert furthest <= 1e-12, (name, furthest)
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder) / "gold.jsonl", Path(folder) / "predictions.jsonl"
        for path, content in zip(files, (rows, said), strict=True):
            path.write_text("".join(json.dumps(row) + "\n" for row in content), "utf-8")
        scoring: dict[str, Callable[[], object]] = {"slubench": partial(score, gold, predictions)}
        whole: dict[str, Callable[[], object]] = {"slubench": partial(score_files, *files)}
        for name, way in ways.items():
            scoring[name] = partial(plain, gold, predictions, way)
            whole[name] = partial(plain_files, *files, way)
        result = {
            "machine": platform.processor() or platform.machine(),
            "python": platform.python_version(),
            "predictions": ITEMS,
            "rounds": options.rounds,
            "slu_f1": ours["slu"],
            "largest difference of a micro F1": furthest,
            "scoring of parsed rows": taken(scoring, options.rounds),
            "from files to all numbers": taken(whole, options.rounds),
        }
    print(json.dumps(result, indent=1))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
