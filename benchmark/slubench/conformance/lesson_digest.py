"""A digest of lessons: equal where the same examples are learnt in the same order."""

from __future__ import annotations

from collections.abc import Sequence

from slubench.digest import digest
from slubench.lessons import Lesson
from slubench.utterance import Clip


def digest_of(lessons: Sequence[Lesson]) -> str:
    """SHA-256 of all that a training reads of lessons, in order."""
    return digest(
        [
            [
                lesson.updates,
                [
                    [
                        [[part.file, part.row] if isinstance(part, Clip) else part for part in example.parts],
                        example.target,
                        example.utterance,
                        example.language,
                        example.weight,
                    ]
                    for example in lesson.examples
                ],
            ]
            for lesson in lessons
        ]
    )
