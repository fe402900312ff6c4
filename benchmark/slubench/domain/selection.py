"""Selection: which weights of a run count, and on what its validation loss is measured (RULES.md)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

LAST = "last"
SLICE = 10
"""`val-clips` keeps one in this many bought clips out of training, and at least one."""


@dataclass(frozen=True)
class Selection:
    """What a run looks at besides its training data.

    Attributes:
        text: Whether the loss is watched on the text of the validation split.
        slice: Whether it is watched on a slice of the run's own bought clips, which are not learnt then.
        oracle: Whether it is watched on the spoken validation split, and the weights of the least loss count
            in place of the last. That split is nine times a budget of 2 %, which nobody bought.
        ranked: Whether the rules rank it. A run that learns a slice of its clips less than the others of its
            cell stands apart, too.
    """

    text: bool = False
    slice: bool = False
    oracle: bool = False
    ranked: bool = True

    @property
    def splits(self) -> bool:
        """Whether it uses the validation split."""
        return self.text or self.oracle


SELECTIONS: Mapping[str, Selection] = {
    LAST: Selection(),
    "val-text": Selection(text=True),
    "val-clips": Selection(slice=True, ranked=False),
    "oracle-selection": Selection(oracle=True, ranked=False),
}

RENAMED: Mapping[str, str] = {"watch-text": "val-text", "watch-clips": "val-clips"}
"""The names until 0.2, as in cards, rulesets and fingerprints of that time, and the current ones."""


def renamed(name: str) -> str:
    """A selection, or a ruleset or run name that contains one, with current names."""
    for before, now in RENAMED.items():
        # Parts of a ruleset are joined by +, those of a run's name by --.
        name = re.sub(rf"(?:(?<=\+)|(?<=--)|^){before}(?=\+|--|$)", now, name)
    return name
