"""What both engines share: the protocol, reading of requests, and generation settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from slubench.data.clips import ClipStore
from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.registry.families import family_of
from slubench.serve.replies import Reply
from slubench.serve.requests import Request

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of fewer than about three frames an encoder makes no audio token, and vLLM refuses the clip.
SHORTEST_SECONDS: Final = 0.1


def read_processor(checkpoint: Path, family: Family) -> Any:
    """The processor of a checkpoint, read by its family or by transformers."""
    if family.processor is not None:
        return family.processor(str(checkpoint), None)
    import transformers

    loader: Any = transformers.AutoProcessor
    return loader.from_pretrained(checkpoint)


class Engine(Protocol):
    """An inference engine."""

    def ask(self, adapter: str, questions: Sequence[Request]) -> Iterator[list[Reply]]:
        """Reply to requests in batches, in any order.

        Args:
            adapter: Folder of the adapter; empty for the weights as they are.
            questions: What to ask.
        """
        ...


@dataclass(frozen=True)
class Reader:
    """Turns requests into a model's input, and tokens into replies.

    Attributes:
        model: The model as declared.
        processor: transformers' processor of the checkpoint.
        clips: The clip store.
        stops: Ids of the tokens that end a reply, whatever the checkpoint's own generation config says.
    """

    model: Model
    processor: Any
    clips: ClipStore
    stops: tuple[int, ...]

    @property
    def family(self) -> Family:
        """The model's family."""
        return family_of(self.model.family, self.model.family_file)

    @property
    def extractor(self) -> Any:
        """The feature extractor."""
        return getattr(self.processor, self.family.extractor)

    @classmethod
    def open(cls, model: Model, checkpoint: Path, clips: ClipStore) -> Reader:
        """Load a checkpoint's processor."""
        from transformers import GenerationConfig

        processor = read_processor(checkpoint, family_of(model.family, model.family_file))
        ends = {processor.tokenizer.convert_tokens_to_ids(model.prompt.end), processor.tokenizer.eos_token_id}
        if (checkpoint / "generation_config.json").exists():
            eos = GenerationConfig.from_pretrained(checkpoint).eos_token_id
            ends |= set(eos) if isinstance(eos, list) else {eos}
        return cls(model, processor, clips, tuple(sorted(end for end in ends if end is not None)))

    def sounds(self, question: Request) -> list[NDArray[np.float32]]:
        """The samples of a request's clips, each of shape (samples,), padded with silence to 0.1 s."""
        import numpy as np

        shortest = int(SHORTEST_SECONDS * self.model.sampling_rate)
        samples = [self.clips.load(key) for key in question.clips]
        return [np.pad(sound, (0, max(0, shortest - len(sound)))) for sound in samples]

    def reply(self, question: Request, tokens: Sequence[int]) -> Reply:
        """The reply in generated tokens, up to the first closing token."""
        ending = next((place for place, token in enumerate(tokens) if token in self.stops), None)
        generated = list(tokens if ending is None else tokens[: ending + 1])
        text = self.processor.tokenizer.decode(
            generated, skip_special_tokens=True, clean_up_tokenization_spaces=False
        )
        finish = "length" if ending is None else "stop"
        return Reply(question.utterance, question.input, text, len(generated), finish)

    def prompt_tokens(self, question: Request) -> int:
        """An upper bound on a prompt's tokens: its text, and the longest clip for each clip."""
        text = self.family.tokenize(self.processor, [question.prompt(self.model)])[0]
        return len(text) + len(question.clips) * self.window_tokens

    @property
    def window_tokens(self) -> int:
        """Audio tokens of the longest clip, or of a full window if that is longer."""
        longest = int(self.model.max_seconds * self.model.sampling_rate)
        window = int(getattr(self.extractor, "n_samples", 0))
        return self.family.audio_tokens(self.extractor, max(longest, window))
