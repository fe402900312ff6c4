"""Finds a model's weights without loading them, and says which weights they are."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

from slubench.domain.model import Model
from slubench.errors import MissingError, UsageError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.runtime.engines import has_cuda

CONVENTIONS = "slubench.json"


def choose_model(name: str, registry: Registry) -> Model:
    """The declared model of that name, or the checkpoint in the folder of that path.

    A folder follows the conventions of the declared model that its `slubench.json` names
    (`{"follows": "tiny"}`), else of the first declared model of its `model_type`.

    Raises:
        UsageError: There is no such model, or no declared model has the folder's architecture.
        MissingError: The folder holds no checkpoint.
    """
    folder = Path(name).expanduser()
    if name.endswith(".py") or name in registry.models or not ("/" in name or folder.is_dir()):
        return registry.model(name)
    config = folder / "config.json"
    if not config.is_file():
        raise MissingError(f"--model {name}: {config} is not there; a checkpoint's folder holds one.")
    family = json.loads(config.read_text("utf-8")).get("model_type", "")
    note = folder / CONVENTIONS
    if note.is_file():
        declared = registry.model(str(json.loads(note.read_text("utf-8")).get("follows", "")))
    else:
        of_family = [model for model in registry.models.values() if model.family == family]
        if not of_family:
            families = ", ".join(sorted({model.family for model in registry.models.values()}))
            raise UsageError(
                f"--model {name}: no declared model has the architecture {family!r} (there are: {families})."
                f" Name the one it follows in {note}: " + '{"follows": "NAME"}'
            )
        declared = of_family[0]
    return dataclasses.replace(
        declared, name=folder.resolve().name.lower(), repository=str(folder.resolve()), revision=None
    )


def locate(model: Model, digests: Digests) -> tuple[Model, str]:
    """The model with its weights' folder and the commit or digest of its weights.

    Raises:
        MissingError: The model needs a GPU and there is none, or its weights are nowhere.
    """
    if model.needs_gpu and not has_cuda():
        raise MissingError(
            f"{model.name} needs a CUDA GPU and none is present (looked for with libcuda;"
            f" CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')})."
            " Meanwhile `--edition mini` runs on any machine, and `--model tiny` on any corpus."
        )
    folder = Path(model.repository)
    if folder.is_absolute():
        files = sorted(p for p in folder.glob("*") if p.suffix in (".json", ".safetensors", ".jinja"))
        if not any(file.suffix == ".safetensors" for file in files):
            raise MissingError(
                f"The weights of {model.name} are not there: no *.safetensors in {folder}."
                " Install slubench again, or make them with: make mini"
            )
        return model, digests.of_files(files)
    return _from_hub(model)


def _from_hub(model: Model) -> tuple[Model, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    patterns = ["*.json", "*.safetensors", "*.txt", "*.jinja"]
    try:
        snapshot = Path(snapshot_download(model.repository, revision=model.revision, allow_patterns=patterns))
    except (GatedRepoError, LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise MissingError(
            f"The weights of {model.name} ({model.repository}) are neither in the Hub's cache nor could they"
            f" be fetched ({type(error).__name__}). Fetch them with: hf download {model.repository}"
            " or name a checkpoint's folder with --model DIR. Meanwhile `--edition mini` runs everywhere."
        ) from error
    return dataclasses.replace(model, repository=str(snapshot)), f"{model.repository}@{snapshot.name}"
