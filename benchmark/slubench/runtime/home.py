"""HOME and its folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from slubench._checkout import checkout_above

SUMS, REPLICATES, RECORDS = "sums", "replicates", "records"


def beside(scores: Path, kind: str) -> Path:
    """Where the sums, replicates or record of a score file are."""
    return scores.parent / kind / scores.name


@dataclass(frozen=True)
class Home:
    """The folder that runs, adapters and scores are kept in."""

    root: Path

    @property
    def runs(self) -> Path:
        """Plans, train sets, checkpoints, answers and logs, one folder a training."""
        return self.root / "runs"

    @property
    def adapters(self) -> Path:
        """Cards of trained adapters, their weights in folders beside them."""
        return self.root / "adapters_registry"

    @property
    def evaluations(self) -> Path:
        """Predictions and scores of adapters that were trained elsewhere, one folder each."""
        return self.root / "evaluations"

    @property
    def locks(self) -> Path:
        """Empty files by which processes take turns."""
        return self.root / "cache" / "locks"

    @property
    def scores(self) -> Path:
        """One Parquet file a scored run."""
        return self.root / "leaderboard" / "scores"

    @property
    def site(self) -> Path:
        """The built page."""
        return self.root / "leaderboard" / "site"

    @property
    def clips(self) -> Path:
        """Decoded recordings."""
        return self.root / "cache" / "clips"

    @property
    def spoken(self) -> Path:
        """What strategies had spoken by a synthesiser."""
        return self.root / "cache" / "spoken"

    @property
    def reports(self) -> Path:
        """What `slubench data check` found."""
        return self.root / "cache" / "reports"

    @property
    def digests(self) -> Path:
        """Digests of local files, by path, size and time of change."""
        return self.root / "cache" / "digests.json"


def find_home(option: Path | None = None) -> Home:
    """HOME is the option, else `SLUBENCH_HOME`, else the current checkout, else `./slubench`."""
    if option is not None:
        return Home(option.expanduser().resolve())
    variable = os.environ.get("SLUBENCH_HOME")
    if variable:
        return Home(Path(variable).expanduser().resolve())
    here = Path.cwd()
    return Home(checkout_above(here) or here / "slubench")
