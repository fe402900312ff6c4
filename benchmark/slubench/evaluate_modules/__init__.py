"""The measures as modules of Hugging Face's `evaluate`, a folder each, that load from a path without network.

`evaluate.load(slubench.evaluate_path("slurp_slu"))`; the folder's README is the module's card.
"""

from __future__ import annotations

from pathlib import Path

from slubench.errors import unknown

MODULES = Path(__file__).parent


def evaluate_path(name: str) -> str:
    """The path that `evaluate.load` takes, without network, for a module of this package.

    Args:
        name: `slurp_slu`, `slu_slots`, `massive_slots` or `word_errors`; each has a card beside it.

    Raises:
        UsageError: There is no such module; the message holds the near names.
    """
    names = [path.parent.name for path in MODULES.glob("*/README.md")]
    if name not in names:
        raise unknown("evaluate module", name, names)
    return str(MODULES / name)
