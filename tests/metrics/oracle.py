"""A slow second scorer, written from the published definition in another style, to compare with."""

from __future__ import annotations

from collections import Counter
from typing import Any

Triple = tuple[float, float, float]


def edits(a: Any, b: Any) -> int:
    """Levenshtein distance by the full table."""
    table = [[i + j if i * j == 0 else 0 for j in range(len(b) + 1)] for i in range(len(a) + 1)]
    for i in range(1, len(a) + 1):
        for j in range(1, len(b) + 1):
            swap = table[i - 1][j - 1] + (0 if a[i - 1] == b[j - 1] else 1)
            table[i][j] = min(swap, table[i - 1][j] + 1, table[i][j - 1] + 1)
    return table[len(a)][len(b)]


def apart(unit: str, gold: str, guess: str) -> float:
    """The distance of two fillers."""
    if unit == "word":
        return edits(gold.split(), guess.split()) / (len(gold.split()) or 1)
    return 1.0 if gold == guess == "" else edits(gold, guess) / max(len(gold), len(guess))


def spans(gold: list[tuple[str, str]], guess: list[tuple[str, str]]) -> Triple:
    """Span counts: the multisets' overlap."""
    wanted, got = Counter(gold), Counter(guess)
    both = sum((wanted & got).values())
    return both, sum(got.values()) - both, sum(wanted.values()) - both


def nearest(unit: str, gold: list[tuple[str, str]], guess: list[tuple[str, str]]) -> Triple:
    """Word or char counts: each guess takes the nearest free gold entity of its type."""
    free = dict(enumerate(gold))
    tp = fp = fn = 0.0
    for kind, filler in guess:
        best, cost = None, 0.0
        for place in sorted(free):
            if free[place][0] != kind:
                continue
            d = apart(unit, free[place][1], filler)
            if best is None or d < cost:
                best, cost = place, d
        if best is None:
            fp += 1
            continue
        tp, fp, fn = tp + 1, fp + cost, fn + cost
        del free[best]
    return tp, fp, fn + len(free)


def f1(triples: list[Triple]) -> float:
    """F1 of summed counts, 0 where there is nothing."""
    tp, fp, fn = (sum(column) for column in zip(*triples, strict=True))
    precision = tp / (tp + fp) if tp + fp else 0.0
    recall = tp / (tp + fn) if tp + fn else 0.0
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def scores(pairs: list[tuple[Any, Any]]) -> dict[str, float]:
    """All measures over (gold, predicted) meanings, predicted None where the reply did not parse."""
    span, word, char = [], [], []
    right = dict.fromkeys(("scenario", "action", "intent", "exact", "unparsed"), 0)
    for gold, guess in pairs:
        truth = [(kind, filler.lower()) for kind, filler in gold.entities]
        said = [] if guess is None else [tuple(entity) for entity in guess.entities]
        span.append(spans(truth, said))
        word.append(nearest("word", truth, said))
        char.append(nearest("char", truth, said))
        if guess is None:
            right["unparsed"] += 1
            continue
        right["scenario"] += gold.scenario == guess.scenario
        right["action"] += gold.action == guess.action
        hit = f"{gold.scenario}_{gold.action}" == f"{guess.scenario}_{guess.action}"
        right["intent"] += hit
        right["exact"] += hit and sorted(truth) == sorted(said)
    n = len(pairs)
    return {
        "slu_f1": f1(word + char),
        "intent_accuracy": right["intent"] / n,
        "scenario_accuracy": right["scenario"] / n,
        "action_accuracy": right["action"] / n,
        "entity_f1": f1(span),
        "word_f1": f1(word),
        "char_f1": f1(char),
        "exact_match": right["exact"] / n,
        "parse_failures": right["unparsed"] / n,
    }
