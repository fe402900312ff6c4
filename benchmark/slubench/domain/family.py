"""A model family: everything that training and serving need to know about an architecture.

A family is named after the `model_type` of `config.json`. Its functions import torch and transformers inside
their bodies, so that listing families loads neither. Tensors are `Any` here for the same reason.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slubench.domain.model import Model, Prompt, Recipe
from slubench.errors import DeclarationError

Features = Mapping[str, Any]
"""The features of one clip: tensors by name, in float32 on the CPU.

The first dimension is the clip's windows, one for a family without windows."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """Dotted names of a conditional-generation model's parts, as `get_submodule` takes them.

    The defaults are transformers' usual names.

    Attributes:
        tower: The audio encoder, without the projector.
        projector: The module that maps the encoder's output to token embeddings; empty where the encoder
            holds it, and then the track `lora-lm+projector` does not exist.
        language_model: The decoder without its head.
        head: The output layer.
    """

    tower: str = "model.audio_tower"
    projector: str = "model.multi_modal_projector"
    language_model: str = "model.language_model"
    head: str = "lm_head"


DECODER_LINEARS = r".*language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
"""The linear layers of a language model under transformers' usual names."""
ENCODER_LINEARS = r"\.layers\.\d+\.(self_attn\.(q|k|v|out|o)_proj|fc1|fc2)"
"""The linear layers of a Whisper-like encoder, behind the encoder's own name."""
RECIPES = {
    "lora-lm": Recipe(rate=1e-4, rank=16, alpha=32, batch=128, warmup=0.04),
    "lora-lm+projector": Recipe(rate=1e-4, rank=16, alpha=32, batch=128, warmup=0.04),
    # The rate of arXiv 2509.15389 for full tuning.
    "full": Recipe(rate=5e-6, rank=0, alpha=0, batch=128, warmup=0.04),
}
"""The recipe of each track for models of a few billion parameters; not tuned for each."""
NAMES_OF_TRANSFORMERS_4 = {
    "language_model.model.": "model.language_model.",
    "audio_tower.": "model.audio_tower.",
    "multi_modal_projector.": "model.multi_modal_projector.",
}
"""Prefixes of modules as transformers 4 named them, each with the present one."""


def chat_prompts(
    before: str, audio: str, after: str, end: str, transcribe: str = "Transcribe the speech into text."
) -> tuple[Prompt, Prompt]:
    """The prompt for meaning and the one for transcription of an instruction-tuned model.

    Args:
        before: What opens the user's turn.
        audio: What stands for one clip.
        after: What stands between the utterance and the reply.
        end: What closes the reply.
        transcribe: The instruction to transcribe, in the words its makers use.
    """

    def prompt(instruction: str) -> Prompt:
        return Prompt(before=f"{before}{instruction}\n", audio=audio, text="{text}", after=after, end=end)

    return (
        prompt("Give the scenario, the action and the entities of this request as one line of JSON."),
        prompt(f"{transcribe} Reply with the spoken words alone."),
    )


def plain_tokenize(processor: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts with special tokens written out, as most tokenizers read them."""
    ids: list[list[int]] = processor.tokenizer(list(texts))["input_ids"]
    return ids


def plain_tokenize_reply(processor: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of replies with the closing token, without a token that opens a text."""
    ids: list[list[int]] = processor.tokenizer(list(texts), add_special_tokens=False)["input_ids"]
    return ids


def plain_logits(model: Any, head: Any, hidden: Any) -> Any:
    """The head's own output."""
    return head(hidden)


def no_more_inputs(model: Any, batch: Mapping[str, Any]) -> dict[str, Any]:
    """Nothing beside the embeddings."""
    return {}


def whisper_positions(config: Any, seconds: float) -> int:
    """The number of positions in a Whisper-like encoder's fixed window."""
    return int(config.max_source_positions)


def plain_vllm_input(prompt: str, sounds: Sequence[Any], rate: int) -> dict[str, Any]:
    """A prompt with one placeholder for each clip, and the clips with their sampling rate."""
    given: dict[str, Any] = {"prompt": prompt}
    if sounds:
        given["multi_modal_data"] = {"audio": [(sound, rate) for sound in sounds]}
    return given


def nothing_refused(config: Mapping[str, Any]) -> str:
    """Accept every config of the `model_type`."""
    return ""


@dataclass(frozen=True, kw_only=True)
class Vllm:
    """How vLLM serves a family.

    Attributes:
        stock: Whether vLLM's own class serves weights as they are, the base's or merged ones.
        architecture: Name under which our own class is registered, which carries LoRA live; empty where
            there is none, and then adapters are merged.
        own_class: That class as `module:Class`, or a function without arguments that gives it (a file outside
            the package has no module name that vLLM could import).
        make_input: `(prompt, sounds, rate) -> dict`, what `LLM.generate` takes for one request.
        renamed: Prefixes of weights' names as transformers saves them, each with the prefix that vLLM reads.
        config: What a checkpoint's config becomes for vLLM, where it reads another one than is saved.
    """

    stock: bool = True
    architecture: str = ""
    own_class: str | Callable[[], Any] = ""
    make_input: Callable[[str, Sequence[Any], int], dict[str, Any]] = plain_vllm_input
    renamed: Mapping[str, str] = field(default_factory=dict)
    config: Callable[[Any], Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Family:
    """An architecture as the benchmark trains and serves it.

    Attributes:
        name: The `model_type` of `config.json`.
        aliases: Other `model_type`s of the same architecture.
        parts: Names of its parts.
        lora_modules: Regular expression of the language model's linear layers, matched in full.
        encoder_linears: Regular expression of the encoder's linear layers that take LoRA on the track
            `lora-all`, behind the encoder's name.
        loader: The class of transformers that loads it.
        processor: `(folder or repository, revision) -> processor` with `tokenizer`, `extractor` and
            `save_pretrained`, where transformers' AutoProcessor would want parts that audio does not need (an
            image processor); None for AutoProcessor.
        extractor: Attribute of the processor that turns samples into features.
        sampling_rate: Hertz the encoder wants.
        features: `(extractor, samples, rate) -> Features` of one clip; samples of shape (samples,), float32.
        audio_tokens: `(extractor, samples) -> int`, how many audio tokens a clip of so many samples becomes.
        encode: `(tower, features of clips) -> tensors`, the encoder's output of each clip, on its device. A
            clip's output must not depend on the clips beside it: outputs are kept and used again.
        project: `(projector, encoded) -> tensor`, the embeddings of all clips in order, (tokens, hidden),
            from what `encode` gave; the projector is None where `parts` names none.
        inputs: `(features of clips) -> dict`, what the architecture's own forward takes for the clips of a
            batch, beside `input_ids` and `attention_mask`.
        batches: Whether the architecture's own forward gives a clip of a batch what it gives it alone; where
            it does not, replies are generated from our own embeddings.
        more_inputs: `(model, batch) -> dict`, further arguments of the language model beside
            `inputs_embeds`, such as position ids; `batch` holds `input_ids` and `attention_mask`.
        logits: `(model, head, hidden) -> tensor`, where the head alone is not all.
        tokenize: `(processor, prompts) -> ids`, one placeholder a clip left as it is.
        tokenize_reply: `(processor, replies) -> ids`, each with what closes it.
        audio_token: Attribute of the config that holds the placeholder's id.
        prompt: Chat convention of its instruction-tuned models.
        transcription: The same with an instruction to transcribe; None where they cannot.
        recipes: Recipe of each track, for models that nobody declared.
        max_seconds: Longest clip; what is longer is cut and counted.
        vllm: How vLLM serves it; None where it does not.
        files: Files of which a checkpoint must hold at least one of each group, beside config and weights.
        window_positions: `(config of the encoder, seconds) -> int`, positions that its longest clip takes,
            for estimates of cost.
        refuses: `(config) -> reason`, why a checkpoint of this `model_type` can't be used; empty where it
            can.
        licence: Terms of the usual weights, for models that nobody declared.
        older_names: Prefixes of modules as adapters of earlier versions of transformers, or of other training
            tools, name them, each with the present one.
    """

    name: str
    features: Callable[[Any, Any, int], Features]
    audio_tokens: Callable[[Any, int], int]
    encode: Callable[[Any, Sequence[Features]], list[Any]]
    project: Callable[[Any, Sequence[Any]], Any]
    inputs: Callable[[Sequence[Features]], dict[str, Any]]
    prompt: Prompt
    parts: Parts = field(default_factory=Parts)
    lora_modules: str = DECODER_LINEARS
    encoder_linears: str = ENCODER_LINEARS
    recipes: Mapping[str, Recipe] = field(default_factory=lambda: RECIPES)
    aliases: tuple[str, ...] = ()
    loader: str = "AutoModelForMultimodalLM"
    processor: Callable[[str, str | None], Any] | None = None
    extractor: str = "feature_extractor"
    sampling_rate: int = 16_000
    batches: bool = True
    more_inputs: Callable[[Any, Mapping[str, Any]], dict[str, Any]] = no_more_inputs
    logits: Callable[[Any, Any, Any], Any] = plain_logits
    tokenize: Callable[[Any, Sequence[str]], list[list[int]]] = plain_tokenize
    tokenize_reply: Callable[[Any, Sequence[str]], list[list[int]]] = plain_tokenize_reply
    audio_token: str = "audio_token_id"
    transcription: Prompt | None = None
    max_seconds: float = 30.0
    vllm: Vllm | None = None
    files: tuple[tuple[str, ...], ...] = (("processor_config.json", "preprocessor_config.json"),)
    window_positions: Callable[[Any, float], int] = whisper_positions
    refuses: Callable[[Mapping[str, Any]], str] = nothing_refused
    licence: str = ""
    older_names: Mapping[str, str] = field(default_factory=lambda: NAMES_OF_TRANSFORMERS_4)

    @property
    def model_types(self) -> tuple[str, ...]:
        """Every `model_type` of this family."""
        return (self.name, *self.aliases)

    def part(self, model: Any, name: str) -> Any:
        """One of the modules that `Parts` names, with or without peft's wrapper; None if it has no name."""
        dotted = getattr(self.parts, name)
        return model.get_submodule(dotted) if dotted else None

    def embed(self, model: Any, ids: Any, encoded: Sequence[Any], audio_tokens: int) -> Any:
        """The embeddings of token ids, each placeholder replaced by its audio token's embedding.

        Args:
            model: The conditional-generation model.
            ids: Token ids, (examples, longest), each clip as many placeholders as it has audio tokens.
            encoded: The encoder's output of each clip in order.
            audio_tokens: How many placeholders there are, known without asking the device.

        Returns:
            (examples, longest, hidden).

        Raises:
            DeclarationError: `audio_tokens` of the family counts other than its encoder and projector give.
        """
        place = ids == getattr(model.config, self.audio_token)
        # The placeholder's id may lie outside the vocabulary.
        embeddings = model.get_input_embeddings()(ids.masked_fill(place, 0))
        if any(len(output) for output in encoded):
            audio = self.project(self.part(model, "projector"), encoded).to(embeddings.dtype)
            if len(audio) != audio_tokens:
                raise DeclarationError(
                    f"The family {self.name} counts {audio_tokens} audio tokens for {len(encoded)} clips,"
                    f" but its encoder and projector return {len(audio)}. Fix its `audio_tokens`, `encode`"
                    " or `project`."
                )
            embeddings = embeddings.masked_scatter(place[..., None], audio)
        return embeddings

    def complete(self, model: Model, file: str = "") -> Model:
        """A declared model completed with its family's defaults.

        Args:
            model: A model of this family.
            file: The file that declares this family, where it is found by no name.
        """
        return dataclasses.replace(
            model,
            lora_modules=model.lora_modules or self.lora_modules,
            projector=model.projector or self.parts.projector.rpartition(".")[2],
            encoder_modules=model.encoder_modules
            or rf".*{re.escape(self.parts.tower)}{self.encoder_linears}",
            vllm_architecture=model.vllm_architecture or (self.vllm.architecture if self.vllm else ""),
            stock_vllm=model.stock_vllm and self.vllm is not None and self.vllm.stock,
            family_file=file,
        )

    def declare(self, name: str, repository: str, needs_gpu: bool = True) -> Model:
        """A declaration for an undeclared checkpoint, by the family's own conventions."""
        model = Model(
            name=name,
            repository=repository,
            family=self.name,
            prompt=self.prompt,
            transcription=self.transcription,
            recipes=self.recipes,
            sampling_rate=self.sampling_rate,
            max_seconds=self.max_seconds,
            needs_gpu=needs_gpu,
            licence=self.licence or "See the checkpoint's own card.",
            exposure="Unknown: this checkpoint is not declared.",
        )
        return self.complete(model)
