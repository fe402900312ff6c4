"""The short answer: what a little speech gains, in sentences computed from scores and rankings."""

from collections.abc import Iterator

from slubench.board.analysis.budget_answers import USUAL, proven_cells, ranking_at
from slubench.board.comparisons import CLAIMS_FROM, Ranked, Ranking
from slubench.board.panel import DIRECT_MIX, Cell, Estimate, Panel
from slubench.board.text import (
    SPACE,
    budget,
    clipped,
    count,
    heading,
    interval,
    language,
    listed,
    points,
    rounded,
    seeds,
)
from slubench.board.view import View, Words

NAMED = 4  # strategies in the first sentence


def score(cell: Cell) -> Estimate:
    """SLU-F1 on speech, which every cell of an answer has."""
    estimate = cell.estimate("slu_f1")
    assert estimate is not None
    return estimate


def named(cell: Cell) -> str:
    """The strategy's name, shortened if necessary."""
    return clipped(cell.strategy, 40)


def with_interval(cell: Cell) -> str:
    """The score, with its interval in brackets."""
    # Word joiners keep a line from ending within the interval.
    within = interval(score(cell)).replace("\N{EN DASH}", "\N{WORD JOINER}\N{EN DASH}\N{WORD JOINER}")
    return f"{points(score(cell).value)} ({within})" if within else points(score(cell).value)


def little_speech(cells: list[Cell]) -> list[Cell]:
    """The cells at the answer's budget: the default one, or the nearest to it."""
    hearing = [cell for cell in cells if cell.uses_speech]
    shares = {cell.speech: cell.share for cell in hearing}
    usual = min(shares, key=lambda speech: (speech != USUAL, abs(shares[speech] - 0.05), speech), default="")
    return [cell for cell in hearing if cell.speech == usual]


def say(panel: Panel) -> Iterator[str]:
    """The results with little speech, without, and with all of it; and how general they are."""
    cells = proven_cells(panel)
    little, alone = little_speech(cells), panel.reading_alone()
    if alone is not None and alone not in cells:
        alone = None
    if little:
        yield from of_little_speech(panel, little, alone, whole_speech(cells))
    elif alone is not None:
        on_text = alone.estimate("slu_f1", "text")
        transcripts = f", and {points(on_text.value)} on the gold transcripts" if on_text else ""
        reached = f"an SLU-F1 of {with_interval(alone)}{transcripts}"
        yield f"{heading(panel)}: training on text alone reaches {reached}."
        yield "No run has used any speech yet."
    elif cells:
        yield f"{heading(panel)}: {named(cells[0])} reaches an SLU-F1 of {with_interval(cells[0])}."


def whole_speech(cells: list[Cell]) -> Cell | None:
    """Direct mixing with all of the speech, the upper reference."""
    return next((cell for cell in cells if cell.strategy == DIRECT_MIX and cell.share > 0.999), None)


def of_little_speech(
    panel: Panel, little: list[Cell], alone: Cell | None, whole: Cell | None
) -> Iterator[str]:
    """The sentences on results with speech."""
    spoken = listed([language(code) for code in panel.speech_in])
    clips = count(little[0].counts.get("clips_bought", 0))
    amount = budget(little[0].speech) + (" of" if little[0].speech.endswith(("%", "min")) else " from")
    if little[0].speech == "0":
        amount = "none of"
    where = f"With {amount} the {spoken} speech ({clips} clips){tested_elsewhere(panel)}"
    ranking = ranking_at(panel, little[0].speech)
    yield f"{where}{what_is_found(little, ranking)}"
    if alone is not None:
        yield what_it_brings(panel, little[0], alone, ranking)
    if whole is not None and whole is not little[0]:
        yield f"Direct-mix with all of the speech reaches {with_interval(whole)}."
    if ranking is not None and ranking.rows and ranking.missing:
        yield f"Some strategies are not ranked; missing: {'; '.join(ranking.missing)}."
    fewest = min(len(cell.seeds) for cell in (*little[:2], *([alone] if alone else [])))
    if fewest < CLAIMS_FROM:
        yield (
            f"With {seeds(fewest)}, this is about these trained models; "
            f"claims about strategies need {CLAIMS_FROM}."
        )


def what_is_found(little: list[Cell], ranking: Ranking | None) -> str:
    """The best strategy, if the ranking has one; else those not separated from the best."""
    reached = [f"{named(cell)} {with_interval(cell)}" for cell in little[:NAMED]]
    shown = {cell.runs for cell in little}
    ranked = ranking.rows if ranking is not None else ()
    rows = {row.strategy: row for row in ranked if row.uses_speech and row.runs in shown}
    first = [cell for cell in little if cell.strategy in rows and may_be_first(rows[cell.strategy])]
    if len(little) == 1:
        return f": {named(little[0])} reaches an SLU-F1 of {with_interval(little[0])}."
    if not first:
        better = [clipped(row.strategy, 40) for row in ranking.rows if may_be_first(row)] if ranking else []
        found = f"{listed(better)} is better" if better else "no paired comparison separates them yet"
        return f", in SLU-F1: {listed(reached)}; {found}."
    behind = [cell for cell in little if cell.strategy in rows and cell not in first][: NAMED - 1]
    after = listed([f"{named(cell)} {with_interval(cell)}" for cell in behind])
    if len(first) == 1:
        return f": {named(first[0])} reaches an SLU-F1 of {with_interval(first[0])}, ahead of {after}."
    them = listed([f"{named(cell)} {with_interval(cell)}" for cell in first[:NAMED]])
    more = f" and {len(first) - NAMED} others" if len(first) > NAMED else ""
    verb = " is" if len(behind) == 1 else " are"
    rest = f"; {after}{verb} worse than at least one of them" if behind else ""
    return f": {them}{more} in SLU-F1 are not separated, which is not a tie{rest}."


def may_be_first(row: Ranked) -> bool:
    """Whether no strategy is shown to be better."""
    return row.first == 1


def tested_elsewhere(panel: Panel) -> str:
    """For cross-lingual tasks: the test's language, and the training data in it."""
    if not panel.cross_lingual:
        return ""
    test = language(panel.test_in)
    data = f"target data {clipped(panel.target)}" if panel.target not in ("", "none") else f"no {test} data"
    return f", tested in {test} with {data}"


def what_it_brings(panel: Panel, best: Cell, alone: Cell, ranking: Ranking | None) -> str:
    """The paired gain over text-only if the ranking separates the two, and the gap closed."""
    without = f"Without any speech, text-only reaches {with_interval(alone)}"
    gain = ranking.between(best.strategy, alone.strategy) if ranking is not None else None
    if gain is None:
        return f"{without}; no paired comparison shows what {named(best)} gains from speech."
    figures = f"{points(gain.value, signed=True)} points ({points(gain.low)} to {points(gain.high)}, paired)"
    if gain.verdict == "tie":
        return f"{without}; {named(best)} ties with it, {figures}."
    if gain.verdict == "not separated":
        return f"{without}; {named(best)} is not separated from it, which is not a tie: {figures}."
    sentence = f"{without}; {named(best)} changes this by {figures}"
    closed = closed_at(panel, best)
    if closed is None or gain.verdict == "worse":
        return f"{sentence}."
    return f"{sentence}, which closes {closed} of the gap to direct-mix with all of the speech."


def closed_at(panel: Panel, cell: Cell) -> str | None:
    """The share of the gap that a cell closes, with its interval; None if unknown."""
    for closure in panel.findings.closures:
        if closure.strategy == cell.strategy and closure.engine == cell.engine:
            for speech, _, span in closure.shares:
                if speech == cell.speech and span.value is not None:
                    low, high = ("?" if end is None else rounded(end) for end in (span.low, span.high))
                    return f"{rounded(span.value)}{SPACE}% ({low} to {high})"
    return None


ANSWER = View(name="answer", title="The short answer", order=0, shows=Words(say))
