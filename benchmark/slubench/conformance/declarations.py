"""Checks the declaration of a task, a strategy or a model without running it."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

import slubench
from slubench.conformance.verdict import Verdict, judged
from slubench.domain.model import Model
from slubench.domain.peft_method import every_track
from slubench.domain.prompt import ClipRef, render
from slubench.domain.strategy import Strategy
from slubench.domain.task import Task
from slubench.errors import DeclarationError, SlubenchError
from slubench.registry.families import family_of
from slubench.registry.static_read import Unreadable, read_strategy
from slubench.registry.strategy_fingerprint import strategy_fingerprint

LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z]{2})?")
"""ISO 639-1, or 639-3 where there is none, and the country where it matters."""
SUMMARY = range(11, 80)


def strategy_declared(strategy: Strategy, file: Path | None) -> Verdict:
    """A strategy's file has a docstring, and its summary, if any, has a suitable length.

    Args:
        strategy: The strategy; its name, stages and track were looked at when it was made.
        file: The file that declares it, None where there is no source.
    """
    remedy = 'Begin the file with a """docstring"""; a summary=, if given, must have 11 to 79 characters.'
    summary = _summary(strategy.summary) if strategy.summary else ()
    stages = len(strategy.stages)
    found = f"{strategy.name}: {stages} stage{'s' * (stages != 1)}, {strategy.track} track"
    return judged("describes itself", [*summary, *_docstring(file)], remedy, found)


def strategy_readable(strategy: Strategy, file: Path) -> Verdict:
    """A strategy's file can be read without importing it, as in verification."""
    try:
        read = read_strategy(file.read_text("utf-8"), strategy.name)
        wrong = (
            []
            if strategy_fingerprint(read) == strategy_fingerprint(strategy)
            else ["reading it without running gives a different strategy"]
        )
    except (Unreadable, DeclarationError) as error:
        wrong = [str(error)]
    remedy = (
        "Use constants, arithmetic and names defined from these; define compose and objective in the file"
        " itself."
    )
    return judged("can be read without running it", wrong, remedy)


def task_declared(task: Task) -> Verdict:
    """A task's languages are in its corpus, and the corpus's terms are stated."""
    remedy = "Fix the declaration of the task or its corpus."
    found = f"{task.name}: {task.corpus.name}, tested in {task.test_in}"
    return judged("describes itself", _wrong_of_task(task), remedy, found)


def model_declared(model: Model) -> Verdict:
    """A model's declaration is complete: recipes, modules, terms, and a prompt with the instruction first."""
    return judged("describes itself", _wrong_of_model(model), "Fix the declaration of the model.", model.name)


def _wrong_of_task(task: Task) -> Iterator[str]:
    yield from _summary(task.summary)
    for language in sorted({task.test_in, *task.text_in, *task.speech_in}):
        if language not in task.corpus.locales:
            yield f"the corpus {task.corpus.name} has no language {language!r}"
        if not LANGUAGE.fullmatch(language):
            yield f"the language {language!r} is not an ISO 639 code, as in de, ast or en-us"
    if task.test in (task.train, task.speech_split, task.few):
        yield f"it trains on its own test split ({task.test})"
    if not task.corpus.licence:
        yield f"the corpus {task.corpus.name} states no licence"
    if not task.corpus.home_page.startswith("https://"):
        yield f"the corpus {task.corpus.name} states no home page (https://...)"


def _wrong_of_model(model: Model) -> Iterator[str]:
    if strange := sorted(set(model.recipes) - set(every_track())):
        yield f"recipes of unknown tracks: {', '.join(strange)}"
    for track, recipe in model.recipes.items():
        if not (0 < recipe.rate < 0.1 and recipe.batch >= 1 and 0 <= recipe.warmup < 0.5):
            yield f"rate, batch or warm-up of {track} is out of range"
        if (recipe.rank > 0) != (track != "full") or not math.isfinite(recipe.alpha):
            yield f"rank or alpha of {track} does not fit the track"
    yield from _wrong_of_lora(model)
    if Model.from_json(model.to_json()) != model:
        yield "it changes when written and read again"
    for name in ("licence", "exposure"):
        if not getattr(model, name):
            yield f"it has no {name}"
    yield from _wrong_of_prompt(model, render(model, [ClipRef("key")]), render(model, ["wake me"]))


def _wrong_of_lora(model: Model) -> Iterator[str]:
    """What can be told of `lora_modules` without the architecture's own names."""
    try:
        parts = family_of(model.family, model.family_file).parts
        for part in (parts.tower, parts.projector):
            outside = f"{part}.layers.3.self_attn.q_proj"
            if part and re.fullmatch(model.lora_modules, outside):
                yield f"lora_modules names {outside}"
    except re.error as error:
        yield f"lora_modules is not a valid regular expression ({error})"
    except SlubenchError:
        # That its family is not known is a verdict of its own.
        return


def _wrong_of_prompt(model: Model, spoken: str, written: str) -> Iterator[str]:
    audio = model.prompt.audio
    if not audio or spoken.count(audio) != 1 or audio in written or "wake me" not in written:
        yield "the prompt must contain either the clip, exactly once, or the transcript"
    # Before what varies it would be shared between utterances; some families want the audio first.
    if "JSON" not in model.prompt.before + model.prompt.after:
        yield "the instruction does not request JSON"


def _summary(summary: str) -> Iterator[str]:
    if len(summary) not in SUMMARY:
        yield f"its summary has {len(summary)} characters" if summary else "it has no summary"


def _docstring(file: Path | None) -> Iterator[str]:
    if file is not None and not (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").strip():
        yield f"{file.name} does not begin with a docstring"


# Of the standard library what computes and reaches neither files nor network nor other processes.
PLAIN = frozenset(
    "__future__ bisect collections dataclasses enum fractions functools hashlib heapq itertools json math"
    " operator random re statistics string typing unicodedata".split()
)
# Heavy libraries that a function may import when it is called; listing stays free of them.
INSIDE = frozenset({"torch"})
# Ways round an import statement, and round the pool.
BUILTINS = frozenset({"__import__", "compile", "eval", "exec", "open"})


class Imported(NamedTuple):
    """An import statement.

    Attributes:
        module: The module, or the name in it, as in `slubench.domain.corpus` or `slubench.Stage`.
        line: Where it stands.
        inside: Whether it stands in a function.
    """

    module: str
    line: int
    inside: bool


def strategy_imports(file: Path) -> Verdict:
    """A strategy's file only imports public names of slubench, plain modules, and torch inside functions."""
    remedy = (
        "Import only public names of slubench (`from slubench import Stage`), standard library "
        "modules without input or output (math, random, ...) and, inside functions, torch. All "
        "data comes from the pool."
    )
    return judged("imports only what is allowed", _wrong(file, face=frozenset(slubench.__all__)), remedy)


def task_imports(file: Path) -> Verdict:
    """A task's file only imports slubench and plain modules."""
    remedy = (
        "Import only slubench and standard library modules without input or output; files are read by"
        " slubench."
    )
    return judged("imports only what is allowed", _wrong(file, face=None), remedy)


def imported(tree: ast.AST) -> Iterator[Imported]:
    """Every import of a module, wherever in it."""
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Imported(alias.name, node.lineno, id(node) in inside)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "slubench" else [module]
            for name in names:
                yield Imported(name, node.lineno, id(node) in inside)


def _wrong(file: Path, face: Collection[str] | None) -> Iterator[str]:
    tree = ast.parse(file.read_text("utf-8"))
    for module, line, inside in imported(tree):
        top, _, rest = module.partition(".")
        if top == "slubench":
            # `from slubench.pipeline.train import train` reaches past the face.
            if face is not None and rest and rest not in face:
                yield f"line {line}: {module} is not a public name of slubench"
        elif top in INSIDE and face is not None:
            if not inside:
                yield f"line {line}: {module} outside a function"
        elif top not in PLAIN:
            yield f"line {line}: {module or 'a relative import'}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in BUILTINS and isinstance(node.ctx, ast.Load):
            yield f"line {node.lineno}: {node.id}"
