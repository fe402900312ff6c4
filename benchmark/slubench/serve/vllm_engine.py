"""Inference with vLLM's offline engine in this process: batched, greedy, with live LoRA on request."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slubench.domain.family import Vllm, plain_vllm_input
from slubench.domain.model import Model
from slubench.errors import DataError, SlubenchError
from slubench.registry.families import family_of
from slubench.runtime.memory import free_memory
from slubench.serve.engine import Reader
from slubench.serve.read_adapter import AdapterFiles
from slubench.serve.replies import Reply
from slubench.serve.requests import Request
from slubench.serve.scored_reply import ScoredReply
from slubench.serve.vllm_models import own_class

# So many questions are handed over at a time; replies are kept after each handful.
HANDFUL: Final = {"cpu": 64, "cuda": 512}
MOST_TOLD: Final = 20  # vLLM tells the log-probabilities of no more tokens unless it is asked to
SEQUENCES: Final = 128  # vLLM's CPU backend runs that many at a time
ENVIRONMENT: Final = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}


@dataclass(frozen=True)
class Size:
    """What a job's requests need from an engine.

    Attributes:
        tokens: Most tokens of a prompt and its reply together.
        clips: Most clips of a question.
    """

    tokens: int
    clips: int


def size(reader: Reader, questions: Sequence[Request], checkpoint: Path) -> Size:
    """Measure requests.

    Raises:
        DataError: One is longer than the model can read.
    """
    limit = getattr(language_model_config(checkpoint), "max_position_embeddings", 8192)
    longest, tokens = max(
        ((question, reader.prompt_tokens(question)) for question in questions), key=lambda pair: pair[1]
    )
    if tokens + reader.model.reply_tokens > limit:
        raise DataError(
            f"Utterance {longest.utterance!r} needs {tokens} tokens for the prompt and up to "
            f"{reader.model.reply_tokens} for the reply; {reader.model.name} takes {limit} in total."
        )
    whole = -(-(tokens + reader.model.reply_tokens) // 16) * 16
    return Size(min(whole, limit), max(1, *(len(question.clips) for question in questions)))


class VllmEngine:
    """One set of weights in vLLM, with live adapters if `adapters` is not empty.

    Args:
        reader: The checkpoint's reader.
        weights: Folder of what is loaded: the base, a whole checkpoint, or merged weights.
        adapters: Adapters to carry live, by the name they are asked by.
        size: What the questions ask of the engine.
        device: `cpu` or `cuda`.
        dtype: Number format, as in `bfloat16`.
        gpus: How many GPUs hold the model together (tensor parallelism).
        most: Most requests at once; 0 for vLLM's own choice.

    Raises:
        SlubenchError: vLLM has no class for the model.
    """

    def __init__(
        self,
        reader: Reader,
        weights: Path,
        adapters: Mapping[str, AdapterFiles],
        size: Size,
        device: str,
        dtype: str,
        gpus: int = 1,
        most: int = 0,
    ) -> None:
        os.environ.update(ENVIRONMENT)
        if device == "cpu":
            os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(cache_gib(weights, size)))
        from vllm import LLM, SamplingParams

        self.reader = reader
        self._handful = HANDFUL[device]
        self._requests = {name: (number, adapters[name]) for number, name in enumerate(adapters, start=1)}
        greedy: dict[str, Any] = {
            "temperature": 0.0,
            "repetition_penalty": 1.0,
            "max_tokens": reader.model.reply_tokens,
            "stop_token_ids": list(reader.stops),
            "detokenize": False,
        }
        self._sampling = SamplingParams(**greedy)
        self._telling = SamplingParams(**greedy, logprobs=MOST_TOLD)
        options: dict[str, Any] = {
            "model": str(weights),
            "dtype": dtype,
            "max_model_len": size.tokens,
            "limit_mm_per_prompt": {"audio": size.clips},
            "generation_config": "vllm",
            "enable_prefix_caching": True,
            "seed": 0,
        }
        if device == "cpu":
            options |= {"enforce_eager": True, "max_num_seqs": SEQUENCES}
        else:
            options["gpu_memory_utilization"] = free_share()
            options["tensor_parallel_size"] = gpus
        if most:
            options["max_num_seqs"] = most
        if architecture := self._architecture(reader.model, bool(adapters)):
            options["hf_overrides"] = overrides(architecture, reader.family.vllm)
        if adapters:
            options |= {
                "enable_lora": True,
                "max_loras": 1,
                "max_cpu_loras": len(adapters),
                "max_lora_rank": max(adapter.max_lora_rank for adapter in adapters.values()),
            }
        self._llm = LLM(**(options | dict(reader.model.vllm_options)))

    def ask(self, adapter: str, questions: Sequence[Request]) -> Iterator[list[Reply]]:
        """Reply to requests in batches.

        Args:
            adapter: One of the adapters carried live; empty for the weights as they were loaded.
            questions: What to ask.
        """
        for start in range(0, len(questions), self._handful):
            handful = questions[start : start + self._handful]
            outputs = self._outputs(adapter, handful, self._sampling)
            yield [
                self.reader.reply(question, list(output.token_ids))
                for question, output in zip(handful, outputs, strict=True)
            ]

    def score(self, adapter: str, questions: Sequence[Request]) -> list[ScoredReply]:
        """Answer a handful of questions, and tell the log-probabilities of the answers' tokens.

        Args:
            adapter: As for `ask`.
            questions: In this order they are given back.
        """
        scored = []
        for question, output in zip(questions, self._outputs(adapter, questions, self._telling), strict=True):
            tokens = self.reader.ended(output.token_ids)
            best = [{token: one.logprob for token, one in place.items()} for place in output.logprobs]
            scored.append(
                ScoredReply(
                    reply=self.reader.reply(question, tokens),
                    tokens=tuple(tokens),
                    best=tuple(best[: len(tokens)]),
                )
            )
        return scored

    def _outputs(self, adapter: str, questions: Sequence[Request], sampling: Any) -> list[Any]:
        """The first output of vLLM for each question.

        Rows with and without an adapter never share a call: on a CPU vLLM would give the latter the
        former's adapter.

        Args:
            adapter: As for `ask`.
            questions: What to ask.
            sampling: How, as vLLM takes it.
        """
        from vllm.lora.request import LoRARequest

        request = None
        if adapter:
            number, carried = self._requests[adapter]
            request = LoRARequest(f"adapter-{number}", number, str(carried.folder.resolve()))
        inputs: Any = [self._input(question) for question in questions]
        outputs = self._llm.generate(inputs, sampling, lora_request=request, use_tqdm=False)
        return [output.outputs[0] for output in outputs]

    def close(self) -> None:
        """Free the memory."""
        from vllm.distributed import cleanup_dist_env_and_memory

        del self._llm
        gc.collect()
        cleanup_dist_env_and_memory()

    def _input(self, question: Request) -> dict[str, Any]:
        reader, way = self.reader, self.reader.family.vllm
        make = plain_vllm_input if way is None else way.make_input
        return make(question.prompt(reader.model), reader.sounds(question), reader.model.sampling_rate)

    @staticmethod
    def _architecture(model: Model, lora: bool) -> str:
        wanted = model.vllm_architecture
        if not lora and model.stock_vllm:
            return ""
        if not wanted:
            if model.stock_vllm:
                return ""
            raise SlubenchError(f"vLLM has no class for {model.name}; use --engine transformers.")
        way = family_of(model.family, model.family_file).vllm
        if way is not None and way.architecture == wanted:
            from vllm import ModelRegistry

            # The class itself, not its place: vLLM would import that in a process of its own to look at it.
            ModelRegistry.register_model(wanted, own_class(way))
        return wanted


def language_model_config(checkpoint: Path) -> Any:
    """The language model's part of a checkpoint's config, with what the file leaves at its default."""
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(checkpoint).get_text_config()


def overrides(architecture: str, way: Vllm | None) -> Any:
    """What vLLM is to change in a checkpoint's config: the class, and what the family changes beside it."""
    change = way.config if way is not None else None
    if change is None:
        return {"architectures": [architecture]}

    def changed(config: Any) -> Any:
        made = change(config)
        made.architectures = [architecture]
        return made

    return changed


def cache_gib(weights: Path, size: Size) -> int:
    """GiB of key-value cache on a CPU: enough for every sequence, at most a quarter of the free memory."""
    text = language_model_config(weights)
    heads = getattr(text, "num_key_value_heads", None) or text.num_attention_heads
    width = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    needed = 2 * text.num_hidden_layers * heads * width * 4 * size.tokens * SEQUENCES
    return int(max(1, min(-(-needed // 2**30), free_memory() // 2**32)))


def free_share() -> float:
    """The share of the GPU's memory for vLLM: 90 %, or what other processes leave free."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return max(0.1, min(0.9, free / total - 0.03))
