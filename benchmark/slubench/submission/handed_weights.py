"""Lays the weights of a handed-in adapter ready: those of the card, beside a config of our own."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

from slubench.model import Model
from slubench.run import Run
from slubench.submission.case import Case
from slubench.submission.desk import Desk
from slubench.submission.finding import Finding, Refusal, shown
from slubench.submission.plain import opened
from slubench.weights import locate


def lay_weights(case: Case, run: Run, folder: Path, adapters: Path | None, desk: Desk) -> str:
    """The folder of the weights, with a config that follows from the recipe and not from the bundle.

    Raises:
        Refusal: Weights are missing, are not those of the card, or are no safetensors.
    """
    assert case.claim is not None
    folder.mkdir(parents=True)
    card = case.claim.card
    if not card.sha256:
        return ""
    listed = {Path(path).name: path for path in case.entry.weights}
    for name, digest in card.sha256.items():
        if name in listed:
            source, told = case.bundle.folder / listed[name], listed[name]
        elif adapters is not None:
            # Of a card only its fingerprint, which was checked, leads to a folder of this machine's.
            source = adapters / f"{run.training}-{card.fingerprint[:8]}" / Path(name).name
            told = str(source)
        else:
            raise Refusal(Finding(case.entry.file("card.json"), _NO_WEIGHTS.format(name=shown(name))))
        _take(source, folder / Path(name).name, digest, told)
    if run.track == "full":
        _complete(folder, desk, run.model)
    else:
        config = _config(run.model, run.track)
        (folder / "adapter_config.json").write_text(json.dumps(config, indent=1), "utf-8")
    return str(folder)


_NO_WEIGHTS = (
    "its weights {name} do not come along, and without them nothing can be asked again;"
    " hand in with --with-adapters, or name a folder that holds them with --adapters DIR"
)


def _take(source: Path, target: Path, digest: str, told: str) -> None:
    """Copy weights that are safetensors and those of the card."""
    from safetensors import SafetensorError

    if target.suffix != ".safetensors":
        raise Refusal(Finding(told, "weights are safetensors; a pickle may run code when it is read"))
    try:
        with opened(source, told) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        with target.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != digest:
            raise Refusal(
                Finding(told, f"its SHA-256 is {found[:12]}; the card tells of {shown(digest[:12])}")
            )
        _tensors(target)
    except SafetensorError as error:
        raise Refusal(Finding(told, f"it is no safetensors file ({shown(str(error), 160)})")) from None


def _config(model: Model, track: str) -> dict[str, object]:
    """The config, as peft reads it, of an adapter trained by the model's recipe."""
    recipe = model.recipe(track)
    return {
        "peft_type": "LORA",
        "base_model_name_or_path": None,
        "r": recipe.rank,
        "lora_alpha": recipe.alpha,
        "lora_dropout": recipe.dropout,
        "target_modules": model.lora_modules,
        "modules_to_save": [model.projector] if track == "lora-lm+projector" else None,
        "bias": "none",
        "inference_mode": True,
    }


def _complete(folder: Path, desk: Desk, model: Model) -> None:
    """Lay the base model's own config, tokenizer and processor beside a whole checkpoint's weights."""
    located, _ = locate(model, desk.digests)
    for path in Path(located.repository).iterdir():
        if path.suffix in (".json", ".jinja", ".txt") and not path.name.endswith(".index.json"):
            shutil.copyfile(path, folder / path.name)
    parts = sorted(folder.glob("*.safetensors"))
    if len(parts) > 1:
        places = {name: part.name for part in parts for name in _tensors(part)}
        index = json.dumps({"metadata": {}, "weight_map": places})
        (folder / "model.safetensors.index.json").write_text(index, "utf-8")


def _tensors(path: Path) -> list[str]:
    from safetensors import safe_open

    with safe_open(path, framework="numpy") as weights:
        return list(weights.keys())
