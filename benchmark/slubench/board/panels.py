"""Sorts runs into settings, panels and cells, so that a table holds only comparable rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import fields, replace

from threadpoolctl import threadpool_limits

from slubench.board.analysis.compare_panel import findings_of
from slubench.board.analysis.pairing import Evidence
from slubench.board.analysis.seeds import counts_over, gaps_over, measures_over, slices_over, totals_over
from slubench.board.cells import cell_key, cells_of, grouped, namesakes, variants_told
from slubench.board.comparisons import Comparisons
from slubench.board.fewer_updates import updates_told
from slubench.board.metric_labels import labels_of
from slubench.board.panel import RANKED_TIERS, TEXT_ONLY, Cell, Panel, Setting
from slubench.board.read.cell_facts import CellFacts, cell_facts
from slubench.board.read.records import Records
from slubench.board.read.replicates import Replicates
from slubench.board.runs import ScoredRun
from slubench.board.site.reproduce import row_command
from slubench.board.text import clipped
from slubench.domain.metric import Metric

LEAVES_SPEAKERS_OUT = (
    "Intervals cover sentences but not speakers: for some rows the speakers are unknown,"
    " or an older scorer ignored them."
)
NOT_RANKED = {
    "stratified": "clips were sampled in proportion to intents",
    "val-clips": "some of the bought clips were used for validation instead of training",
    "oracle-selection": "the checkpoint was selected on spoken validation clips, which are not in the budget",
}
"""Why a row is not ranked, by the mark in its ruleset (RULES.md)."""


def panels_of(
    runs: Iterable[ScoredRun],
    replicates: Replicates | None = None,
    metrics: Mapping[str, Metric] | None = None,
    records: Records | None = None,
) -> tuple[Panel, ...]:
    """One panel for each task and target condition within each setting.

    Full editions come before the miniature, monolingual tasks before cross-lingual ones.

    Args:
        runs: All runs.
        replicates: Of their scores, from which intervals over seeds and comparisons are made.
        metrics: Those that are declared; the package's own where None.
        records: Of their scores, which tell costs beside those of the score rows, and strategies' files.
    """
    runs = list(runs)
    replicates = replicates or Replicates()
    told = cell_facts(records or Records(), [str(run.row["scores_fingerprint"]) for run in runs])
    # Products of small matrices only get slower on several threads, and much so on a busy machine.
    with threadpool_limits(1, user_api="blas"):
        panels = [_panel(group, replicates, metrics, told) for group in grouped(runs, _panel_key)]
    return tuple(sorted(panels, key=_panel_order))


def cells_by_panel(runs: Iterable[ScoredRun]) -> list[list[list[ScoredRun]]]:
    """Each panel with the runs of its cells, see `slubench.board.cells.cells_of`."""
    return [cells_of(some) for some in grouped(runs, _panel_key)]


def setting_of(run: ScoredRun) -> Setting:
    """The setting of a run: what must be equal for rows to share a table."""
    return Setting(**{name.name: run.row[name.name] for name in fields(Setting)} | {"model": run.model})


def target_of(run: ScoredRun) -> str:
    """The condition on target-language data, empty if the training speech is in the test's language."""
    crosses = run.row["test_in"] not in run.row["speech_in"]
    return str(run.row["target"] or "") if crosses else ""


def _panel_key(run: ScoredRun) -> Hashable:
    return setting_of(run), run.row["task"], run.row["corpus"], run.row["corpus_revision"], target_of(run)


def _panel_order(panel: Panel) -> tuple[object, ...]:
    miniature = panel.setting.edition != "full"
    return (
        miniature,
        panel.setting,
        panel.cross_lingual,
        panel.task,
        panel.corpus,
        panel.revision,
        panel.target,
    )


def _panel(
    runs: Sequence[ScoredRun],
    replicates: Replicates,
    metrics: Mapping[str, Metric] | None,
    told: CellFacts,
) -> Panel:
    groups = cells_of(runs)
    reading_alone = [group for group in groups if group[0].strategy == TEXT_ONLY]
    evidence = Evidence(groups, replicates)
    ways = Counter(cell_key(group[0]) for group in groups)
    cells = [
        _cell(group, reading_alone, evidence, told, told_apart=ways[cell_key(group[0])] > 1)
        for group in groups
    ]
    findings = Comparisons() if setting_of(runs[0]).marks else findings_of(groups, evidence)
    cells = [replace(cell, ranks=findings.ranks(cell.speech, cell.runs)) for cell in cells]
    row = runs[0].row
    setting = setting_of(runs[0])
    return Panel(
        setting=setting,
        task=row["task"],
        corpus=row["corpus"],
        revision=row["corpus_revision"] or "",
        test_in=row["test_in"],
        speech_in=tuple(row["speech_in"]),
        text_in=tuple(row["text_in"]),
        target=target_of(runs[0]),
        cells=tuple(sorted(cells, key=_best_first)),
        metrics=labels_of((measure.metric for cell in cells for measure in cell.measures), metrics),
        notes=(
            *_notes(runs, groups),
            *namesakes(runs),
            *variants_told(runs),
            *_speakers_note(groups, replicates),
            *updates_told(sorted(cells, key=_best_first)),
        ),
        findings=findings,
    )


def _cell(
    runs: Sequence[ScoredRun],
    reading_alone: Sequence[Sequence[ScoredRun]],
    evidence: Evidence,
    told: CellFacts,
    *,
    told_apart: bool,
) -> Cell:
    row = runs[0].row
    ways = sorted(reading_alone, key=lambda group: (group[0].row["engine"], group[0].row["serving"]))
    alone = max(ways, key=lambda group: _nearness(group, runs[0]), default=())
    return Cell(
        strategy=runs[0].strategy,
        speech=runs[0].speech,
        share=row["speech_share"] if runs[0].speech != "0" else 0.0,
        engine=", ".join(sorted({run.row["engine"] for run in runs})),
        serving=", ".join(sorted({run.row["serving"] for run in runs})),
        tier=row["tier"],
        seeds=tuple(run.seeds for run in runs),
        runs=tuple(run.page for run in runs),
        measures=measures_over(runs) | totals_over(runs, evidence) | gaps_over(runs, alone),
        slices=slices_over(runs),
        way=f"{row['engine']} {row['serving']}" if told_apart else "",
        counts=counts_over(runs) | told.costs([str(run.row["scores_fingerprint"]) for run in runs]),
        command=row_command(row, [run.seeds for run in runs], told.files.get(row["scores_fingerprint"], "")),
    )


def _nearness(alone: Sequence[ScoredRun], run: ScoredRun) -> tuple[object, ...]:
    """Which of text-only's cells a run is measured against: of its engine, proven, of the most seeds."""
    row, own = alone[0].row, run.row
    return (
        alone[0].engine == run.engine,
        row["tier"] in RANKED_TIERS,
        (row["engine"], row["serving"]) == (own["engine"], own["serving"]),
        len(alone),
        row["tier"] == "retrained",
    )


def _best_first(cell: Cell) -> tuple[object, ...]:
    score = cell.estimate("slu_f1")
    marks = (cell.engine, cell.serving, cell.tier, *cell.runs)
    return (-score.value if score else 1.0, cell.strategy, cell.share, marks)


def _speakers_note(groups: Sequence[Sequence[ScoredRun]], replicates: Replicates) -> Iterable[str]:
    """Whether intervals ignore speakers: the corpus names none, or a scorer before version 3 was used."""
    for group in groups:
        for run in group:
            drawn = replicates.find(run.row["scores_fingerprint"])
            if not run.speakers or (drawn is not None and drawn.speakers is None):
                yield LEAVES_SPEAKERS_OUT
                return


def _notes(runs: Sequence[ScoredRun], groups: Sequence[Sequence[ScoredRun]]) -> Iterable[str]:
    for mark in setting_of(runs[0]).marks:
        yield f"Not ranked: {NOT_RANKED.get(mark, clipped(mark))}."
    superseded = len(runs) - sum(len(group) for group in groups)
    if superseded:
        were = "1 older run" if superseded == 1 else f"{superseded} older runs"
        yield f"{were} of the same strategy, budget, engine and seeds; only the newest of each is used."
    scorers = sorted({str(run.row["scorer_version"]) for group in groups for run in group})
    if len(scorers) > 1:
        yield (
            f"Scored by several scorer versions ({', '.join(scorers)}): run `slubench rescore` to use one."
        )
