"""Target data: data in the test's language for cross-lingual runs (RULES.md, "Budgets")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A condition on target-language data; `few` means the published 115 pairs.

    Attributes:
        few_text: Whether the transcripts of the few are read.
        few_speech: Whether the recordings of the few are heard.
        all_text: Whether all of the language's text is read.
    """

    few_text: bool = False
    few_speech: bool = False
    all_text: bool = False

    @property
    def few(self) -> bool:
        """Whether the published 115 are needed."""
        return self.few_text or self.few_speech


# In Choi et al. (arXiv 2509.15389): nothing, T, T+S, T+M and T+S+M.
TARGETS: Mapping[str, Target] = {
    "none": Target(),
    "text": Target(few_text=True),
    "text+speech": Target(few_text=True, few_speech=True),
    "all-text": Target(few_text=True, all_text=True),
    "all-text+speech": Target(few_text=True, few_speech=True, all_text=True),
}
