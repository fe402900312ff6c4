"""Results of comparing strategies, as views show them and the command line prints them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

CLAIMS_FROM = 5
"""Number of seeds needed for a claim about strategies rather than about trained models (RULES.md)."""
TIE = 0.005
"""For a tie, the whole interval of the difference must lie within this distance of 0 (RULES.md)."""

Verdict = Literal["better", "worse", "tie", "not separated", "reference"]


@dataclass(frozen=True)
class Difference:
    """First minus second, on the same seeds and sentences.

    Attributes:
        value: In the unit of the score rows, [0, 1].
        low: Lower end of the 95 % interval, corrected as p is: it holds 0 exactly where p is at least 0.05.
        high: Upper end.
        seeds: How many pairs of trained models.
        p: For the hypothesis that there is none, corrected where `comparisons` says for how many.
        comparisons: For how many comparisons p and interval were corrected.
        degenerate: Whether no sentence was answered otherwise than another, so that the interval follows
            from their number alone.
    """

    value: float
    low: float
    high: float
    seeds: int
    p: float
    comparisons: int = 1
    degenerate: bool = False

    @property
    def verdict(self) -> Verdict:
        """A tie if the whole interval is small; not separated if it is no tie and p is 0.05 or more.

        Where nothing varied no tie is claimed: the interval is then a bound and was not measured.
        """
        if not self.degenerate and self.low >= -TIE and self.high <= TIE:
            return "tie"
        if self.p >= 0.05:
            return "not separated"
        return "better" if self.value > 0 else "worse"

    def turned(self) -> Difference:
        """Second minus first."""
        return replace(self, value=-self.value, low=-self.high, high=-self.low)


@dataclass(frozen=True, kw_only=True)
class Ranked:
    """A strategy's place in the ranking at one budget.

    Attributes:
        strategy: Its name.
        speech: Its own budget: that of the ranking, or `0` where it hears nothing.
        difference: To direct mixing, None for direct mixing itself.
        first: The best rank it may have.
        last: The worst.
        seeds: Over how many seeds it is compared.
        uses_speech: Whether any speech was used in training.
        runs: The pages of its runs, which tell its cell.
    """

    strategy: str
    speech: str
    difference: Difference | None
    first: int
    last: int
    seeds: int
    uses_speech: bool
    runs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Strategies at one budget, ranked by their mean paired difference to direct mixing.

    Attributes:
        speech: The budget.
        share: Clips bought over clips there.
        engine: What answered.
        rows: Best first.
        missing: What can't be ranked, each with its reason.
        pairs: The difference of every pair, first minus second, by their names; all of them are corrected
            together, and every sentence and table that compares two strategies of a budget takes it here.
    """

    speech: str
    share: float
    engine: str
    rows: tuple[Ranked, ...]
    missing: tuple[str, ...] = ()
    pairs: Mapping[tuple[str, str], Difference] = field(default_factory=dict)

    def between(self, first: str, second: str) -> Difference | None:
        """First minus second, None if either is not ranked here."""
        if (found := self.pairs.get((first, second))) is not None:
            return found
        turned = self.pairs.get((second, first))
        return turned.turned() if turned is not None else None


@dataclass(frozen=True)
class Bounded:
    """A value with the ends of its 95 % interval; None where the data do not bound it."""

    value: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, kw_only=True)
class MinutesBracket:
    """Minutes of speech to close a share of the gap, bracketed by measured budgets.

    Nothing is claimed about what lies between two budgets but that the score does not fall there.

    Attributes:
        low: The largest budget shown to close less, 0 where none is: 95 % with `high`.
        high: The smallest budget shown to close as much, None where none is.
        after: The largest budget below the share in the mean, with all before it.
        by: The next one, at which the mean reaches it; None where it does at no budget.
        most: The largest budget measured.
    """

    low: float
    high: float | None
    after: float
    by: float | None
    most: float


@dataclass(frozen=True, kw_only=True)
class GapClosed:
    """How much of the gap between text-only and direct mixing with all of the speech a strategy closes.

    Attributes:
        strategy: Its name.
        engine: What answered.
        seeds: Over how many paired seeds.
        headline: The mean over the budgets of RULES.md, None where any is missing.
        shares: Gap closed at each budget measured, by rising share: budget, share and span.
        minutes: Minutes of speech to close half of the gap and 80 % of it.
        missing: What is missing, in words.
    """

    strategy: str
    engine: str
    seeds: int
    headline: Bounded | None
    shares: tuple[tuple[str, float, Bounded], ...] = ()
    minutes: tuple[tuple[float, MinutesBracket], ...] = ()
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SameQuality:
    """A strategy that with less speech is no worse than direct mixing with more, by the margin of a tie."""

    strategy: str
    speech: str
    other: str
    difference: Difference


@dataclass(frozen=True, kw_only=True)
class Comparisons:
    """All comparisons within a panel; empty if replicates or seeds are missing."""

    rankings: tuple[Ranking, ...] = ()
    closures: tuple[GapClosed, ...] = ()
    same: tuple[SameQuality, ...] = ()

    def ranks(self, speech: str, runs: tuple[str, ...]) -> tuple[int, int] | None:
        """The best and the worst rank of a cell at its own budget, None where it is not ranked."""
        for ranking in self.rankings:
            for row in ranking.rows if ranking.speech == speech else ():
                if row.runs == runs:
                    return row.first, row.last
        return None
