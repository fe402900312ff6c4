"""Finds the files that a task, its budget and its target data need."""

from __future__ import annotations

from slubench.data.source import Source, SplitFiles
from slubench.domain.budget import FEW, NONE, Budget
from slubench.domain.corpus import Corpus
from slubench.domain.selection import SELECTIONS
from slubench.domain.task import Task
from slubench.errors import UsageError


def find_pools(task: Task, source: Source, budget: Budget = NONE) -> tuple[SplitFiles, ...]:
    """The files of the task's training data, including those that budget and target data add.

    Raises:
        UsageError: The task does not know the condition on target data, or has no published few.
        MissingError: They are nowhere.
    """
    return tuple(source.find(*split) for split in pools_of(task, budget))


def pools_of(task: Task, budget: Budget = NONE) -> list[tuple[Corpus, str, str]]:
    """Corpus, language and split of the task's training data, each once.

    Raises:
        UsageError: The task does not know the condition on target data, or has no published few.
    """
    condition = task.check_target(budget.target)
    wanted = [(task.corpus, language, task.train) for language in (*task.text_in, *task.speech_in)]
    wanted += [(task.corpus, language, task.speech_split) for language in task.speech_in]
    if budget.unit == FEW:
        if not task.few:
            raise UsageError(f"--speech {FEW}: {task.name} has no published few-shot split.")
        wanted += [(task.corpus, language, task.few) for language in task.speech_in]
    if condition.few_speech or (condition.few_text and not condition.all_text):
        wanted.append((task.corpus, task.test_in, task.few))
    if condition.all_text and task.target_text:
        wanted.append((task.target_text, task.test_in, "train"))
    named = {(corpus.name, language, split): corpus for corpus, language, split in wanted}
    return [(corpus, language, split) for (_, language, split), corpus in named.items()]


def find_watched(task: Task, source: Source, selection: str) -> tuple[SplitFiles, ...]:
    """The files of the validation split that a run uses, in its training languages.

    Of the test's language nothing is looked at that is not learnt (RULES.md).

    Raises:
        MissingError: They are nowhere.
    """
    selected = SELECTIONS[selection]
    languages = task.text_in if selected.text else task.speech_in if selected.oracle else ()
    return tuple(source.find(task.corpus, language, task.validation) for language in languages)


def find_test(task: Task, source: Source) -> SplitFiles:
    """The files of the task's test set.

    Raises:
        MissingError: They are nowhere.
    """
    return source.find(task.corpus, task.test_in, task.test, sentences=task.unit == "sentences")
