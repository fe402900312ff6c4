"""What a run's own model replies to its stages (`pool.predict`): asked once, kept with the train set."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slubench.data.recordings import Recordings
from slubench.domain.pool import UNLABELLED
from slubench.domain.prompt import SPEECH_INPUT, TEXT_INPUT, ClipRef, to_rows
from slubench.domain.run import Run
from slubench.domain.strategy import Example
from slubench.domain.utterance import Clip, whole_clip
from slubench.errors import DataError, DeclarationError
from slubench.runtime.files import replacing
from slubench.runtime.jobs import AdapterRequests, PredictJob
from slubench.schemas import REQUESTS
from slubench.scoring.predictions import read_replies
from slubench.trainset.train_set import StageExamples

ENGINE = "transformers"
"""What asks the model while it is trained, wherever a run is made: the replies are part of the training."""


@dataclass
class StagePredictor:
    """Gives the replies of a run's model at the start of a stage.

    They are kept in the run's folder by what was asked, one line each as they come, so that a killed run
    asks for the rest alone, and a train set that is composed again is the same.

    Attributes:
        run: The run.
        folder: The run's folder.
        recordings: Decoded clips.
        weights: `(number, stages before) -> folder`: trains the stages before one and gives the weights that
            it begins with, empty for the base model's; None where nothing can be asked any more.
        start: Runs a process, as `run_module` does.
        say: Reports a step in one line.
        batch_size: Most requests on the device at once; 0 for the engine's own choice.
    """

    run: Run
    folder: Path
    recordings: Recordings
    weights: Callable[[int, Sequence[StageExamples]], str] | None = None
    start: Callable[[str, Path], None] = lambda module, job: None
    say: Callable[[str], None] = lambda line: None
    batch_size: int = 0
    asked: dict[tuple[int, Example], str] = field(default_factory=dict)

    def __call__(
        self, number: int, before: Sequence[StageExamples], wanted: Sequence[Example]
    ) -> Mapping[Example, str]:
        """The replies to what a stage asks.

        Raises:
            DeclarationError: Some are not kept, and there is no model to ask.
            DataError: The file of replies is damaged.
        """
        place = self.folder / f"predict-{number + 1}"
        names = {example: self._name(example) for example in wanted}
        kept = self._kept(place)
        if missing := [example for example, name in names.items() if name not in kept]:
            if self.weights is None:
                raise DeclarationError(
                    f"Stage {number + 1} of {self.run.strategy.name} calls pool.predict; {len(missing)} of"
                    f" {len(wanted)} replies are not in {place}, and there is no model to ask here."
                )
            self._ask(place, number, before, missing)
            kept = self._kept(place)
        replies = {example: kept[name] for example, name in names.items() if name in kept}
        self.asked |= {(number, example): reply for example, reply in replies.items()}
        return replies

    @property
    def count(self) -> int:
        """The replies that were asked for."""
        return len(self.asked)

    @property
    def unlabelled(self) -> int:
        """The unlabelled recordings that were heard to that end."""
        return len(
            {
                (example.language, example.utterance)
                for _, example in self.asked
                if example.utterance.startswith(UNLABELLED)
            }
        )

    def _ask(
        self, place: Path, number: int, before: Sequence[StageExamples], wanted: Sequence[Example]
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        assert self.weights is not None
        name = f"{self.run.training}, asked at the start of stage {number + 1}"
        adapter = self.weights(number, before)
        self.say(f"{name}: {len(wanted)} predictions with {ENGINE}")
        rows = [
            {
                "utterance": self._name(example),
                "input": SPEECH_INPUT if example.clips else TEXT_INPUT,
                "parts": to_rows(self._parts(example)),
            }
            for example in wanted
        ]
        with replacing(place / "questions.parquet") as temporary:
            pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), temporary)
        job = PredictJob(
            model=self.run.model,
            engine=ENGINE,
            serving="auto",
            clips=str(self.recordings.store.folder),
            folder=str(place),
            askings=(
                AdapterRequests(
                    name=name,
                    adapter=adapter,
                    questions=str(place / "questions.parquet"),
                    replies=str(place / "replies.jsonl"),
                ),
            ),
            report=str(place / "engine.json"),
            batch_size=self.batch_size,
        )
        job.save(place / "answer.json")
        self.start("slubench.serve", place / "answer.json")

    def _kept(self, place: Path) -> dict[str, str]:
        path = place / "replies.jsonl"
        if not path.is_file():
            return {}
        text = path.read_text("utf-8", "replace")
        whole = text[: text.rfind("\n") + 1]
        if whole != text:
            # The last line of a killed process; it is asked again.
            with replacing(path) as temporary:
                temporary.write_text(whole, "utf-8")
        return {one.utterance: one.reply for one in read_replies(path)}

    def _parts(self, example: Example) -> list[str | ClipRef]:
        keys = self.recordings.keys
        lacking = [clip for clip in example.clips if whole_clip(clip) not in keys]
        if lacking:
            raise DataError(f"The clip {lacking[0].file} of {example.utterance} is not decoded.")
        return [
            ClipRef(self.recordings.key(part)) if isinstance(part, Clip) else part for part in example.parts
        ]

    def _name(self, example: Example) -> str:
        """Tells a question by its content, whatever the machine."""
        content = [example.language, example.utterance, to_rows(self._parts(example))]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:32]
