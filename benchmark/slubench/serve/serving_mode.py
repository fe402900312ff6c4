"""Decides which engines a job needs, which weights each loads, and how adapters are served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from slubench.errors import SlubenchError, unknown
from slubench.registry.families import family_of
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.serve.checkpoint import is_checkpoint, require_whole
from slubench.serve.read_adapter import AdapterFiles, inspect

LIVE: Final = "live"
MERGED: Final = "merged"
NATIVE: Final = "native"
SERVINGS: Final = ("auto", LIVE, MERGED)


@dataclass(frozen=True)
class Load:
    """The work of one engine.

    Attributes:
        serving: `live`: base weights, adapters applied while serving. `merged`: weights with one adapter
            merged in. `native`: weights as they are, the base's or a whole checkpoint's.
        why: Why not live, where it is not; otherwise why it is.
        askings: What it is asked, in order.
        weights: The adapter to merge, or the whole checkpoint; None for the base's own weights.
    """

    serving: str
    why: str
    askings: tuple[AdapterRequests, ...]
    weights: Path | None = None


def read_adapters(job: PredictJob) -> dict[str, AdapterFiles]:
    """Inspect every adapter of the job, by folder.

    Raises:
        SlubenchError: One of them cannot be used.
    """
    family = family_of(job.model.family, job.model.family_file)
    adapters: dict[str, AdapterFiles] = {}
    for asking in job.askings:
        if not asking.adapter or asking.adapter in adapters:
            continue
        folder = Path(asking.adapter)
        if is_checkpoint(folder):
            require_whole(folder, family)
        else:
            found = inspect(folder, job.model)
            if not job.model.vllm_architecture:
                no_class = f"a base model of the family {family.name}, which has no vLLM class with live LoRA"
                found = replace(found, obstacles=(*found.obstacles, no_class))
            adapters[asking.adapter] = found
    return adapters


def plan(job: PredictJob, adapters: Mapping[str, AdapterFiles]) -> list[Load]:
    """Divide the requests among engines.

    A single adapter is merged, since live LoRA costs speed; several are carried live by one engine, since
    starting engines costs more. The whole job counts, what is answered already included, so that a
    resumed job is served as it was begun.

    Args:
        job: The job; its `serving` is `auto`, `live` or `merged`.
        adapters: What `read_adapters` gave.

    Raises:
        SlubenchError: `live` was asked for an adapter that live LoRA can't carry.
    """
    if job.serving not in SERVINGS:
        raise unknown("serving", job.serving, SERVINGS)
    distinct = {asking.adapter for asking in job.askings if asking.adapter in ("", *adapters)}
    carried = {name for name, adapter in adapters.items() if adapter.live}
    if job.serving == LIVE:
        for name in adapters.keys() - carried:
            reasons = "; ".join(adapters[name].obstacles)
            raise SlubenchError(
                f"The adapter {name} cannot be served as live LoRA: it has {reasons}. "
                "Use --serving merged, or auto, which merges such adapters."
            )
    live = job.serving == LIVE or (job.serving == "auto" and len(distinct & {"", *carried}) > 1)
    groups: dict[tuple[str, str], list[AdapterRequests]] = {}
    for asking in job.askings:
        if asking.adapter in carried and live:
            key = (LIVE, "")
        elif asking.adapter in adapters:
            key = (MERGED, asking.adapter)
        elif not asking.adapter and live and carried:
            key = (LIVE, "")
        else:
            key = (NATIVE, asking.adapter)
        groups.setdefault(key, []).append(asking)
    return [
        Load(
            serving,
            _why(serving, name, adapters, job, len(distinct)),
            tuple(askings),
            Path(name) if name else None,
        )
        for (serving, name), askings in groups.items()
    ]


def _why(
    serving: str, name: str, adapters: Mapping[str, AdapterFiles], job: PredictJob, distinct: int
) -> str:
    if serving == LIVE:
        return "asked for" if job.serving == LIVE else f"{distinct} sets of weights share one engine"
    if serving == NATIVE:
        return "a whole checkpoint" if name else "no adapter"
    if adapters[name].obstacles:
        return "not possible as live LoRA: " + "; ".join(adapters[name].obstacles)
    return "asked for" if job.serving == MERGED else "a single adapter is faster when merged"
