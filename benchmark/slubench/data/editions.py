"""Editions: the corpus and default model of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from slubench.data.source import Source
from slubench.domain.corpus import Terms
from slubench.domain.task import Task
from slubench.errors import MissingError, UsageError, unknown
from slubench.runtime.digest import Digests
from slubench.runtime.engines import has_cuda

MINI_CORPUS = Path(__file__).parent / "mini" / "corpus"


@dataclass(frozen=True)
class Edition:
    """A corpus and a default model; editions never share a table.

    Attributes:
        name: `full` or `mini`.
        model: Name of the default model.
        mirror: Folder that holds the corpus; None for the Hub or a mirror of the user's.
        gold_shown: Whether the corpus' terms let gold and transcripts be shown in public.
        terms: The terms of what that folder holds.
    """

    name: str
    model: str
    mirror: Path | None = None
    gold_shown: bool = False
    terms: Terms | None = None

    def source(self, corpora: Path | None, digests: Digests) -> Source:
        """Where this edition looks for corpora.

        Args:
            corpora: A user's mirror, for the full edition.
            digests: Digests of local files.

        Raises:
            UsageError: A mirror is named for an edition that has its own.
            MissingError: The mirror is not a folder.
        """
        if self.mirror is not None:
            if corpora is not None:
                raise UsageError(
                    f"--corpora only applies to the full edition; {self.name} has its own corpus."
                )
            name = f"the {self.name} edition"
            return Source(digests, self.mirror, hub=False, name=name, own=self.terms)
        if corpora is not None and not corpora.is_dir():
            raise MissingError(f"--corpora {corpora} is not a folder. Give a mirror in the Hub's layout.")
        return Source(digests, corpora, hub=True, name=f"the {self.name} edition")


FULL = Edition("full", model="qwen2-audio-7b-instruct")
MINI = Edition(
    "mini",
    model="tiny",
    mirror=MINI_CORPUS,
    gold_shown=True,
    terms=Terms(
        "Apache-2.0",
        "slubench's own sentences, spoken by espeak-ng, in the format of the corpora they replace.",
        "See docs/mini.md.",
    ),
)
EDITIONS: Mapping[str, Edition] = {"full": FULL, "mini": MINI}


def choose(name: str, why_not: Callable[[str], str] = lambda model: "") -> tuple[Edition, str]:
    """The edition of that name, and for `auto` the reason for the choice.

    Args:
        name: An edition's, or `auto`.
        why_not: Why the model of that name cannot be trained here; empty where it can.

    Raises:
        UsageError: There is no such edition.
    """
    if name == "auto":
        mini = "using the mini edition (a test of the software, not evidence)"
        if not has_cuda():
            return MINI, f"no CUDA GPU found: {mini}"
        if reason := why_not(FULL.model):
            return MINI, f"{reason} Meanwhile {mini}"
        return FULL, "CUDA GPU found: using the full edition"
    if name not in EDITIONS:
        raise unknown("edition", name, ["auto", *EDITIONS])
    return EDITIONS[name], ""


def check_offered(source: Source, task: Task, tasks: Mapping[str, Task]) -> None:
    """Refuse a task that an edition with its own corpus lacks.

    Raises:
        MissingError: Names the tasks that it has.
    """
    if source.hub or offers(source, task):
        return
    names = ", ".join(name for name, other in tasks.items() if offers(source, other))
    raise MissingError(
        f"{source.name} lacks {task.name}. Available: {names}. `--edition full` has all tasks."
    )


def offers(source: Source, task: Task) -> bool:
    """Whether the mirror of `source` has the test set and pools of `task`."""
    needed = {(task.test_in, task.test)}
    needed |= {(language, task.train) for language in (*task.text_in, *task.speech_in)}
    needed |= {(language, task.speech_split) for language in task.speech_in}
    return all(source.has(task.corpus, language, split) for language, split in needed)
