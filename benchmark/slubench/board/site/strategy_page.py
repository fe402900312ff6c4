"""The page of a strategy: its docstring, file, and results on all tasks and budgets."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from slubench.board.comparisons import Comparisons
from slubench.board.panel import Panel
from slubench.board.read.records import Records, StrategyFile
from slubench.board.runs import ScoredRun
from slubench.board.site.page import Section


@dataclass(frozen=True)
class StrategyPage:
    """The content of a strategy's page.

    Attributes:
        name: Its name.
        file: Its file as the newest run brought it, None where no record lies beside the scores.
        says: Its file's docstring, paragraph by paragraph.
        code: Its file, highlighted.
        files: How many different files its runs brought.
        sections: Its cells alone, by setting and task.
    """

    name: str
    file: StrategyFile | None
    says: tuple[str, ...]
    code: Markup
    files: int
    sections: tuple[Section, ...]


def strategy_pages(
    runs: Sequence[ScoredRun], sections: Sequence[Section], records: Records
) -> Iterator[StrategyPage]:
    """A page for every scored strategy, by name."""
    by_name: dict[str, list[ScoredRun]] = {}
    for run in sorted(runs, key=lambda run: (run.row["created"], run.page), reverse=True):
        by_name.setdefault(run.strategy, []).append(run)
    for name, some in sorted(by_name.items()):
        fingerprints = [str(run.row["scores_fingerprint"]) for run in some]
        file = records.strategy(fingerprints)
        source = file.source if file is not None else ""
        yield StrategyPage(
            name=name,
            file=file,
            says=docstring(source),
            code=highlighted(source),
            files=records.files(fingerprints),
            sections=tuple(_alone(name, sections)),
        )


def docstring(source: str) -> tuple[str, ...]:
    """The paragraphs of a file's docstring; the file is parsed but never run."""
    try:
        text = ast.get_docstring(ast.parse(source)) or ""
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


def highlighted(source: str) -> Markup:
    """Python as HTML, with a class for each kind of token."""
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    if not source:
        return Markup("")
    visible = "".join(letter if letter.isprintable() or letter in "\n\t" else "\ufffd" for letter in source)
    return Markup(highlight(visible, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))


def _alone(name: str, sections: Sequence[Section]) -> Iterator[Section]:
    for section in sections:
        panels = tuple((address, _of(name, panel)) for address, panel in section.panels if panel.of(name))
        if panels:
            yield replace(section, panels=panels)


def _of(name: str, panel: Panel) -> Panel:
    """A panel with one strategy's cells and comparisons."""
    found = panel.findings
    rankings = (
        (ranking, tuple(row for row in ranking.rows if row.strategy == name)) for ranking in found.rankings
    )
    findings = Comparisons(
        rankings=tuple(replace(ranking, rows=rows) for ranking, rows in rankings if rows),
        closures=tuple(one for one in found.closures if one.strategy == name),
        same=tuple(one for one in found.same if one.strategy == name),
    )
    return replace(panel, cells=panel.of(name), findings=findings)
