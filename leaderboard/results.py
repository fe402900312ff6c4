"""The table of a task: every strategy and budget, best first."""

from collections.abc import Callable

from slubench.board.panel import RANKED_TIERS, Cell, Estimate
from slubench.board.view import Column, Table, View


def measured(
    metric: str, input_kind: str = "speech", *, normalised: bool = True
) -> Callable[[Cell], Estimate | None]:
    """A column's value: the estimate of a metric."""
    return lambda cell: cell.estimate(metric, input_kind, normalised=normalised)


def counted(name: str) -> Callable[[Cell], float | None]:
    """A column's value: a count from the ledger."""
    return lambda cell: cell.counts.get(name)


def named(cell: Cell) -> str:
    """The strategy, followed by its tier if it was submitted and not retrained."""
    return cell.strategy if cell.tier in RANKED_TIERS else f"{cell.strategy} ({cell.tier})"


SPEECH, TEXT, OFFICIAL = "Speech input", "Text input", "Speech input, as published"
ASR = "ASR transcript input"
CLIPS, COST, ORIGIN = "Clips", "Cost", "Origin"

RESULTS = View(
    name="results",
    title="Results",
    order=10,
    note="Sorted by SLU-F1. Scores are out of 100, on normalised text. The 95\u202f% interval covers "
    "test sampling for a single trained model, and other seeds and sentences from three seeds on; without "
    "bootstrap replicates it is the range of the seeds.",
    shows=Table(
        sorted_by="SLU-F1",
        columns=(
            Column(title="Strategy", of=named, form="text", group=""),
            Column(title="Speech", of=lambda cell: cell.share, form="budget", group="", rising=True),
            Column(title="Seeds", of=lambda cell: len(cell.seeds), form="count", group="", quiet=True),
            Column(
                title="SLU-F1",
                of=measured("slu_f1"),
                form="points",
                group=SPEECH,
                about="the main score: slot types and fillers, with partial credit for similar fillers",
                drawn=True,
            ),
            Column(
                title="Intent",
                of=measured("intent_accuracy"),
                form="points",
                group=SPEECH,
                about="accuracy of scenario and action together",
            ),
            Column(
                title="Entity F1",
                of=measured("entity_f1"),
                form="points",
                group=SPEECH,
                about="type and filler exactly right",
            ),
            Column(
                title="Exact match",
                of=measured("exact_match"),
                form="points",
                group=SPEECH,
                about="intent and all entities exactly right",
            ),
            Column(
                title="Invalid replies",
                of=measured("parse_failures"),
                form="percent",
                group=SPEECH,
                about="replies that are not valid JSON in the expected format; they count as wrong",
                rising=True,
                quiet=True,
            ),
            Column(
                title="SLU-F1",
                of=measured("slu_f1", "text"),
                form="points",
                group=TEXT,
                about="the same model with reference transcripts as input",
            ),
            Column(
                title="Gap",
                of=measured("modality_gap"),
                form="difference",
                group=TEXT,
                about="modality gap: text-only on gold transcripts minus this strategy on speech, by seed",
                rising=True,
            ),
            Column(
                title="Text forgetting",
                of=measured("forgetting", "text"),
                form="difference",
                group=TEXT,
                about="text-only on gold transcripts minus this strategy on gold transcripts, paired by seed",
                rising=True,
            ),
            Column(
                title="SLU-F1",
                of=measured("slu_f1", "asr"),
                form="points",
                group=ASR,
                about="the same model on transcripts by the base model",
                quiet=True,
            ),
            Column(
                title="Recognition",
                of=measured("recognition_gap", "asr"),
                form="difference",
                group=ASR,
                about="recognition errors in the gap: text-only on gold minus text-only on ASR transcripts",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Transfer",
                of=measured("transfer_gap", "asr"),
                form="difference",
                group=ASR,
                about="the rest of the gap: text-only with ASR transcripts minus this strategy "
                "with speech input",
                rising=True,
                quiet=True,
            ),
            Column(
                title="SLU-F1",
                of=measured("slu_f1", normalised=False),
                form="points",
                group=OFFICIAL,
                about="on unnormalised text, as in the official scorer; not ranked",
                quiet=True,
            ),
            Column(
                title="Entity F1",
                of=measured("entity_f1", normalised=False),
                form="points",
                group=OFFICIAL,
                quiet=True,
            ),
            Column(
                title="Bought",
                of=counted("clips_bought"),
                form="count",
                group=CLIPS,
                about="clips that the speech budget buys",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Exposures",
                of=counted("clip_exposures"),
                form="count",
                group=CLIPS,
                about="clips used in training, repeats included",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Updates",
                of=counted("updates"),
                form="count",
                group=COST,
                about="optimiser updates; a strategy may use fewer than the others",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Training",
                of=counted("train_seconds"),
                form="seconds",
                group=COST,
                about="time on the GPU or CPU that ran the training",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Inference",
                of=counted("answer_seconds"),
                form="seconds",
                group=COST,
                about="inference time on the GPU or CPU used",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Inference engine",
                of=lambda cell: cell.engine,
                form="text",
                group=ORIGIN,
                quiet=True,
            ),
            Column(
                title="Tier",
                of=lambda cell: cell.tier,
                form="text",
                group=ORIGIN,
                about="how the row was verified, see the rules below",
                quiet=True,
            ),
        ),
    ),
)
