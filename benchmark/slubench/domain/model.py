"""A model: where its weights are, how it is prompted, which modules are trained, and its recipes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from slubench.domain.peft_method import TRACKS, split_track
from slubench.errors import UsageError

TRACK_PARTS: Mapping[str, tuple[str, ...]] = {
    "lora-lm": ("lm",),
    "lora-lm+projector": ("lm", "projector"),
    "lora-all": ("lm", "projector", "encoder"),
    "full": ("lm", "projector", "encoder"),
}
"""The parts that learn on each track: by LoRA, the projector whole; on `full` all of them whole."""
_LENDERS = {"lora-all": ("lora-lm+projector", "lora-lm")}
"""Tracks whose recipe a track takes where a model declares none for it."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The hyperparameters that all strategies share on one track of a model.

    Attributes:
        rate: Base learning rate of AdamW.
        rank: Rank of the LoRA matrices; 0 where none are used.
        alpha: LoRA's alpha; the update is scaled by alpha / rank.
        batch: Examples an update (effective, whatever the micro-batch).
        warmup: Part of a stage's updates in which the rate rises.
        schedule: Name of a schedule of transformers, as in `cosine`.
        dropout: LoRA's dropout.
        weight_decay: AdamW's weight decay.
        max_grad_norm: Gradients are clipped to this norm.
    """

    rate: float
    rank: int
    alpha: int
    batch: int
    warmup: float
    schedule: str = "cosine"
    dropout: float = 0.0
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A model's chat format, as text that its tokenizer turns into special tokens.

    Attributes:
        before: All that stands before the utterance, the instruction included.
        after: All that stands between the utterance and the reply.
        audio: What stands for one clip, as in `<|audio_bos|><|AUDIO|><|audio_eos|>`.
        text: How a transcript is written, with `{text}`.
        end: What closes the reply, as in `<|im_end|>`.
    """

    before: str
    after: str
    audio: str
    text: str
    end: str


@dataclass(frozen=True, kw_only=True)
class Model:
    """A large audio language model as the benchmark trains and serves it.

    Attributes:
        name: As in `qwen2-audio-7b-instruct`.
        repository: Hub repository, or a folder that holds a checkpoint.
        revision: The Hub's commit, None where none is pinned.
        family: Architecture family as `config.json` names it (`model_type`).
        prompt: The chat convention.
        transcription: The same with the instruction by which the model says the words it hears; None where
            it can't.
        recipes: Recipe of each track it can learn on.
        lora_modules: Regular expression of the language model's linear layers, matched in full; empty for the
            family's.
        projector: Name of the module between audio tower and language model; empty for the family's.
        encoder_modules: Regular expression of the audio tower's linear layers that take LoRA on the track
            `lora-all`, matched in full; empty for the family's.
        sampling_rate: Hertz the audio tower wants.
        max_seconds: Longest clip it hears; what is longer is cut and counted.
        reply_tokens: Most tokens of a reply.
        needs_gpu: Whether it is only run on a CUDA device.
        vllm_architecture: Name of the vLLM class that carries LoRA live; empty for the family's, if any.
        vllm_options: Further arguments of `vllm.LLM`.
        stock_vllm: Whether stock vLLM can serve it merged.
        licence: Terms of the weights.
        exposure: What its makers declare of SLURP or MASSIVE in its training data.
        parameters: Number of parameters, for listings and estimates of cost.
        family_file: The file that declares its family, where that is found by no name; the registry fills it
            in, so that the processes that train and serve find the family too.
    """

    name: str
    repository: str
    revision: str | None = None
    family: str
    prompt: Prompt
    recipes: Mapping[str, Recipe]
    lora_modules: str = ""
    projector: str = ""
    sampling_rate: int = 16_000
    max_seconds: float = 30.0
    reply_tokens: int = 256
    needs_gpu: bool = True
    vllm_architecture: str = ""
    vllm_options: Mapping[str, Any] = field(default_factory=dict)
    stock_vllm: bool = True
    licence: str = ""
    exposure: str = ""
    parameters: int = 0
    transcription: Prompt | None = None
    family_file: str = ""
    encoder_modules: str = ""

    def recipe(self, track: str) -> Recipe:
        """The recipe of a track; a method of peft has that of LoRA, unless one of its own is declared.

        Raises:
            UsageError: The model does not learn on that track.
        """
        base = track if track in self.recipes else split_track(track)[1]
        if base not in self.tracks:
            tracks = ", ".join(self.tracks)
            raise UsageError(f"{self.name} has no recipe for the track {track!r}. Available: {tracks}.")
        lenders = (base, *_LENDERS.get(base, ()))
        return next(self.recipes[lender] for lender in lenders if lender in self.recipes)

    @property
    def tracks(self) -> tuple[str, ...]:
        """The tracks it can learn on, by LoRA or whole; other methods of peft come beside."""
        return tuple(track for track in TRACKS if {track, *_LENDERS.get(track, ())} & self.recipes.keys())

    def to_json(self) -> dict[str, Any]:
        """A dictionary that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Model:
        """Read what `to_json` wrote."""
        fields = dict(content)
        fields["prompt"] = Prompt(**fields["prompt"])
        if fields.get("transcription") is not None:
            fields["transcription"] = Prompt(**fields["transcription"])
        fields["recipes"] = {track: Recipe(**recipe) for track, recipe in fields["recipes"].items()}
        return cls(**fields)


def parts_of(track: str) -> tuple[str, ...]:
    """The parts that learn on a track, whatever the method of peft."""
    return TRACK_PARTS[split_track(track)[1]]


def smallest_track(parts: Iterable[str]) -> str:
    """The track that trains these parts and as few others as can be, by LoRA."""
    wanted = set(parts)
    return next(track for track in TRACKS if wanted <= set(TRACK_PARTS[track]))
