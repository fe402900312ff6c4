"""Finds and identifies a model's weights without loading them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from slubench.domain.model import Model
from slubench.errors import DeclarationError, MissingError, UsageError
from slubench.registry import Registry
from slubench.registry.families import family_of
from slubench.runtime.digest import Digests
from slubench.runtime.files import read_object
from slubench.runtime.machine import require_gpu

CONVENTIONS = "slubench.json"
FETCHED = ("*.json", "*.safetensors", "*.txt", "*.jinja")
"""The files of a model's repository that are downloaded."""
CPU_BYTES = 2 * 2**30
"""A checkpoint in a folder with at most this many bytes of weights also runs on a CPU."""


def choose_model(name: str, registry: Registry) -> Model:
    """The declared model of that name, or a checkpoint in a folder or on the Hub.

    A checkpoint's family is read from its `config.json` (on the Hub, that file alone is fetched). Its
    conventions are those of the declared model that a `slubench.json` beside it names
    (`{"follows": "tiny"}`), else of the first declared model of its family, else its family's own.

    Args:
        name: A declared name, a folder, or `org/name` on the Hub.
        registry: Where names are looked up.

    Raises:
        UsageError: There is no such model, or its family is not known or refuses it.
        MissingError: The folder holds no checkpoint, or the repository's config cannot be had.
    """
    folder = Path(name).expanduser()
    if name.endswith(".py") or name in registry.models or not ("/" in name or folder.is_dir()):
        model = registry.model(name)
        registry.family(model.family, model.name)
        return model
    local = folder.is_dir() or not _on_hub(name)
    config = read_config(folder) if local else _hub_config(name)
    place = str(folder.resolve()) if local else name
    short = folder.resolve().name.lower() if local else name.partition("/")[2].lower()
    family = registry.family(str(config.get("model_type", "")), f"--model {name}")
    if reason := family.refuses(config) or quantised(config):
        raise UsageError(f"--model {name} cannot be used: {reason}")
    if (folder / CONVENTIONS).is_file():
        note = json.loads((folder / CONVENTIONS).read_text("utf-8"))
        followed: Model | None = registry.model(str(note.get("follows", "")))
    else:
        alike = (model for model in registry.models.values() if model.family in family.model_types)
        followed = next(alike, None)
        if followed is not None:
            # Conventions are those of its family; terms and size are a checkpoint's own.
            own = family.declare(short, place)
            followed = dataclasses.replace(
                followed, licence=own.licence, exposure=own.exposure, parameters=own.parameters
            )
    large = not local or sum(file.stat().st_size for file in folder.glob("*.safetensors")) > CPU_BYTES
    if followed is None:
        return registry.complete(family.declare(short, place, needs_gpu=large))
    # On the Hub the commit is resolved when the weights are fetched.
    return dataclasses.replace(
        followed, name=short, repository=place, revision=None, needs_gpu=followed.needs_gpu and large
    )


def read_config(folder: Path) -> dict[str, Any]:
    """The `config.json` of a checkpoint's folder.

    Raises:
        MissingError: It is not there.
        DataError: It is not a JSON object.
    """
    path = folder / "config.json"
    if not path.is_file():
        raise MissingError(f"--model {folder}: {path} does not exist; a checkpoint's folder contains one.")
    return read_object(path)


def quantised(config: Mapping[str, Any]) -> str:
    """Why a quantised checkpoint cannot be used; empty where it is not quantised.

    Its weights are neither trained nor merged with an adapter here.
    """
    setting = config.get("quantization_config")
    if not setting:
        return ""
    method = setting.get("quant_method", "unknown") if isinstance(setting, dict) else "unknown"
    return (
        f"its weights are quantised ({method}), and adapters are neither trained on nor merged into such"
        " weights here. Give the checkpoint in bfloat16 or float32."
    )


def _on_hub(name: str) -> bool:
    """Whether a name could be that of a Hub repository."""
    organisation, _, repository = name.partition("/")
    parts = (organisation, repository)
    return "/" not in repository and all(part and part[0] not in ".~" for part in parts)


def _hub_config(repository: str, revision: str | None = None) -> dict[str, Any]:
    """The `config.json` of a Hub repository, from the cache or downloaded on its own."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import HfHubHTTPError

    try:
        path = hf_hub_download(repository, "config.json", revision=revision)
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise MissingError(
            f"The config.json of {repository} is not in the Hub's cache and cannot be downloaded"
            f" ({type(error).__name__}). Download the model with: hf download {repository}"
            " or give a checkpoint's folder with --model DIR."
        ) from error
    return read_config(Path(path).parent)


def config_at_hand(model: Model) -> dict[str, Any] | None:
    """A model's `config.json` from its folder or the Hub's cache; None if it is in neither."""
    folder = Path(model.repository)
    if folder.is_absolute():
        return read_config(folder) if (folder / "config.json").is_file() else None
    from huggingface_hub import try_to_load_from_cache

    cached = try_to_load_from_cache(model.repository, "config.json", revision=model.revision)
    return read_config(Path(cached).parent) if isinstance(cached, str) else None


def locate(model: Model, digests: Digests) -> tuple[Model, str]:
    """The model with the folder of its weights and their commit or digest.

    Raises:
        MissingError: The model needs a GPU and torch can use none, or its weights are nowhere.
    """
    require_gpu(model)
    folder = Path(model.repository)
    if folder.is_absolute():
        files = sorted(p for p in folder.glob("*") if p.suffix in (".json", ".safetensors", ".jinja"))
        if not any(file.suffix == ".safetensors" for file in files):
            raise MissingError(
                f"The weights of {model.name} are missing: no *.safetensors in {folder}. Install slubench"
                " again, or build them with: make mini"
            )
        if (folder / "config.json").is_file():
            _check_family(model, read_config(folder))
        return model, digests.of_files(files)
    # A few kilobytes tell whether the gigabytes are wanted.
    _check_family(model, _hub_config(model.repository, model.revision))
    return _from_hub(model)


def _check_family(model: Model, config: Mapping[str, Any]) -> None:
    family, found = family_of(model.family, model.family_file), str(config.get("model_type", ""))
    if found not in family.model_types:
        raise DeclarationError(
            f"{model.name} is declared as {model.family}, but the config.json of {model.repository} says"
            f" {found!r}. Correct its declaration, or give another checkpoint with --model DIR."
        )
    if reason := family.refuses(config) or quantised(config):
        raise UsageError(f"{model.name} cannot be used: {reason}")


def weights_at_hand(model: Model) -> bool:
    """Whether all weights of a model lie in its folder or in the Hub's cache."""
    folder = Path(model.repository)
    if not folder.is_absolute():
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import LocalEntryNotFoundError

        try:
            folder = Path(snapshot_download(model.repository, revision=model.revision, local_files_only=True))
        except (LocalEntryNotFoundError, OSError, ValueError):
            return False
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        shards = set(read_object(index).get("weight_map", {}).values())
        return bool(shards) and all((folder / shard).is_file() for shard in shards)
    return any(folder.glob("*.safetensors"))


def _from_hub(model: Model) -> tuple[Model, str]:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    try:
        snapshot = Path(
            snapshot_download(model.repository, revision=model.revision, allow_patterns=list(FETCHED))
        )
    except (GatedRepoError, LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise MissingError(
            f"The weights of {model.name} ({model.repository}) are not in the Hub cache and cannot "
            f"be downloaded ({type(error).__name__}). Download them with: hf download "
            f"{model.repository} or use --model DIR with the folder of a checkpoint. `--edition "
            "mini` runs without any download."
        ) from error
    return dataclasses.replace(model, repository=str(snapshot)), f"{model.repository}@{snapshot.name}"
