"""Numbers reported elsewhere: the paper's and known systems', each with its source, never ranked."""

from collections.abc import Sequence
from typing import NamedTuple

from slubench.board.panel import Panel
from slubench.board.view import Column, Table, View


class Reported(NamedTuple):
    """A system as reported by its authors; scores in [0, 1], None if not reported."""

    system: str
    speech: str
    intent: float
    entity: float | None
    slu: float
    source: str


PAPER = "arXiv 2509.15389, full fine-tuning"


def of_paper(*rows: tuple[str, str, float, float, float]) -> list[Reported]:
    """Rows of the paper's tables."""
    return [Reported(*row, PAPER) for row in rows]


BY_TASK: dict[str, list[Reported]] = {
    "slurp": [
        *of_paper(
            ("text-only", "0 %", 0.8360, 0.6406, 0.7207),
            ("curriculum", "2 %", 0.8574, 0.6577, 0.7335),
            ("curriculum", "5 %", 0.8642, 0.6765, 0.7475),
            ("direct mixing", "100 %", 0.8813, 0.6959, 0.7675),
        ),
        Reported("NeMo Conformer-Transformer", "100 %", 0.9014, None, 0.8227, "NVIDIA NeMo"),
        Reported("ESPnet Branchformer", "100 %", 0.8653, None, 0.7763, "ESPnet"),
        Reported("SpeechBrain HuBERT", "100 %", 0.8754, None, 0.7510, "SpeechBrain"),
        Reported("multi-ASR + HerMiT", "100 %", 0.7833, None, 0.7084, "SLURP, arXiv 2011.13205"),
        Reported("RG-FT, Qwen2.5-Omni-7B", "100 %", 0.8835, None, 0.7688, "RG-FT, Interspeech 2026"),
    ],
    "italic": of_paper(
        ("text-only", "0 %", 0.7834, 0.5661, 0.6755),
        ("curriculum", "2 %", 0.8272, 0.6074, 0.7088),
        ("curriculum", "5 %", 0.8412, 0.6334, 0.7271),
        ("direct mixing", "100 %", 0.8767, 0.7022, 0.7737),
    ),
    "massive-fr": of_paper(
        ("text-only", "0 %", 0.8017, 0.5130, 0.6535),
        ("curriculum", "2 %", 0.8287, 0.5590, 0.6919),
        ("curriculum", "5 %", 0.8423, 0.5802, 0.7048),
        ("direct mixing", "100 %", 0.8739, 0.6445, 0.7486),
    ),
}


def rows_of(panel: Panel) -> Sequence[Reported]:
    """The results reported on the panel's task; none for the mini edition."""
    return BY_TASK.get(panel.task, []) if panel.setting.edition == "full" else []


REPORTED = View(
    name="reported",
    title="Reported elsewhere",
    order=16,
    note="As reported by the authors, with other models, recipes and scorers (official, unnormalised);"
    " never ranked.",
    shows=Table(
        rows=rows_of,
        columns=(
            Column(title="System", of=lambda row: row.system, form="text", group=""),
            Column(title="Speech used", of=lambda row: row.speech, form="text", group=""),
            Column(title="SLU-F1", of=lambda row: row.slu, form="points", group=""),
            Column(title="Intent", of=lambda row: row.intent, form="points", group=""),
            Column(title="Entity F1", of=lambda row: row.entity, form="points", group=""),
            Column(title="Source", of=lambda row: row.source, form="text", group="", quiet=True),
        ),
    ),
)
