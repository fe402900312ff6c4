"""Looks up a model's family in the training and serving processes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from slubench.domain.family import Family
from slubench.errors import DeclarationError
from slubench.registry.kinds import BY_NAME
from slubench.registry.load import load_file
from slubench.registry.registry import Registry


@cache
def family_of(model_type: str, file: str = "") -> Family:
    """The family of a `model_type`.

    Args:
        model_type: As `config.json` names it.
        file: The file that declares the family; empty where it is shipped or a plugin's.

    Raises:
        DeclarationError: The file is not there, does not import, or declares no such family.
        UsageError: No family of that name is declared.
    """
    if not file:
        return Registry().family(model_type)
    path = Path(file)
    if not path.is_file():
        raise DeclarationError(
            f"The file {path}, which declared the family {model_type!r}, no longer exists."
        )
    declared: list[Family] = load_file(path, BY_NAME["family"]).declarations
    for family in declared:
        if model_type in family.model_types:
            return family
    raise DeclarationError(f"{path} no longer declares a family {model_type!r}.")
