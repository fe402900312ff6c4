"""No two modules and no two classes share a name, unless they are one idea seen from several rooms."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("benchmark", "tasks", "strategies", "leaderboard", "tools")

MODULES: Mapping[str, str] = {
    "batches": "examples padded into one batch: by the trainer, and when the miniature's model is made",
    "bootstrap": "the bootstrap, and what measures how long it takes",
    "clips": "recordings: decoded, and checked",
    "corpus": "the noun Corpus, and what makes the miniature's",
    "evaluate": "evaluating an adapter trained elsewhere, and the command",
    "features": "log-mel features: in training, and when the miniature's model is made",
    "gap_closed": "the measure gap closed, and its view on the page",
    "ledger": "the noun Ledger, and how it is counted",
    "massive": "the corpus MASSIVE: its tasks, and the format of its rows",
    "ontology": "scenarios, actions and slot types: of a corpus, and of the miniature's grammar",
    "prepare": "preparing clips, and what measures how long it takes",
    "progress": "the progress bars of training and of serving",
    "qwen2_audio": "Qwen2-Audio: the model, and its family",
    "publish": "the command, and what it does",
    "ranking": "the ranking, and its view on the page",
    "report": "what a process measured: the training's, and the serving's",
    "rescore": "scoring kept replies again: of the user's own runs, and of a bundle's",
    "rows": "the rows of a corpus: read, and checked",
    "run": "the noun Run, its pipeline and its command",
    "score": "scoring: the measures, the step of a run, and the command",
    "slices": "slices of a test: computed, and their view on the page",
    "slurp": "the corpus SLURP: its tasks, the format of its rows, and its official measure",
    "train": "training: the step of a run, and the training process",
    "validation": "the validation set: composed, and its loss measured in training",
    "weights": "weights on disk: the base model's, and a handed-in adapter's",
}
"""Names that several modules bear, each with the one idea behind them."""

CLASSES: Mapping[str, str] = {}
"""The same for classes."""


def sources() -> Iterator[Path]:
    for folder in FOLDERS:
        yield from sorted((ROOT / folder).rglob("*.py"))


def shared(names: Mapping[str, list[Path]]) -> dict[str, list[str]]:
    """Names that several files bear, with the files."""
    return {
        name: [str(path.relative_to(ROOT)) for path in paths]
        for name, paths in names.items()
        if len(paths) > 1
    }


def test_modules_that_share_a_name_are_one_idea() -> None:
    names: dict[str, list[Path]] = defaultdict(list)
    for path in sources():
        if path.stem not in ("__init__", "__main__"):
            names[path.stem].append(path)
    found = shared(names)
    assert {name: paths for name, paths in found.items() if name not in MODULES} == {}
    assert set(MODULES) - set(found) == set(), "named above, but borne by one module alone"


def test_classes_that_share_a_name_are_one_idea() -> None:
    names: dict[str, list[Path]] = defaultdict(list)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                names[node.name].append(path)
    found = shared(names)
    assert {name: paths for name, paths in found.items() if name not in CLASSES} == {}
    assert set(CLASSES) - set(found) == set(), "named above, but borne by one class alone"
