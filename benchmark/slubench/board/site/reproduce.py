"""The command that reproduces a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from slubench.board.text import clipped


def command(row: Mapping[str, Any], strategy_file: str = "") -> str:
    """`slubench run` with all that identifies a run.

    Args:
        row: By the names of `slubench.schemas.IDENTITY`.
        strategy_file: What the record tells: a file off the shelf is named by its path.
    """
    shelved = not strategy_file.endswith(".py") or strategy_file.startswith("strategies/")
    options = {
        "edition": row["edition"],
        "task": row["task"],
        "strategy": row["strategy"] if shelved else strategy_file,
        "speech": row["speech"],
        **({"target": row["target"]} if row["target"] not in (None, "", "none") else {}),
        "model": row["model"],
        "track": row["track"],
        "data-seed": row["data_seed"],
        "train-seed": row["train_seed"],
        "engine": str(row["engine"]).partition(" ")[0],
        **({"serving": row["serving"]} if row["serving"] in ("live", "merged") else {}),
        **({"inputs": "speech,text,asr"} if row["asr_fingerprint"] else {}),
    }
    words = [word for name, value in options.items() for word in (f"--{name}", clipped(str(value), 200))]
    return shlex.join(["slubench", "run", *words])


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
