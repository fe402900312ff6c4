"""The tables of docs/mini.md, "Strategies": every cell of the scores in a folder, as Markdown.

    python tools/measure/picture.py [leaderboard/published]

Points of 100 on normalised text. In brackets: for one seed 95 % of test sampling; for SLU-F1, intent accuracy
and exact match on speech of three seeds and more the total interval (other seeds and other sentences); else
the range of the seeds. Last, text-only's share of the best score that hears all of the speech.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from slubench.board.panel import Estimate, Panel
from slubench.board.panels import panels_of
from slubench.board.read.replicates import read_replicates
from slubench.board.read.scores import read_scores
from slubench.board.runs import runs_of
from slubench.board.text import NO_VALUE, interval

PUBLISHED = Path(__file__).resolve().parents[2] / "leaderboard/published"
ORDER = ("zero-shot", "text-only", "speech-only", "direct-mix", "curriculum")
COLUMNS = (
    ("SLU-F1 on speech", "slu_f1", "speech"),
    ("intent on speech", "intent_accuracy", "speech"),
    ("exact on speech", "exact_match", "speech"),
    ("SLU-F1 on text", "slu_f1", "text"),
    ("intent on text", "intent_accuracy", "text"),
)


def main() -> None:
    """Print a table for each task, and what text-only reaches of the whole."""
    files = sorted((Path(sys.argv[1]) if sys.argv[1:] else PUBLISHED).glob("*.parquet"))
    reading = read_scores(files)
    runs = runs_of(reading.table)
    for panel in panels_of(runs, read_replicates(reading.files)):
        print(f"\n{panel.task} ({panel.setting.edition}, {panel.setting.model}):\n")
        print("\n".join(table(panel)))
        print("\n" + share_of_the_whole(panel))


def table(panel: Panel) -> Iterable[str]:
    """Lines of Markdown, a strategy's budgets rising."""
    heads = ["strategy", "speech", "seeds", *(head for head, _, _ in COLUMNS)]
    yield f"| {' | '.join(heads)} |"
    yield "|" + "---|" * len(heads)
    for cell in sorted(panel.cells, key=lambda cell: (ORDER.index(cell.strategy), cell.share)):
        values = (written(cell.estimate(metric, input_kind)) for _, metric, input_kind in COLUMNS)
        yield f"| {' | '.join([cell.strategy, cell.speech, str(len(cell.seeds)), *values])} |"


def written(estimate: Estimate | None) -> str:
    """A value with its interval."""
    if estimate is None:
        return NO_VALUE
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.1f}"
    return f"{100 * estimate.value:.1f} ({interval(estimate)})"


def share_of_the_whole(panel: Panel) -> str:
    """Text-only on speech over the best score at 100 %, for each measure."""
    alone, best = panel.reading_alone(), [cell for cell in panel.cells if cell.share == 1]
    shares = []
    for name, metric in (("SLU-F1", "slu_f1"), ("intent", "intent_accuracy"), ("exact", "exact_match")):
        whole = [found.value for cell in best if (found := cell.estimate(metric)) is not None]
        part = alone.estimate(metric) if alone else None
        if part is not None and whole:
            shares.append(f"{name} {part.value / max(whole):.2f}")
    return f"Text-only's share of the best score at 100 %: {', '.join(shares)}."


if __name__ == "__main__":
    main()
