"""Predictions that are kept in a folder of a HOME: found, and checked before they are believed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slubench.errors import DataError
from slubench.runtime.digest import sha256_of
from slubench.runtime.home import Home
from slubench.scoring.predictions import Prediction, read_answers


@dataclass(frozen=True)
class Predictions:
    """The predictions of one adapter on one test set.

    Attributes:
        rows: One per request.
        report: What the serving process measured: engine, version, serving, probe, seconds.
        file: Their Parquet file.
        fingerprint: Their fingerprint.
    """

    rows: Sequence[Prediction]
    report: dict[str, Any]
    file: Path
    fingerprint: str


def kept_folder(home: Home, fingerprint: str) -> Path | None:
    """The folder of the predictions with that fingerprint, if there are any."""
    for folder in sorted(home.runs.glob(f"*/answers/*-{fingerprint[:8]}")):
        if (folder / "answers.parquet").exists():
            return folder
    return None


def are_kept(folder: Path) -> bool:
    """Whether a folder holds finished predictions."""
    # The report is written last.
    return all((folder / name).exists() for name in ("answers.parquet", "report.json"))


def read_kept(folder: Path, fingerprint: str) -> Predictions:
    """The predictions in a folder.

    Raises:
        DataError: They, or the report beside them, are damaged.
    """
    report, file = read_report(folder), folder / "answers.parquet"
    written = report.get("answers_sha256")  # earlier reports have none
    if written is not None and file.is_file() and written != sha256_of(file):
        raise DataError(f"{file} was changed since it was written. Delete it and run the same command again.")
    return Predictions(read_answers(file), report, file, fingerprint)


def read_report(folder: Path) -> dict[str, Any]:
    """What the serving process measured for the predictions in a folder.

    Raises:
        DataError: The report is missing or damaged.
    """
    path, file = folder / "report.json", folder / "answers.parquet"
    report: dict[str, Any] = {}
    try:
        report = json.loads(path.read_text("utf-8"))
        whole = all(isinstance(report[name], str) for name in ("engine", "version", "serving"))
        whole = whole and isinstance(report.get("seconds", 0.0), int | float)
    except (OSError, ValueError, TypeError, KeyError):
        whole = False
    if not whole:
        raise DataError(f"{path}: not an engine's report. Delete {file} and run the same command again.")
    return report
