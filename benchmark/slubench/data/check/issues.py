"""The issues that `slubench data check` reports, as JSON or text."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from slubench.domain.utterance import Utterance

Severity = Literal["problem", "remark"]


@dataclass(frozen=True)
class Issue:
    """A problem or oddity.

    Attributes:
        severity: `problem` where something cannot be used, `remark` where it can.
        kind: In a word or two, as in `row`, `column`, `stereo`; findings are counted by it.
        place: Corpus, language and split.
        file: The file, or empty.
        row: Its row from 0, or -1 for the file itself.
        utterance: The utterance's key, or empty.
        what: What was found.
        remedy: What to do, or what is done about it.
    """

    severity: Severity
    kind: str
    place: str
    file: str
    row: int
    utterance: str
    what: str
    remedy: str

    def __str__(self) -> str:
        row = f", row {self.row}" if self.row >= 0 else ""
        where = f" ({self.file}{row})" if self.file else ""
        who = f", id {self.utterance}" if self.utterance else ""
        return f"{self.place}{who}{where}: {self.what}. {self.remedy}"


@dataclass
class Checked:
    """Counts of what was read of one part.

    Attributes:
        place: Corpus, language and split.
        purpose: `learn`, `ask` or `target`.
        form: The form its files come in.
        assumed: Whether that form's names were assumed.
        rows: Rows that can be used.
        sentences: Different sentences among them.
        clips: Recordings that decode.
        minutes: Their length.
        published: Rows as published, where known.
    """

    place: str
    purpose: str
    form: str = ""
    assumed: bool = False
    rows: int = 0
    sentences: int = 0
    clips: int = 0
    minutes: float = 0.0
    published: int | None = None


@dataclass
class CheckReport:
    """Everything that was checked, and all issues."""

    parts: list[Checked] = field(default_factory=list)
    findings: list[Issue] = field(default_factory=list)

    @property
    def problems(self) -> int:
        """The number of issues that are problems."""
        return sum(each.severity == "problem" for each in self.findings)

    def counts(self) -> dict[str, int]:
        """The number of issues by severity and kind."""
        counted = Counter(f"{each.severity}: {each.kind}" for each in self.findings)
        return dict(sorted(counted.items()))

    def to_json(self) -> dict[str, Any]:
        """A dictionary with everything."""
        return {
            "problems": self.problems,
            "counts": self.counts(),
            "parts": [asdict(part) for part in self.parts],
            "findings": [asdict(each) for each in self.findings],
        }

    def to_text(self, most: int | None = None) -> str:
        """Lines of text; `most` limits the issues of one kind that are printed."""
        lines = []
        for part in self.parts:
            of = f" of {part.published:,} published" if part.published is not None else ""
            heard = f", {part.clips:,} clips ({part.minutes:.1f} min)" if part.clips else ""
            assumed = ", column names assumed" if part.assumed else ""
            lines.append(
                f"{part.place}: {part.rows:,} rows{of}, {part.sentences:,} sentences{heard}"
                f" [{part.form or 'not read'}{assumed}]"
            )
        for severity in ("problem", "remark"):
            found = [each for each in self.findings if each.severity == severity]
            lines.append(f"\n{len(found):,} {severity}{'' if len(found) == 1 else 's'}")
            for kind, number in sorted(Counter(each.kind for each in found).items()):
                lines.append(f"  {kind}: {number:,}")
                told = [each for each in found if each.kind == kind]
                lines += [f"    {each}" for each in told[:most]]
                if most is not None and number > most:
                    lines.append(f"    and {number - most:,} more")
        return "\n".join(lines) + "\n"


def finding(
    severity: Severity,
    kind: str,
    place: str,
    what: str,
    remedy: str,
    file: str = "",
    utterance: Utterance | None = None,
) -> Issue:
    """An issue of a part, or of one of its files."""
    return Issue(severity, kind, place, file, -1, utterance.key if utterance else "", what, remedy)
