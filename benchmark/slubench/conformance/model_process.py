"""Builds, trains and tests a model: `python -m slubench.conformance.model_process model.json`.

Shapes come from the config, on torch's `meta` device. Numbers come from the checkpoint itself where it is
small enough for any machine: clips of 1, 4 and 12 s and a text, alone and together. The verdicts are written
beside the job.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from slubench.conformance.model_numbers import numbers
from slubench.conformance.model_requirements import LORA, NUMBERS, PARTS, REPORT
from slubench.conformance.verdict import FAIL, NOT_CHECKED, Verdict, judged
from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.errors import SlubenchError
from slubench.registry.families import family_of
from slubench.runtime.files import write_text
from slubench.train.tracks import adapted_modules


def main(path: Path) -> int:
    """Check a model; returns the exit code."""
    os.environ["HF_HUB_OFFLINE"] = "1"
    job = json.loads(path.read_text("utf-8"))
    model = Model.from_json(job["model"])
    family = family_of(model.family, model.family_file)
    verdicts = shapes(model, family)
    if job["withheld"]:
        verdicts += [Verdict(what, NOT_CHECKED, job["withheld"]) for what in NUMBERS]
    elif any(verdict.state == FAIL for verdict in verdicts):
        verdicts += [Verdict(what, NOT_CHECKED, "fix the failures above first") for what in NUMBERS]
    else:
        verdicts += numbers(model, family, path.parent)
    told = [verdict._asdict() for verdict in verdicts]
    write_text(path.with_name(REPORT), json.dumps(told, ensure_ascii=False))
    return 0


def shapes(model: Model, family: Family) -> list[Verdict]:
    """What the architecture's modules say, built from the config without weights."""
    try:
        built = build(model, family)
    except (OSError, ValueError, AttributeError, ImportError) as error:
        reason = f"the architecture cannot be built from its config: {type(error).__name__}: {error}"
        remedy = f"Fix the config, or `loader` of the family {family.name}."
        return [Verdict(PARTS, FAIL, reason, remedy), Verdict(LORA, NOT_CHECKED, "it cannot be built")]
    missing = list(_missing(built, family))
    parts = judged(
        PARTS, missing, f"Fix `parts` of the family {family.name}.", ", ".join(asdict(family.parts).values())
    )
    if missing:
        return [parts, Verdict(LORA, NOT_CHECKED, "a part is missing")]
    return [parts, lora(built, model, family)]


def build(model: Model, family: Family) -> Any:
    """The architecture of a config on the device that holds shapes alone."""
    import transformers

    loader: Any = getattr(transformers, family.loader)
    if family.loader.startswith("Auto"):
        config = transformers.AutoConfig.from_pretrained(model.repository)
        with torch.device("meta"):
            return loader.from_config(config)
    # A class of one part reads its own section of a config of the whole.
    config = loader.config_class.from_pretrained(model.repository)
    with torch.device("meta"):
        return loader(config)


def _missing(built: Any, family: Family) -> Iterator[str]:
    for name, dotted in asdict(family.parts).items():
        try:
            built.get_submodule(dotted)
        except AttributeError as error:
            yield f"{name}={dotted!r}: {error}"
    if not hasattr(built.config, family.audio_token):
        yield f"its config has no {family.audio_token!r}, the placeholder's id"


def lora(built: Any, model: Model, family: Family) -> Verdict:
    """LoRA matches linear layers of the language model alone, and some in each of its layers."""
    remedy = "Fix `lora_modules` of the model or its family."
    try:
        names = adapted_modules(built, model)
    except SlubenchError as error:
        return Verdict(LORA, FAIL, str(error), remedy)
    numbers = Counter(found[1] for name in names if (found := re.search(r"\.layers\.(\d+)\.", name)))
    layers = int(built.config.get_text_config().num_hidden_layers)
    wrong = [f"no module of layer {n}" for n in range(layers) if not numbers[str(n)]]
    kinds = sorted({name.rpartition(".")[2] for name in names})
    return judged(LORA, wrong, remedy, f"{len(names)} linear layers in {layers} layers: {', '.join(kinds)}")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
