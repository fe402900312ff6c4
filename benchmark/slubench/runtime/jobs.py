"""The jobs of training and serving processes, one JSON file each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from slubench.domain.model import Model
from slubench.runtime.files import write_text


@dataclass(frozen=True)
class StageJob:
    """A stage as the training process sees it.

    Attributes:
        updates: Optimiser updates; its examples are `updates * batch` rows of `lessons.parquet`.
        rate: Learning rate, the stage's multiple applied.
        objective: Whether the strategy's stage names a loss of its own.
        trains: The parts that learn; empty for all of the track.
        start: The stage whose weights it begins from, see `slubench.domain.strategy.Stage`.
        average: The stages whose mean it begins from.
    """

    updates: int
    rate: float
    objective: bool = False
    trains: tuple[str, ...] = ()
    start: int | None = None
    average: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """A dictionary without what is at its default and was added after version 0.1."""
        content = asdict(self)
        for name, default in (("trains", ()), ("start", None), ("average", ())):
            if content[name] == default:
                del content[name]
        return content

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        lists = {name: tuple(content[name]) for name in ("trains", "average") if name in content}
        return cls(**{**content, **lists})


@dataclass(frozen=True, kw_only=True)
class TrainJob:
    """One training.

    Attributes:
        name: For logs and bars.
        model: The model as declared.
        track: Which parts learn.
        seed: Seeds initialisation and dropout.
        stages: In order.
        examples: Parquet file of the train set, see `slubench.trainset.train_set.SCHEMA`.
        clips: Folder of the clip store.
        folder: Working folder: checkpoints, logs, TensorBoard.
        adapter: Folder the adapter is written to (temporary name, then renamed).
        strategy: Name or file of the strategy, for stages with an objective.
        home: HOME, for the registry.
        watched: Parquet file of examples on which the loss is watched; empty for none.
        keeps_best: Whether the weights of the least watched loss are kept in place of the last.
        batch_size: Most examples on the device at once; 0 for as many as fit.
        asks: Whether stages ask the model, so that a run is trained by several jobs: each goes on from the
            checkpoint of the one before, whose stages it begins with.
        pauses: Whether the job ends where its last stage would begin, whose examples are not known yet; the
            weights there are what is asked.
    """

    name: str
    model: Model
    track: str
    seed: int
    stages: tuple[StageJob, ...]
    examples: str
    clips: str
    folder: str
    adapter: str
    strategy: str
    home: str
    watched: str = ""
    keeps_best: bool = False
    batch_size: int = 0
    asks: bool = False
    pauses: bool = False

    def save(self, path: Path) -> None:
        """Write the job as JSON."""
        write_text(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        content["model"] = Model.from_json(content["model"])
        content["stages"] = tuple(map(StageJob.from_json, content["stages"]))
        return cls(**content)


@dataclass(frozen=True)
class AdapterRequests:
    """The requests for one adapter.

    Attributes:
        name: For logs and bars.
        adapter: Folder in peft's layout; a whole checkpoint's folder on the track `full`; empty for the
            model as it is.
        questions: Parquet file of questions, see `slubench.scoring.predictions.QUESTIONS`.
        replies: JSON-lines file the replies are appended to; what it holds already is not asked again.
    """

    name: str
    adapter: str
    questions: str
    replies: str


@dataclass(frozen=True, kw_only=True)
class PredictJob:
    """The work of one engine: requests for one or several adapters of a model.

    Attributes:
        model: The model as declared.
        engine: `vllm` or `transformers`.
        serving: `auto`, `live` (LoRA applied while serving) or `merged`; for vLLM.
        clips: Folder of the clip store.
        folder: Working folder, for merged weights and logs.
        askings: In order.
        report: JSON file written last: engine, version, serving, probe, seconds.
        ties: A number format, as in `bfloat16`: replies are kept with what its rounding could have given in
            their stead, see `slubench.serve.replies.Reply`. Empty for replies alone.
        batch_size: Most requests on the device at once; 0 for the engine's own choice.
        gpus: How many GPUs hold the model together; for vLLM.
    """

    model: Model
    engine: str
    serving: str
    clips: str
    folder: str
    askings: tuple[AdapterRequests, ...]
    report: str
    ties: str = ""
    batch_size: int = 0
    gpus: int = 1

    def save(self, path: Path) -> None:
        """Write the job as JSON."""
        write_text(path, json.dumps(asdict(self), indent=1))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        content["model"] = Model.from_json(content["model"])
        content["askings"] = tuple(AdapterRequests(**asking) for asking in content["askings"])
        return cls(**content)
