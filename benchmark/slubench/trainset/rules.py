"""What lessons must hold to by the rules: updates, and which clips are heard how often (RULES.md)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from slubench.domain.pool import Pool
from slubench.domain.strategy import SPEECH, Strategy
from slubench.trainset.ledger import consumption
from slubench.trainset.train_set import Exposure, StageExamples

PASSES = 20
"""At most so often does a strategy that only listens hear what it bought."""


def beyond_updates(lessons: Sequence[StageExamples], cell: Exposure) -> Iterator[str]:
    """What is wrong with the number of updates."""
    updates = sum(lesson.updates for lesson in lessons)
    if updates > cell.updates:
        yield f"{updates} updates where the rules give {cell.updates}"
    for number, lesson in enumerate(lessons, 1):
        if len(lesson.examples) != lesson.updates * cell.batch:
            yield (
                f"stage {number} has {len(lesson.examples)} examples"
                f" in {lesson.updates} updates of {cell.batch}"
            )


def beyond_budget(
    strategy: Strategy, lessons: Sequence[StageExamples], pool: Pool, cell: Exposure
) -> Iterator[str]:
    """What is wrong with the clips heard.

    A strategy that mixes hears H_b clips in all, one that only listens at most 20 times what it bought; one
    that composes its own lessons or only listens may fill its last update by beginning again.
    """
    heard = consumption(lessons).heard
    bought = {utterance.clip for utterance in pool.speech()}
    if strangers := {clip for _, _, clip in heard} - bought:
        yield f"{len(strangers)} clips heard that the budget {pool.budget} did not buy"
    listens = strategy.learns_from == SPEECH
    most = PASSES * len(bought) if listens else cell.heard
    filled = listens or any(stage.compose is not None for stage in strategy.stages)
    if heard.total() > most + filled * cell.batch:
        yield f"{heard.total()} clips heard, repeats included, where the rules give {most}"
