"""Inference with transformers' `generate`: runs wherever torch does, and vLLM is checked against it."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import torch
import transformers
from transformers import GenerationConfig

from slubench.data.clips import ClipStore
from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.errors import DataError
from slubench.serve.checkpoint import is_checkpoint
from slubench.serve.engine import Reader
from slubench.serve.read_adapter import PREFIX, inspect, names
from slubench.serve.replies import Reply
from slubench.serve.requests import Request
from slubench.serve.scored_reply import BEST, ScoredReply
from slubench.serve.switch_off import adapter_layers, switched_off

BATCH: Final = {"cpu": 16, "cuda": 64}


def place() -> tuple[str, torch.dtype]:
    """The device and the number format to serve in: bfloat16 on a GPU, float32 on a CPU."""
    return ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)


def described() -> dict[str, str]:
    """The device and number format, as written in reports."""
    device, dtype = place()
    name = torch.cuda.get_device_name() if device == "cuda" else device
    return {"device": name, "dtype": str(dtype).removeprefix("torch.")}


def load(checkpoint: Path, device: str, dtype: torch.dtype, family: Family) -> Any:
    """Load a checkpoint with its family's class, or the one in its config, ready to generate.

    Raises:
        DataError: The checkpoint names no class of transformers, or lacks weights of it.
    """
    config = json.loads((checkpoint / "config.json").read_text("utf-8"))
    named = next(iter(config.get("architectures") or []), "")
    architecture = named if family.loader.startswith("Auto") else family.loader
    loader = getattr(transformers, architecture, None)
    if loader is None:
        raise DataError(
            f"{checkpoint}/config.json has an architecture that transformers does not support:"
            f" {architecture!r}."
        )
    model, found = loader.from_pretrained(checkpoint, dtype=dtype, output_loading_info=True)
    if found["missing_keys"]:
        lacking = sorted(found["missing_keys"])
        raise DataError(f"The checkpoint {checkpoint} lacks {len(lacking)} weights, such as {lacking[0]}.")
    return model.to(device).eval()


def attach(model: Any, adapter: Path) -> Any:
    """Load an adapter onto a model, and check that all of its tensors were used.

    Raises:
        DataError: The adapter's names or shapes are not those of the model.
    """
    from peft import PeftModel, get_peft_model_state_dict

    try:
        adapted = PeftModel.from_pretrained(model, adapter)
    except (RuntimeError, ValueError) as error:
        raise DataError(f"The adapter {adapter} does not fit the model: {error}") from error
    own = set(get_peft_model_state_dict(adapted))
    # Some versions save names without the prefix; VeRA's shared projections have none.
    lost = sorted(names(adapter) - own - {PREFIX + name.removeprefix(PREFIX) for name in own})
    if lost:
        raise DataError(
            f"The adapter {adapter} does not fit the model: {len(lost)} of its tensors do not belong to the"
            f" model, such as {lost[0]}. It was trained on another model or with other"
            " versions of the libraries."
        )
    return adapted.eval()


def release() -> None:
    """Free the memory of unused models, on a GPU too."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def expand(prompt: list[int], placeholder: int, counts: Iterator[int], question: Request) -> list[int]:
    """Token ids with each placeholder repeated for the audio tokens of its clip.

    Raises:
        DataError: The prompt holds other than one placeholder a clip.
    """
    if prompt.count(placeholder) != len(question.clips):
        raise DataError(
            f"The prompt of utterance {question.utterance!r} has {prompt.count(placeholder)} audio"
            f" placeholders for {len(question.clips)} clips. Remove the placeholder from its text."
        )
    return [one for token in prompt for one in ([token] * next(counts) if token == placeholder else [token])]


def _bare(model: Any) -> Any:
    """The architecture's own model, without what peft puts around it."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


class TransformersEngine:
    """Greedy replies by `generate`, with one set of weights in memory at a time.

    Args:
        model: The model as declared.
        checkpoint: Folder of its weights.
        clips: The clip store.
        batch: Questions at a time; the device's default where None.
    """

    def __init__(self, model: Model, checkpoint: Path, clips: ClipStore, batch: int | None = None) -> None:
        self.device, self.dtype = place()
        self.reader = Reader.open(model, checkpoint, clips)
        self._model, self._checkpoint = model, checkpoint
        self._batch = batch or BATCH[self.device]
        self._loaded: Any = None
        self._adapter: str | None = None

    def ask(self, adapter: str, questions: Sequence[Request]) -> Iterator[list[Reply]]:
        """Reply to requests in batches of similar length.

        Args:
            adapter: Folder of an adapter or of a whole checkpoint; empty for the weights as they are.
            questions: What to ask.

        Raises:
            DataError: The adapter does not fit the model.
        """
        model = self._with(adapter)
        for handful in self._generated(model, sorted(questions, key=self._length)):
            yield [self.reader.reply(question, tokens) for question, tokens in handful]

    def score(self, adapter: str, questions: Sequence[Request], *, parts: bool = False) -> list[ScoredReply]:
        """Answer questions, and tell the log-probabilities of the answers' tokens.

        Every answer is read again in a forward pass of its own, so that nothing is padded.

        Args:
            adapter: As for `ask`.
            questions: In this order they are given back.
            parts: Whether to read it once more without each kind of module that the adapter changes.
        """
        model = self._with(adapter)
        return [
            self._scored(model, question, self.reader.ended(tokens), parts)
            for handful in self._generated(model, list(questions))
            for question, tokens in handful
        ]

    def close(self) -> None:
        """Free the memory."""
        self._loaded, self._adapter = None, None
        release()

    def own_reply(self, adapter: str, question: Request) -> Reply:
        """The reply to one request by the architecture's own forward, whatever the family's `batches`."""
        return self.reader.reply(question, self._batched(self._with(adapter), [question])[0])

    def _with(self, adapter: str) -> Any:
        if self._adapter != adapter:
            base = self._reusable()
            self.close()
            whole = bool(adapter) and is_checkpoint(Path(adapter))
            if base is None or whole:
                base = None
                base = self._load(Path(adapter) if whole else self._checkpoint)
            self._loaded = attach(base, Path(adapter)) if adapter and not whole else base
            self._adapter = adapter
        return self._loaded

    def _reusable(self) -> Any:
        """The base as it was loaded, if it can be had back from what is in memory."""
        if self._adapter == "":
            return self._loaded
        if not self._adapter or is_checkpoint(Path(self._adapter)):
            return None
        return self._loaded.unload() if inspect(Path(self._adapter), self._model).plain else None

    def _load(self, checkpoint: Path) -> Any:
        loaded = load(checkpoint, self.device, self.dtype, self.reader.family)
        # Whatever a checkpoint's own config holds would fill what a call leaves open.
        loaded.generation_config = self._pinned()
        return loaded

    def _length(self, question: Request) -> float:
        text = sum(len(part) for part in question.parts if isinstance(part, str))
        return text / 4 + sum(self.reader.clips.seconds(key) for key in question.clips) * 25

    def _scored(self, model: Any, question: Request, tokens: list[int], parts: bool) -> ScoredReply:
        # A model may say the placeholder of a clip; read again it would be one, so that scoring ends with it.
        placeholder = int(getattr(_bare(model).config, self.reader.family.audio_token))
        end = tokens.index(placeholder) + 1 if placeholder in tokens else len(tokens)
        told = self._log_probs(model, question, tokens[:end])
        best = told.topk(min(BEST, told.shape[-1]), dim=-1)
        without = {}
        for kind, layers in (adapter_layers(model) if parts else {}).items():
            with switched_off(layers):
                told = self._log_probs(model, question, tokens[:end])
                without[kind] = told.gather(-1, best.indices).tolist()
        ranked = zip(best.indices.tolist(), best.values.tolist(), strict=True)
        return ScoredReply(
            reply=self.reader.reply(question, tokens),
            tokens=tuple(tokens),
            best=tuple(dict(zip(*one, strict=True)) for one in ranked),
            without=without,
        )

    @torch.inference_mode()
    def _log_probs(self, model: Any, question: Request, tokens: list[int]) -> torch.Tensor:
        """Log-probabilities at each token of a reply, given those before it, (tokens, vocabulary)."""
        given, _ = self._inputs(model, [question], tokens[:-1])
        head = _bare(model).get_submodule(self.reader.family.parts.head)
        # A vocabulary is wide: the prompt's own positions are left out before the head.
        hook = head.register_forward_pre_hook(lambda _, args: (args[0][:, -len(tokens) :], *args[1:]))
        try:
            logits = model(**given, use_cache=False).logits
        finally:
            hook.remove()
        told: torch.Tensor = logits[0, -len(tokens) :].float().log_softmax(-1).cpu()
        return told

    def _generated(self, model: Any, left: list[Request]) -> Iterator[list[tuple[Request, list[int]]]]:
        """Each request with its tokens, a batch at a time; one that does not fit makes the next smaller."""
        while left:
            handful, left = left[: self._batch], left[self._batch :]
            yield list(zip(handful, self._generate(model, handful), strict=True))

    def _generate(self, model: Any, questions: list[Request]) -> list[list[int]]:
        try:
            return self._batched(model, questions)
        except torch.cuda.OutOfMemoryError:
            if len(questions) == 1:
                raise
        torch.cuda.empty_cache()
        half = self._batch = max(1, len(questions) // 2)
        return self._generate(model, questions[:half]) + self._generate(model, questions[half:])

    @torch.inference_mode()
    def _batched(self, model: Any, questions: list[Request]) -> list[list[int]]:
        given, longest = self._inputs(model, questions)
        generated = model.generate(**given, generation_config=self._pinned())
        # What is generated from embeddings does not repeat the prompt.
        fresh = generated[:, longest:] if "input_ids" in given else generated
        rows: list[list[int]] = fresh.tolist()
        return rows

    def _inputs(
        self, model: Any, questions: list[Request], then: Sequence[int] = ()
    ) -> tuple[dict[str, Any], int]:
        """What the model takes for prompts, then the tokens of `then`; and the longest's length."""
        reader, family, base = self.reader, self.reader.family, _bare(model)
        placeholder = int(getattr(base.config, family.audio_token))
        rows, clips = [], []
        prompts = [question.prompt(self._model) for question in questions]
        for question, prompt in zip(questions, family.tokenize(reader.processor, prompts), strict=True):
            sounds = reader.sounds(question)
            counts = iter([family.audio_tokens(reader.extractor, len(sound)) for sound in sounds])
            rows.append([*expand(prompt, placeholder, counts, question), *then])
            rate = self._model.sampling_rate
            clips += [family.features(reader.extractor, sound, rate) for sound in sounds]
        padding = self._pinned().pad_token_id
        longest = max(map(len, rows))
        ids = torch.tensor([[padding] * (longest - len(row)) + row for row in rows], device=self.device)
        mask = torch.tensor([[0] * (longest - len(row)) + [1] * len(row) for row in rows], device=self.device)
        if family.batches or len(clips) <= 1:
            heard = {name: self._placed(tensor) for name, tensor in family.inputs(clips).items()}
            return {"input_ids": ids, "attention_mask": mask, **heard}, longest
        encoded = family.encode(family.part(base, "tower"), clips)
        embeddings = family.embed(base, ids, encoded, sum(row.count(placeholder) for row in rows))
        batch = {"input_ids": ids, "attention_mask": mask}
        more = family.more_inputs(base, batch)
        return {"inputs_embeds": embeddings, "attention_mask": mask, **more}, longest

    def _placed(self, tensor: torch.Tensor) -> torch.Tensor:
        """Move to the device, with floating-point numbers in the weights' format."""
        return tensor.to(self.device, self.dtype if tensor.is_floating_point() else None)

    def _pinned(self) -> GenerationConfig:
        tokenizer = self.reader.processor.tokenizer
        padding = tokenizer.pad_token_id
        build: Any = GenerationConfig
        pinned: GenerationConfig = build(
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            max_new_tokens=self._model.reply_tokens,
            eos_token_id=list(self.reader.stops),
            pad_token_id=self.reader.stops[0] if padding is None else padding,
        )
        return pinned
