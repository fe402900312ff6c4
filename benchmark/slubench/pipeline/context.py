"""context."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from slubench.data.clips import ClipStore
from slubench.data.recordings import Progress, no_progress
from slubench.data.source import Source
from slubench.domain.run import Run
from slubench.runtime.home import Home
from slubench.scoring.predictions import INPUTS


@dataclass(frozen=True)
class Machine:
    """Where and with what runs are performed.

    Attributes:
        home: Where things live.
        source: Where corpora are looked for.
        engine: `vllm` or `transformers`.
        serving: `auto`, `live` or `merged`.
        say: Told each step in a line.
        watch: Opens a progress bar while clips are decoded.
        ways: In which ways adapters are asked; answers to own transcripts that are there are scored anyhow.
    """

    home: Home
    source: Source
    engine: str
    serving: str = "auto"
    say: Callable[[str], None] = lambda line: None
    watch: Progress = no_progress
    ways: Sequence[str] = INPUTS

    def clips(self, run: Run) -> ClipStore:
        """The store of decoded clips at the rate and length that the run's model hears."""
        return ClipStore(self.home.clips, run.model.sampling_rate, run.model.max_seconds)
