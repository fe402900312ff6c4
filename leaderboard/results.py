"""The table of a task: every strategy and budget, best first."""

from collections.abc import Callable

from slubench.board.analysis.compare_panel import RANKED_TIERS
from slubench.board.panel import Cell, Estimate
from slubench.board.view import Column, Table, View


def measured(
    metric: str, asked: str = "speech", *, normalised: bool = True
) -> Callable[[Cell], Estimate | None]:
    """A column's value: the estimate of a metric."""
    return lambda cell: cell.estimate(metric, asked, normalised=normalised)


def counted(name: str) -> Callable[[Cell], float | None]:
    """A column's value: what the ledger counts."""
    return lambda cell: cell.counts.get(name)


def named(cell: Cell) -> str:
    """The strategy, and behind it the proof of what was handed in and not trained again."""
    return cell.strategy if cell.tier in RANKED_TIERS else f"{cell.strategy} ({cell.tier})"


SPEECH, TEXT, OFFICIAL = "Asked in speech", "Asked in text", "As published"
OWN = "Asked its own transcript"
CLIPS, COST, ORIGIN = "Clips", "Cost", "Origin"

RESULTS = View(
    name="results",
    title="Results",
    order=10,
    note="Best first by SLU-F1. Scores are in points of 100, normalised. The interval (95\u202f%) is that "
    "of test sampling for one trained model, that of other seeds and sentences from three seeds on where "
    "replicates are there, else the range of the seeds.",
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
                about="the main score: slots and their fillers, near misses counted in part",
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
                title="Exact",
                of=measured("exact_match"),
                form="points",
                group=SPEECH,
                about="intent and every entity right",
            ),
            Column(
                title="Unparsed",
                of=measured("parse_failures"),
                form="points",
                group=SPEECH,
                about="replies that are not the JSON asked for; they count as wrong",
                rising=True,
                quiet=True,
            ),
            Column(
                title="SLU-F1",
                of=measured("slu_f1", "text"),
                form="points",
                group=TEXT,
                about="the same model asked the gold transcripts",
            ),
            Column(
                title="Gap",
                of=measured("modality_gap"),
                form="difference",
                group=TEXT,
                about="modality gap: text-only on transcripts minus this strategy on speech, paired by seed",
                rising=True,
            ),
            Column(
                title="Forgot",
                of=measured("forgetting", "text"),
                form="difference",
                group=TEXT,
                about="forgetting: text-only on transcripts minus this strategy on transcripts",
                rising=True,
            ),
            Column(
                title="SLU-F1",
                of=measured("slu_f1", "own-transcript"),
                form="points",
                group=OWN,
                about="the same model asked, as text, what it heard before it was trained",
                quiet=True,
            ),
            Column(
                title="Recognition",
                of=measured("recognition_gap", "own-transcript"),
                form="difference",
                group=OWN,
                about="errors of recognition in the gap: text-only on gold minus on own transcripts",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Transfer",
                of=measured("transfer_gap", "own-transcript"),
                form="difference",
                group=OWN,
                about="the rest of the gap: text-only on own transcripts minus this strategy on speech",
                rising=True,
                quiet=True,
            ),
            Column(
                title="SLU-F1",
                of=measured("slu_f1", normalised=False),
                form="points",
                group=OFFICIAL,
                about="asked in speech, unnormalised, as the official scorer counts; not ranked",
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
                about="clips that the budget buys",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Heard",
                of=counted("clips_heard"),
                form="count",
                group=CLIPS,
                about="clips heard in training, repeats included",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Updates",
                of=counted("updates"),
                form="count",
                group=COST,
                about="optimiser updates, the same for every strategy that does not choose fewer",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Training",
                of=counted("train_seconds"),
                form="seconds",
                group=COST,
                about="time on the GPU or CPU that trained",
                rising=True,
                quiet=True,
            ),
            Column(
                title="Answering",
                of=counted("answer_seconds"),
                form="seconds",
                group=COST,
                about="time on the GPU or CPU that answered",
                rising=True,
                quiet=True,
            ),
            Column(title="Engine", of=lambda cell: cell.engine, form="text", group=ORIGIN, quiet=True),
            Column(
                title="Proof",
                of=lambda cell: cell.tier,
                form="text",
                group=ORIGIN,
                about="what the row rests on, see the rules below",
                quiet=True,
            ),
        ),
    ),
)
