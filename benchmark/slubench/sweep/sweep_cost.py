"""What a sweep will cost before it is started: trainings, updates, requests, GPU hours and money."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from slubench.data.rows import read_rows
from slubench.domain.model import Model
from slubench.errors import SlubenchError
from slubench.pipeline.context import Context
from slubench.pipeline.plan import Planned
from slubench.registry.adapters import Adapter, find_adapter
from slubench.runtime.home import Home
from slubench.sweep.states import CACHED, FAILED, RunState, RunStates
from slubench.trainset.purchase import cell_sizes
from slubench.trainset.train_set import exposure

H100_FLOPS: Final = 989e12
"""Operations a second of one H100 in bfloat16, as its maker gives them."""
CPU_FLOPS: Final = (10e9, 300e9)
"""What a few cores of a CPU do in float32, slow and fast."""
TRAIN_SHARE: Final = (0.15, 0.5)
PREDICT_SHARE: Final = (0.03, 0.3)
"""Parts of those operations that training and inference reach."""
TOKENS: Final = (80, 300)
"""Tokens of an example: of text, and with a clip."""
START_SECONDS: Final = (30.0, 180.0)
"""What starting a process, loading a model and comparing engines takes on a GPU."""


@dataclass(frozen=True)
class Bounds:
    """A quantity that is only known within bounds."""

    low: float
    high: float

    def __add__(self, other: Bounds) -> Bounds:
        return Bounds(self.low + other.low, self.high + other.high)

    def times(self, factor: float) -> Bounds:
        """The same, as often."""
        return Bounds(self.low * factor, self.high * factor)


ZERO: Final = Bounds(0.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class ModelCost:
    """What is due for one model.

    Attributes:
        model: Its name.
        gpu: Whether it needs a GPU.
        trainings: Adapters to train.
        updates: At most so many updates in all.
        predictions: Test sets to predict.
        requests: Requests in all.
        train_hours: Hours of one GPU, or of this CPU.
        predict_hours: The same for predicting.
        source: What the hours are estimated from.
    """

    model: str
    gpu: bool
    trainings: int
    updates: int
    predictions: int
    requests: int
    train_hours: Bounds
    predict_hours: Bounds
    source: str


@dataclass(frozen=True, kw_only=True)
class SweepCost:
    """What a sweep will do and cost.

    Attributes:
        runs: How many runs there are.
        cached: How many are scored already.
        failed: How many cannot be planned.
        shared: How many due runs share an adapter with another one.
        models: What is due for each model.
        places: How many runs are worked on at a time.
        price: What an hour of a GPU costs; None where it was not given.
    """

    runs: int
    cached: int
    failed: int
    shared: int
    models: Sequence[ModelCost]
    places: int
    price: float | None

    @property
    def due(self) -> int:
        """How many runs are to be done."""
        return self.runs - self.cached - self.failed

    @property
    def hours(self) -> Bounds:
        """Hours of one GPU (or of this CPU) in all."""
        return sum((one.train_hours + one.predict_hours for one in self.models), ZERO)

    @property
    def money(self) -> Bounds | None:
        """What the GPUs cost, if there are any and a price was given."""
        gpu = (one.train_hours + one.predict_hours for one in self.models if one.gpu)
        if self.price is None or not any(one.gpu for one in self.models):
            return None
        return sum(gpu, ZERO).times(self.price)

    def to_json(self) -> dict[str, Any]:
        """All of it as a dictionary."""
        money = self.money
        return {
            **asdict(self),
            "due": self.due,
            "hours": asdict(self.hours),
            "money": asdict(money) if money else None,
        }


def cost_of(
    states: RunStates, contexts: Mapping[str, Context], places: int = 1, price: float | None = None
) -> SweepCost:
    """Estimate a planned sweep.

    Hours come from trainings and predictions of the same model that are kept in HOME, else from operations.

    Args:
        states: The runs, planned.
        contexts: The context of each model, by the name it was given.
        places: How many runs are worked on at a time.
        price: What an hour of a GPU costs.
    """
    due: dict[str, list[RunState]] = {}
    for run in states.runs:
        if run.due:
            due.setdefault(run.combination.located.name, []).append(run)
    models = [_model_cost(runs, contexts[name]) for name, runs in due.items()]
    adapters = {run.planned.trained for runs in due.values() for run in runs if run.planned}
    return SweepCost(
        runs=len(states.runs),
        cached=sum(run.state == CACHED for run in states.runs),
        failed=sum(run.state == FAILED for run in states.runs),
        shared=sum(map(len, due.values())) - len(adapters),
        models=models,
        places=places,
        price=price,
    )


def _model_cost(runs: Sequence[RunState], context: Context) -> ModelCost:
    planned = [run.planned for run in runs if run.planned]
    model, track = planned[0].run.model, planned[0].run.track
    trainings = {
        one.trained: one for one in planned if one.run.strategy.stages and not _trained(one, context)
    }
    updates = {name: _updates(one, context) for name, one in trainings.items()}
    predictions = {one.answered: one for one in planned}
    requests = sum(len(read_rows(one.test).utterances) * len(context.inputs) for one in predictions.values())
    update, trained_here = _seconds_an_update(model, track, context.home)
    request, predicted_here = _seconds_a_request(model, context)
    starts = Bounds(*START_SECONDS) if model.needs_gpu else Bounds(3.0, 20.0)
    return ModelCost(
        model=model.name,
        gpu=model.needs_gpu,
        trainings=len(trainings),
        updates=sum(updates.values()),
        predictions=len(predictions),
        requests=requests,
        train_hours=(update.times(sum(updates.values())) + starts.times(len(trainings))).times(1 / 3600),
        predict_hours=(request.times(requests) + starts).times(1 / 3600),
        source=_source(model, trained_here, predicted_here),
    )


def _source(model: Model, trainings: int, predictions: int) -> str:
    if trainings and predictions:
        return f"measured on {trainings} trainings and {predictions} predictions in HOME"
    device = "an H100" if model.needs_gpu else "this CPU"
    if trainings or predictions:
        kept = f"{trainings} trainings" if trainings else f"{predictions} predictions"
        return f"measured on {kept} in HOME, the rest from the number of operations on {device}"
    return f"from the number of operations on {device}; the first runs will tell better"


def _trained(planned: Planned, context: Context) -> bool:
    try:
        return find_adapter(context.home, planned.trained) is not None
    except SlubenchError:  # told when it is to be used
        return False


def _updates(planned: Planned, context: Context) -> int:
    """The updates that the rules give a run; its strategy may use fewer."""
    run = planned.run
    pools = tuple((str(pool), pool.revision) for pool in planned.pools)
    key = ("sizes", run.task.name, pools, run.spends.target, run.spends.all_recordings)
    written, spoken = context.once(key, lambda: cell_sizes(run.task, planned.pools, run.spends))
    return exposure(written, spoken, 0, run.model.recipe(run.track).batch).updates


def _seconds_an_update(model: Model, track: str, home: Home) -> tuple[Bounds, int]:
    """Seconds of an update, and on how many kept trainings that was measured."""
    measured = []
    for card in _cards(home):
        updates = sum(card.ledger.updates)
        if card.base == model.name and card.track == track and updates and card.training.get("seconds"):
            measured.append(float(card.training["seconds"]) / updates)
    if measured:
        return Bounds(*_bounds(measured)), len(measured)
    # Full tuning costs 6 operations a parameter and token, LoRA about 4 (Kaplan et al. 2020).
    each = (6 if track == "full" else 4) * _parameters(model) * model.recipe(track).batch
    return _by_operations(model, each, TRAIN_SHARE), 0


def _seconds_a_request(model: Model, context: Context) -> tuple[Bounds, int]:
    """The same for a request."""
    measured = []
    reports = (
        path
        for card in _cards(context.home)
        if card.base == model.name
        for path in (context.home.runs / card.stem / "answers").glob("*/report.json")
    )
    for path in reports:
        try:
            report = json.loads(path.read_text("utf-8"))
            asked, seconds = int(report["asked"]), float(report["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if asked and report.get("engine") == context.engine:
            measured.append(seconds / asked)
    if measured:
        return Bounds(*_bounds(measured)), len(measured)
    return _by_operations(model, 2 * _parameters(model), PREDICT_SHARE), 0


def _by_operations(model: Model, each_token: float, shares: tuple[float, float]) -> Bounds:
    slow, fast = (share * H100_FLOPS for share in shares) if model.needs_gpu else CPU_FLOPS
    return Bounds(TOKENS[0] * each_token / fast, TOKENS[1] * each_token / slow)


def _parameters(model: Model) -> int:
    return model.parameters or 7 * 10**9


def _cards(home: Home) -> Iterable[Adapter]:
    for path in sorted(home.adapters.glob("*.json")):
        try:
            yield Adapter.load(path)
        except (SlubenchError, OSError):
            continue


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    """The middle half of what was measured; around a single value a third either way."""
    if len(values) < 3:
        return 0.75 * min(values), 1.33 * max(values)
    low, _, high = statistics.quantiles(values, n=4)
    return low, high
