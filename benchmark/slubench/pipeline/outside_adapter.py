"""An adapter that was trained elsewhere: read in peft's layout, its modules given their present names."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.errors import DataError, MissingError
from slubench.runtime.digest import sha256_of
from slubench.runtime.files import read_object

CONFIG: Final = "adapter_config.json"
WEIGHTS: Final = "adapter_model.safetensors"
PREFIX: Final = "base_model.model."
_KEY: Final = re.compile(r"(?P<module>.+)\.(?P<matrix>lora_(?:A|B))(?:\.default)?\.weight")


@dataclass(frozen=True)
class OutsideAdapter:
    """An adapter that was trained elsewhere.

    Attributes:
        folder: Where it lies.
        config: Its adapter_config.json.
    """

    folder: Path
    config: Mapping[str, Any]

    @property
    def base(self) -> str:
        """The model that it was trained on, as its config names it."""
        return str(self.config.get("base_model_name_or_path") or "")

    @property
    def sha256(self) -> str:
        """Digest of its weights."""
        return sha256_of(self.folder / WEIGHTS)


def read_outside(folder: Path) -> OutsideAdapter:
    """Read an adapter's config and see that its weights are there.

    Raises:
        MissingError: The folder, its config or its weights are not there.
        DataError: It is no LoRA adapter in peft's layout.
    """
    folder = folder.expanduser()
    path = folder / CONFIG
    if not path.is_file():
        raise MissingError(
            f"--adapter {folder}: there is no {CONFIG} in it. Name the folder of an adapter as peft saves it."
        )
    config = read_object(path)
    if (kind := config.get("peft_type", "LORA")) != "LORA":
        raise DataError(f"{path}: its peft_type is {kind!r}, and LORA alone is evaluated.")
    if not (folder / WEIGHTS).is_file():
        raise MissingError(
            f"--adapter {folder}: there is no {WEIGHTS} in it. Save the adapter as safetensors;"
            " pickled weights are not read."
        )
    return OutsideAdapter(folder.resolve(), config)


def write_present(adapter: OutsideAdapter, model: Model, family: Family, folder: Path) -> Path:
    """Write the adapter under the names that its model's modules have today; tensors are copied as they are.

    Args:
        adapter: The adapter.
        model: The model that it is evaluated on.
        family: The model's family, which knows the older names.
        folder: Written into.

    Returns:
        The folder.

    Raises:
        DataError: It holds something other than LoRA on the language model's linear layers.
    """
    source = adapter.folder / WEIGHTS
    header, rest = _header(source)
    renamed: dict[str, Any] = {}
    modules = set()
    for name, entry in header.items():
        if name == "__metadata__":
            renamed[name] = entry
            continue
        found = _KEY.fullmatch(name.removeprefix(PREFIX))
        if found is None or not name.startswith(PREFIX):
            raise DataError(
                f"{source} holds {name!r}, which is no LoRA matrix in peft's layout"
                f" ({PREFIX}MODULE.lora_A.weight)."
            )
        module = _present(found["module"], family)
        if not re.fullmatch(model.lora_modules, module):
            raise DataError(
                f"{source} holds LoRA on {found['module']!r}, which is not a linear layer of the language"
                f" model of {model.name} (family {family.name}). They are named as in: {model.lora_modules}"
            )
        modules.add(module)
        key = f"{PREFIX}{module}.{found['matrix']}.weight"
        if key in renamed:
            raise DataError(
                f"{source} holds {found['matrix']} of {module} twice, under two names, the second {name!r}."
                " Save the adapter again with save_pretrained."
            )
        renamed[key] = entry
    if not modules:
        raise DataError(f"{source} holds no weights.")
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(renamed).encode()
    text += b" " * (-len(text) % 8)
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + rest)
    kept = {
        **adapter.config,
        "target_modules": sorted(modules),
        "exclude_modules": None,
        "layers_to_transform": None,
        "layers_pattern": None,
        "modules_to_save": None,
        "inference_mode": True,
        "base_model_name_or_path": model.repository,
    }
    (folder / CONFIG).write_text(json.dumps(kept, indent=1), "utf-8")
    return folder


def _present(module: str, family: Family) -> str:
    for older, present in family.older_names.items():
        if module.startswith(older):
            return present + module.removeprefix(older)
    return module


def _header(path: Path) -> tuple[dict[str, Any], bytes]:
    """The header of a safetensors file and the bytes that follow it."""
    content = path.read_bytes()
    try:
        (length,) = struct.unpack_from("<Q", content)
        if length > len(content) - 8:
            raise ValueError("it is cut short")
        header = json.loads(content[8 : 8 + length])
        if not isinstance(header, dict):
            raise ValueError("its header is not a JSON object")
    except (struct.error, ValueError) as error:
        raise DataError(f"{path} is not a readable safetensors file ({error}).") from None
    return header, content[8 + length :]
