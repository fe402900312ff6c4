"""An adapter: the result of training, as a card in `adapters_registry/` with the weights beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from slubench.domain.ledger import Ledger
from slubench.domain.selection import renamed
from slubench.errors import DataError
from slubench.runtime.digest import Digests
from slubench.runtime.files import write_text
from slubench.runtime.home import Home

CARD_VERSION = 2


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """The card of an adapter.

    Attributes:
        name: Readable name; the card lies at `<name>-<fingerprint's first 8>.json`.
        fingerprint: The training's fingerprint.
        base: The base model's name and repository.
        weights: Commit or digest of the base model's weights.
        track: Which parts learnt.
        strategy: Name of the strategy, with its file's digest.
        strategy_digest: SHA-256 of the strategy's file, or empty.
        corpus: Name of the corpus learnt from.
        pools: Revision of each pool, by corpus, language and split.
        budget: The speech budget as given, normalised.
        data_seed: Seed of the clips.
        train_seed: Seed of the rest.
        edition: Edition.
        ruleset: Ruleset.
        recipe: Hyper-parameters.
        ledger: What was consumed.
        training: What the training process measured: seconds, loss curve, device, versions, FLOPs.
        licence: Terms that the adapter inherits.
        sha256: Digest of each weights file.
        version: Version of this card's layout.
    """

    name: str
    fingerprint: str
    base: str
    weights: str
    track: str
    strategy: str
    strategy_digest: str
    corpus: str
    pools: dict[str, str]
    budget: str
    data_seed: int
    train_seed: int
    edition: str
    ruleset: str
    recipe: dict[str, Any]
    ledger: Ledger
    training: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    sha256: dict[str, str] = field(default_factory=dict)
    version: int = CARD_VERSION

    @property
    def stem(self) -> str:
        """The card's file name without its ending; also the name of the folder of weights."""
        return stem(self.name, self.fingerprint)

    def folder(self, home: Home) -> Path | None:
        """The folder of weights, or None if nothing was trained."""
        return home.adapters / self.stem if self.sha256 else None

    def save(self, home: Home) -> Path:
        """Write the card. It is written last, so an adapter with a card is complete."""
        path = home.adapters / f"{self.stem}.json"
        write_text(path, card_text(asdict(self)))
        return path

    @classmethod
    def load(cls, path: Path) -> Adapter:
        """Read a card of this version or an earlier one.

        Raises:
            DataError: It is not a card, or of a later version.
        """
        try:
            content: dict[str, Any] = json.loads(path.read_text("utf-8"))
            version = content.get("version", 1)
        except (ValueError, AttributeError) as error:
            raise DataError(f"{path} is not a readable card ({_why(error)}). {_REMEDY}") from None
        if not isinstance(version, int) or version > CARD_VERSION:
            raise DataError(
                f"{path} is a card of version {version}; this version of slubench reads versions up to"
                f" {CARD_VERSION}. Update slubench, or move the card elsewhere."
            )
        try:
            ledger = Ledger.from_json(content["ledger"])
            present = {"ledger": ledger, "ruleset": renamed(content["ruleset"]), "version": CARD_VERSION}
            card = cls(**{**content, **present})
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DataError(f"{path} is not a readable card ({_why(error)}). {_REMEDY}") from None
        wrong = next((name for name, kind in _KINDS.items() if not isinstance(getattr(card, name), kind)), "")
        if wrong or not all(isinstance(part, str) for part in card.sha256.values()):
            raise DataError(f"{path} is not a readable card (wrong type of {wrong or 'sha256'}). {_REMEDY}")
        return card


_KINDS: Final = {
    **dict.fromkeys(("name", "fingerprint", "base", "weights", "track", "strategy", "budget"), str),
    **dict.fromkeys(("pools", "recipe", "training", "sha256"), dict),
}
_REMEDY: Final = "Delete it and the folder of the same name; the same command then trains it again."


def _why(error: Exception) -> str:
    return f"lacks {error}" if isinstance(error, KeyError) else str(error).splitlines()[0][:200]


def card_text(content: Mapping[str, Any]) -> str:
    """A card as JSON, one line for each field and for each entry of its ledger and training."""
    lines = []
    for name, value in content.items():
        if name in ("ledger", "training") and value:
            facts = ",\n  ".join(f"{json.dumps(key)}: {_line(fact)}" for key, fact in value.items())
            lines.append(f"{json.dumps(name)}: {{\n  {facts}\n }}")
        else:
            lines.append(f"{json.dumps(name)}: {_line(value)}")
    return "{\n " + ",\n ".join(lines) + "\n}\n"


def _line(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def stem(name: str, fingerprint: str) -> str:
    """A readable name, made unique by the first digits of the fingerprint."""
    return f"{name}-{fingerprint[:8]}"


def find_card(home: Home, fingerprint: str) -> Adapter | None:
    """The card of that fingerprint, whether or not its weights are there."""
    cards = map(Adapter.load, sorted(home.adapters.glob(f"*-{fingerprint[:8]}.json")))
    return next((card for card in cards if card.fingerprint == fingerprint), None)


def find_adapter(home: Home, fingerprint: str) -> Adapter | None:
    """The trained adapter of that fingerprint, if its card and weights are there.

    Raises:
        DataError: Its card cannot be read, or its weights are not those that the card names.
    """
    adapter = find_card(home, fingerprint)
    folder = adapter.folder(home) if adapter is not None else None
    if adapter is None or (folder is not None and not folder.is_dir()):
        return None
    if folder is not None:
        require_intact(adapter, folder, home)
    return adapter


def require_intact(adapter: Adapter, folder: Path, home: Home) -> None:
    """Check that the weights are those that were trained; a file with a cached digest is not read.

    Raises:
        DataError: A file is missing or another one than the card names.
    """
    digests = Digests(home.digests)
    for name, expected in adapter.sha256.items():
        file = folder / name
        if not file.is_file() or digests.of_file(file) != expected:
            state = "damaged or replaced since it was trained" if file.is_file() else "missing"
            raise DataError(
                f"{file} is {state}: its card names SHA-256 {expected[:12]}... Put the file back, or delete"
                f" {folder} and {folder}.json; the same command then trains it again."
            )
