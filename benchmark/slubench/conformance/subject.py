"""What is checked: a strategy by its name or file, with the file that declares it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from slubench.domain.strategy import Strategy
from slubench.errors import DeclarationError
from slubench.registry import Registry


@dataclass(frozen=True)
class Subject:
    """A strategy that is checked.

    Attributes:
        name: Its name, where it is found by it; else empty.
        file: Real path of the file that declares it.
        registry: Where names are looked up.
    """

    name: str
    file: Path
    registry: Registry

    def strategy(self) -> Strategy:
        """The strategy itself; its file is imported.

        Raises:
            DeclarationError: It does not import, or another of its name is declared elsewhere.
        """
        return self.registry.strategy(self.name or str(self.file))


def named(name: str, registry: Registry) -> Subject:
    """The strategy of that name.

    Raises:
        UsageError: There is none.
        DeclarationError: A plugin's file is not to be found.
    """
    origin = registry.origin(registry.strategy(name))
    return Subject(name, source_of(origin), registry)


def in_file(path: Path, registry: Registry) -> Subject:
    """The strategy of a file, which is not imported yet.

    Raises:
        DeclarationError: There is no such file.
    """
    if not path.is_file():
        raise DeclarationError(
            f"There is no strategy file {path}. `slubench new strategy my-idea` writes one to start from."
        )
    return Subject("", path.resolve(), registry)


def source_of(origin: str) -> Path:
    """The file of a declaration, from what the registry says of its origin.

    Raises:
        DeclarationError: A plugin's module has no source.
    """
    if Path(origin).is_file():
        return Path(origin).resolve()
    module = origin.rpartition("(")[2].rstrip(")").partition(":")[0]
    spec = find_spec(module) if module else None
    if spec is None or spec.origin is None or not Path(spec.origin).is_file():
        raise DeclarationError(f"The source of {origin} was not found, so it cannot be checked.")
    return Path(spec.origin).resolve()
