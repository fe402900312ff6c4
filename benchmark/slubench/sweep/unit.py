"""A unit of a sweep: work that one process does on one place, as a JSON file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from slubench.runtime.digest import digest
from slubench.runtime.files import read_object, write_text
from slubench.sweep.grid import GridCell

TRAIN: Final = "train"
PREDICT: Final = "predict"
ANSWER: Final = "answer"
WHOLE: Final = "whole"


@dataclass(frozen=True, kw_only=True)
class SweepSettings:
    """What all units of a sweep share.

    Attributes:
        home: HOME.
        corpora: A mirror of the corpora; empty for none.
        edition: Name of the edition.
        serving: `auto`, `live` or `merged`.
        inputs: The inputs to predict from.
        checkpoints: Where checkpoints are shared (fsspec); empty for nowhere.
    """

    home: str
    corpora: str = ""
    edition: str
    serving: str = "auto"
    inputs: tuple[str, ...]
    checkpoints: str = ""


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Work for one process.

    Attributes:
        kind: `train` (one adapter), `predict` (and score; the adapters are there), `answer` (without
            scoring) or `whole` (all of it).
        name: For logs and tables.
        model: As given; empty for the edition's default.
        engine: The inference engine.
        cells: The runs.
        trained: Fingerprint of each run's adapter, as the sweep computed it.
        settings: What all units share.
        gpus: How many GPUs it needs, where there are any.
    """

    kind: str
    name: str
    model: str
    engine: str
    cells: tuple[GridCell, ...]
    trained: tuple[str, ...]
    settings: SweepSettings
    gpus: int = 1

    @property
    def identity(self) -> str:
        """Tells it from other units, and is the same in the next sweep."""
        return digest({**asdict(self), "settings": None, "home": self.settings.home})[:16]

    def save(self, path: Path) -> None:
        """Write the unit as JSON."""
        write_text(path, json.dumps(self.to_json(), indent=1))

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        return cls.from_json(read_object(path))

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        content = dict(told)
        content["cells"] = tuple(GridCell(**cell) for cell in content["cells"])
        content["trained"] = tuple(content["trained"])
        settings = content["settings"]
        content["settings"] = SweepSettings(**{**settings, "inputs": tuple(settings["inputs"])})
        return cls(**content)


@dataclass(frozen=True)
class EndedUnit:
    """How a unit ended.

    Attributes:
        unit: The unit.
        reasons: Why runs failed, by name.
        error: Why the unit as a whole ended early; empty where it did not.
    """

    unit: Unit
    reasons: Mapping[str, str] = field(default_factory=dict)
    error: str = ""


def reasons_file(unit_file: Path) -> Path:
    """Where the worker of a unit writes why runs failed."""
    return unit_file.with_suffix(".failed.json")


def read_reasons(unit_file: Path) -> dict[str, str]:
    """What the worker of a unit wrote; empty where it wrote nothing."""
    try:
        content: dict[str, Any] = read_object(reasons_file(unit_file))
    except Exception:  # a worker that was killed may have written half of it, or nothing
        return {}
    return {name: str(reason) for name, reason in content.items()}
