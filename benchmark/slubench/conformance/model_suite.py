"""The suite over one model: its declaration here, and its architecture in a process that has torch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

from slubench.conformance.declarations import model_declared
from slubench.conformance.model_requirements import IN_PROCESS, REPORT
from slubench.conformance.verdict import FAIL, NOT_CHECKED, PASS, Verdict, judged
from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.domain.peft_method import TRACKS
from slubench.errors import SlubenchError
from slubench.registry.families import family_of
from slubench.registry.weights import CPU_BYTES, config_at_hand
from slubench.runtime.child_process import run_module
from slubench.runtime.files import write_text

KNOWN, CONFIG, TRACKS_TOLD = "family is known", "config matches its family", "has recipes"


def check_model(model: Model, folder: Path, say: Callable[[str], None] = lambda line: None) -> list[Verdict]:
    """Check a model; what is not at hand is `not checked`, with the reason. Nothing is fetched.

    Args:
        model: The model, what it leaves to its family filled in.
        folder: Empty; all that is written lies in it.
        say: Told each step in a line.
    """
    verdicts = [model_declared(model)]
    try:
        family = family_of(model.family, model.family_file)
    except SlubenchError as error:
        remedy = "Declare the family in a file in HOME/families, see docs/models.md."
        return [*verdicts, Verdict(KNOWN, FAIL, str(error), remedy), *_rest("its family is unknown")]
    verdicts += [Verdict(KNOWN, PASS, _told(model, family)), _recipes(model, family)]
    config = config_at_hand(model)
    if config is None:
        reason = f"the config.json of {model.repository} was found neither in a folder nor in the Hub's cache"
        return [*verdicts, Verdict(CONFIG, NOT_CHECKED, reason), *_rest("its config is not available")]
    found = str(config.get("model_type", ""))
    wrong = [] if found in family.model_types else [f"its model_type is {found!r}, not {family.name!r}"]
    wrong += [reason] if (reason := family.refuses(config)) else []
    verdicts.append(judged(CONFIG, wrong, "Declare the family of the checkpoint.", f"model_type {found}"))
    if wrong:
        return [*verdicts, *_rest("fix the failures above first")]
    return [*verdicts, *_in_process(_located(model), folder, say)]


def _located(model: Model) -> Model:
    """The model with the folder of what the Hub's cache holds of it."""
    if Path(model.repository).is_absolute():
        return model
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(model.repository, "config.json", revision=model.revision)
    return dataclasses.replace(model, repository=str(Path(str(cached)).parent))


def _in_process(model: Model, folder: Path, say: Callable[[str], None]) -> list[Verdict]:
    weights = list(Path(model.repository).glob("*.safetensors"))
    size = sum(file.stat().st_size for file in weights)
    if not weights:
        withheld = f"there are no weights in {model.repository}"
    elif size > CPU_BYTES:
        withheld = f"its weights take {size / 2**30:.1f} GiB, and at most 2 GiB are tested"
    else:
        withheld = ""
    say(f"building {model.name} from its config" + ("" if withheld else ", then training it and predicting"))
    job, report = folder / "model.json", folder / REPORT
    write_text(job, json.dumps({"model": model.to_json(), "withheld": withheld}, indent=1))
    run_module("slubench.conformance.model_process", job)
    return [Verdict(**one) for one in json.loads(report.read_text("utf-8"))]


def _told(model: Model, family: Family) -> str:
    way = family.vllm
    if way is None:
        serving = "not by vLLM"
    elif model.vllm_architecture:
        serving = f"vLLM with live LoRA ({model.vllm_architecture})"
    else:
        serving = "vLLM, adapters merged"
    return f"{family.name}, served {serving}"


def _recipes(model: Model, family: Family) -> Verdict:
    possible = [track for track in TRACKS if family.parts.projector or track != "lora-lm+projector"]
    lacking = [track for track in possible if track not in model.tracks]
    beyond = [track for track in model.recipes if track not in possible]
    wrong = [f"a recipe for {track}, which the family does not support" for track in beyond]
    if not model.recipes:
        wrong.append("no recipe")
    found = ", ".join(model.recipes) + (f"; none for {', '.join(lacking)}" if lacking else "")
    return judged(TRACKS_TOLD, wrong, "Declare a Recipe for each track in recipes=.", found)


def _rest(reason: str) -> list[Verdict]:
    return [Verdict(what, NOT_CHECKED, reason) for what in IN_PROCESS]
