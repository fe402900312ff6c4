"""The table of a task: every strategy and budget, best first."""

from collections.abc import Callable

from slubench.board.panel import RANKED_TIERS, Cell, Estimate
from slubench.board.text import rank_set
from slubench.board.view import Column, Table, View


def measured(
    metric: str, input_kind: str = "speech", *, normalised: bool = True
) -> Callable[[Cell], Estimate | None]:
    """A column's value: the estimate of a metric."""
    return lambda cell: cell.estimate(metric, input_kind, normalised=normalised)


def forgiven(metric: str) -> Callable[[Cell], Estimate | None]:
    """A column's value: a metric of the lenient reading, where it is unlike the strict one."""

    def of(cell: Cell) -> Estimate | None:
        apart = cell.estimate("format_slu_f1")
        return cell.estimate(metric) if apart is not None and apart.value else None

    return of


def counted(name: str) -> Callable[[Cell], float | None]:
    """A column's value: a count from the ledger."""
    return lambda cell: cell.counts.get(name)


def named(cell: Cell) -> str:
    """The strategy, followed by its tier if it was submitted and not retrained."""
    return cell.strategy if cell.tier in RANKED_TIERS else f"{cell.strategy} ({cell.tier})"


def rank(cell: Cell) -> str | None:
    """The ranks that the data allow the row at its budget."""
    return rank_set(*cell.ranks) if cell.ranks is not None else None


SPEECH, TEXT, OFFICIAL = "Speech input", "Text input", "Speech input, as published"
ASR = "ASR transcript input"
FORMAT = "Reply format"
CLIPS, COST, ORIGIN, COMMAND = "Clips", "Cost", "Origin", "Command"

RESULTS = View(
    name="results",
    title="Results",
    order=10,
    note="By rising budget, within a budget by SLU-F1. Ranks are all ranks at the row's budget that the "
    "data allow (95\u202f%). Scores are out of 100, on normalised text. The 95\u202f% interval covers "
    "test sampling for a single trained model. With three or more seeds, for headline metrics on speech "
    "input, it also covers other seeds and sentences. All other spans over several seeds are ranges from "
    "lowest to highest, not intervals. An arrow in place of a bar: far outside the axis.",
    shows=Table(
        by_budget=True,
        hidden=(FORMAT, ASR, OFFICIAL, CLIPS, COST, ORIGIN, COMMAND),
        columns=(
            Column(title="Strategy", of=named, form="text", group=""),
            Column(title="Speech", of=lambda cell: cell.share, form="budget", group="", rising=True),
            Column(title="Seeds", of=lambda cell: len(cell.seeds), form="count", group="", quiet=True),
            Column(
                title="Rank",
                of=rank,
                form="text",
                group="",
                about="all ranks at the row's budget that the data allow, corrected for all pairs",
            ),
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
                group=FORMAT,
                about="replies that are not valid JSON in the expected format; they count as wrong",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Lenient",
                of=forgiven("lenient_slu_f1"),
                form="points",
                group=FORMAT,
                about="SLU-F1 if code fences, text around the JSON, numbers as values and extra keys are "
                "accepted; not ranked",
                quiet=True,
            ),
            Column(
                title="Format",
                of=forgiven("format_slu_f1"),
                form="difference",
                group=FORMAT,
                about="lenient minus strict reading: SLU-F1 lost by the format of replies alone",
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
                title="Peak memory",
                of=lambda cell: cell.counts.get("peak_memory_bytes"),
                form="bytes",
                group=COST,
                about="largest memory of training, on the GPU or, without one, of the process",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Trainable",
                of=counted("trainable_parameters"),
                form="count",
                group=COST,
                about="parameters that training changes",
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
            Column(
                title="Command",
                of=lambda cell: cell.command or None,
                form="command",
                group=COMMAND,
                about="what runs all seeds of the row again; existing results are reused",
                quiet=True,
            ),
        ),
    ),
)
