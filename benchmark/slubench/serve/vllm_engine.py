"""Inference with vLLM's offline engine in this process: batched, greedy, with live LoRA on request."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from slubench.domain.family import plain_vllm_input
from slubench.domain.model import Model
from slubench.errors import DataError, SlubenchError
from slubench.registry.families import family_of
from slubench.serve.engine import Reader
from slubench.serve.read_adapter import AdapterFiles
from slubench.serve.replies import Reply
from slubench.serve.requests import Request
from slubench.serve.vllm_models import own_class

# So many questions are handed over at a time; replies are kept after each handful.
HANDFUL: Final = {"cpu": 64, "cuda": 512}
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
    config = json.loads((checkpoint / "config.json").read_text("utf-8"))
    limit = config.get("text_config", config).get("max_position_embeddings", 8192)
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

    Raises:
        SlubenchError: vLLM has no class for the model.
    """

    def __init__(
        self, reader: Reader, weights: Path, adapters: Mapping[str, AdapterFiles], size: Size, device: str
    ) -> None:
        os.environ.update(ENVIRONMENT)
        if device == "cpu":
            os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(cache_gib(weights, size)))
        from vllm import LLM, SamplingParams

        self._reader = reader
        self._handful = HANDFUL[device]
        self._requests = {name: (number, adapters[name]) for number, name in enumerate(adapters, start=1)}
        self._sampling = SamplingParams(
            temperature=0.0,
            repetition_penalty=1.0,
            max_tokens=reader.model.reply_tokens,
            stop_token_ids=list(reader.stops),
            detokenize=False,
        )
        options: dict[str, Any] = {
            "model": str(weights),
            "dtype": "bfloat16" if device == "cuda" else "float32",
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
        if architecture := self._architecture(reader.model, bool(adapters)):
            options["hf_overrides"] = {"architectures": [architecture]}
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

        Rows with and without an adapter never share a call: on a CPU vLLM would give the latter the
        former's adapter.

        Args:
            adapter: One of the adapters carried live; empty for the weights as they were loaded.
            questions: What to ask.
        """
        from vllm.lora.request import LoRARequest

        request = None
        if adapter:
            number, carried = self._requests[adapter]
            request = LoRARequest(f"adapter-{number}", number, str(carried.folder.resolve()))
        for start in range(0, len(questions), self._handful):
            handful = questions[start : start + self._handful]
            inputs: Any = [self._input(question) for question in handful]
            outputs = self._llm.generate(
                inputs,
                self._sampling,
                lora_request=request,
                use_tqdm=False,
            )
            yield [
                self._reader.reply(question, list(output.outputs[0].token_ids))
                for question, output in zip(handful, outputs, strict=True)
            ]

    def close(self) -> None:
        """Free the memory."""
        from vllm.distributed import cleanup_dist_env_and_memory

        del self._llm
        gc.collect()
        cleanup_dist_env_and_memory()

    def _input(self, question: Request) -> dict[str, Any]:
        reader, way = self._reader, self._reader.family.vllm
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


def cache_gib(weights: Path, size: Size) -> int:
    """GiB of key-value cache on a CPU: enough for every sequence, at most a quarter of the free memory."""
    config = json.loads((weights / "config.json").read_text("utf-8"))
    text = config.get("text_config", config)
    heads = text.get("num_key_value_heads") or text["num_attention_heads"]
    width = text.get("head_dim") or text["hidden_size"] // text["num_attention_heads"]
    needed = 2 * text["num_hidden_layers"] * heads * width * 4 * size.tokens * SEQUENCES
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return int(max(1, min(-(-needed // 2**30), free // 2**32)))


def free_share() -> float:
    """The share of the GPU's memory for vLLM: 90 %, or what other processes leave free."""
    import torch

    free, total = torch.cuda.mem_get_info()
    return max(0.1, min(0.9, free / total - 0.03))
