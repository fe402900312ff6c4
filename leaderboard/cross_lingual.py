"""Cross-lingual matrix: the language of the training speech against the language of the test."""

from collections.abc import Sequence

from slubench.board.panel import DIRECT_MIX, Cell, Panel
from slubench.board.text import budget, clipped
from slubench.board.view import Matrix, Square, View

CONDITIONS = ("none", "text", "text+speech", "all-text", "all-text+speech")
"""Conditions on target-language data, from none to all (RULES.md)."""


def squares_of(panels: Sequence[Panel]) -> Sequence[Square]:
    """One matrix for each condition, strategy and budget across languages; the fullest first.

    Monolingual results stand on the diagonal of every condition, for comparison.
    """
    crossing = [panel for panel in panels if panel.cross_lingual]
    conditions = sorted({panel.target or "none" for panel in crossing}, key=place_of)
    squares = []
    for strategy, speech in sorted({choice_of(cell) for panel in crossing for cell in panel.cells}):
        for condition in conditions:
            found = [
                (panel, cell)
                for panel in panels
                if not panel.cross_lingual or (panel.target or "none") == condition
                for cell in panel.cells
                if choice_of(cell) == (strategy, speech) and cell.estimate("slu_f1") is not None
            ]
            # The last of a place counts: what is proven and of most seeds, and not what scored best.
            found.sort(key=lambda one: (one[1].weight, one[0].corpus, one[0].revision, one[1].runs))
            cells = {("+".join(panel.speech_in), panel.test_in): (panel, cell) for panel, cell in found}
            if any(panel.cross_lingual for panel, _ in cells.values()):
                sources = dict.fromkeys(source for source, _ in sorted(cells))
                targets = dict.fromkeys(sorted(target for _, target in cells))
                heard = f"{clipped(strategy, 40)}, {'no speech' if speech == '0' else budget(speech)}"
                squares.append(Square(condition, heard, tuple(sources), tuple(targets), cells))
    sizes: dict[str, int] = {}
    for square in squares:
        sizes[square.choice] = sizes.get(square.choice, 0) + len(square.cells)
    return sorted(squares, key=lambda square: rank_of(square, sizes))


def rank_of(square: Square, sizes: dict[str, int]) -> tuple[int, bool, float, str]:
    """The choice of most cells first, of those direct mixing with the most speech."""
    cells = [cell for _, cell in square.cells.values()]
    mixing = all(cell.strategy == DIRECT_MIX for cell in cells)
    return -sizes[square.choice], not mixing, -max(cell.share for cell in cells), square.choice


def choice_of(cell: Cell) -> tuple[str, str]:
    """Strategy and budget."""
    return cell.strategy, cell.speech


def place_of(condition: str) -> tuple[int, str]:
    """Where a condition stands in their order."""
    return (CONDITIONS.index(condition) if condition in CONDITIONS else len(CONDITIONS)), condition


CROSS_LINGUAL = View(
    name="cross-lingual",
    title="Across languages",
    order=5,
    note="SLU-F1 in the column's test language after training on speech in the row's language, one matrix "
    "for each condition on target-language data; monolingual results are on the diagonal. Word-based "
    "metrics are not comparable across columns.",
    shows=Matrix(squares_of),
)
