"""The commands that reproduce a run, and all runs of a row."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from slubench.board.text import clipped


def command(row: Mapping[str, Any], strategy_file: str = "") -> str:
    """`slubench run` with all that identifies a run.

    Args:
        row: By the names of `slubench.schemas.IDENTITY`.
        strategy_file: What the record tells: a file off the shelf is named by its path.
    """
    options = _options(row, strategy_file) | {"data-seed": row["data_seed"], "train-seed": row["train_seed"]}
    return _written("run", options)


def row_command(row: Mapping[str, Any], seeds: Sequence[tuple[int, int]], strategy_file: str = "") -> str:
    """`slubench sweep` for all seeds of a row; the command of its first run where seeds come in other pairs.

    Args:
        row: Of its first run.
        seeds: Data seed and train seed of each run.
        strategy_file: See `command`.
    """
    if len(seeds) == 1 or any(data != train for data, train in seeds):
        return command(row, strategy_file)
    listed = ",".join(str(seed) for seed, _ in seeds)
    return _written("sweep", _options(row, strategy_file) | {"seeds": listed})


def _options(row: Mapping[str, Any], strategy_file: str) -> dict[str, Any]:
    shelved = not strategy_file.endswith(".py") or strategy_file.startswith("strategies/")
    return {
        "edition": row["edition"],
        "task": row["task"],
        "strategy": row["strategy"] if shelved else strategy_file,
        "speech": row["speech"],
        **({"target": row["target"]} if row["target"] not in (None, "", "none") else {}),
        "model": row["model"],
        "track": row["track"],
        "engine": str(row["engine"]).partition(" ")[0],
        **({"serving": row["serving"]} if row["serving"] in ("live", "merged") else {}),
        **({"selection": row["selection"]} if row["selection"] not in (None, "", "last") else {}),
        **({"inputs": "speech,text,asr"} if row["asr_fingerprint"] else {}),
    }


def _written(verb: str, options: Mapping[str, Any]) -> str:
    words = [word for name, value in options.items() for word in (f"--{name}", clipped(str(value), 200))]
    return shlex.join(["slubench", verb, *words])


def advice(row: Mapping[str, Any], strategy_file: str = "") -> str:
    """What else the command needs, in a sentence or two."""
    lines = []
    if strategy_file.endswith(".py") and not strategy_file.startswith("strategies/"):
        lines.append(f"Save the strategy's file from its page as {clipped(strategy_file)} first.")
    elif strategy_file.startswith("plugin "):
        lines.append(f"The strategy is part of a plugin: {clipped(strategy_file.removeprefix('plugin '))}.")
    if row["edition"] == "full":
        lines.append("Use --corpora to name a mirror of the corpora.")
    lines.append("Existing results are reused.")
    return " ".join(lines)
