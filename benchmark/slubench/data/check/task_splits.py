"""The parts of corpora (languages and splits) that a task reads, and their uses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from slubench.domain.corpus import Corpus
from slubench.domain.task import Task


@dataclass(frozen=True)
class TaskSplit:
    """One language and split of a corpus.

    Attributes:
        corpus: The corpus.
        language: ISO 639-1 code.
        split: As in `train`.
        purpose: `learn`, `ask`, or `target` for what a condition on target data adds.
    """

    corpus: Corpus
    language: str
    split: str
    purpose: str

    def __str__(self) -> str:
        return f"{self.corpus.name}/{self.language}/{self.split}"


def parts_of(tasks: Iterable[Task]) -> list[TaskSplit]:
    """The parts that tasks read, each once, in order of the tasks."""
    found: dict[str, TaskSplit] = {}
    for task in tasks:
        learnt = [(language, task.train) for language in (*task.text_in, *task.speech_in)]
        learnt += [(language, task.speech_split) for language in task.speech_in]
        parts = [TaskSplit(task.corpus, language, split, "learn") for language, split in learnt]
        parts.append(TaskSplit(task.corpus, task.test_in, task.test, "ask"))
        if task.few and task.cross_lingual:
            parts.append(TaskSplit(task.corpus, task.test_in, task.few, "target"))
        if task.target_text:
            parts.append(TaskSplit(task.target_text, task.test_in, "train", "target"))
        for part in parts:
            found.setdefault(str(part), part)
    return list(found.values())
