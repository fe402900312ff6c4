"""What a checkpoint replies to recordings and texts of the miniature, and the recordings it is asked."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import soundfile
import torch
from numpy.typing import NDArray
from transformers import Qwen2AudioProcessor

from tools.mini.model.architecture import SAMPLE_RATE
from tools.mini.model.tokenizer import AUDIO, AUDIO_END, AUDIO_START

Voices = Literal["known", "unseen"]


KNOWN: Final = "dev"


REPLY_TOKENS: Final = 96


class Recording(NamedTuple):
    """A recording of a dev set: its row without the audio, and its samples at 16 kHz."""

    row: Mapping[str, Any]
    samples: NDArray[np.float32]


def recordings(speech: Path, voices: str, language: str, limit: int | None = None) -> list[Recording]:
    """Read the first ``limit`` recordings of a dev set, all without a limit."""
    table = pq.read_table(speech / f"{voices}-{language}-0000.parquet").slice(0, limit)
    return [_decoded(row) for row in table.to_pylist()]


def _decoded(row: dict[str, Any]) -> Recording:
    samples, _ = soundfile.read(io.BytesIO(row.pop("audio")["bytes"]), dtype="float32")
    return Recording(row, samples)


def answer(
    model: Any,
    processor: Qwen2AudioProcessor,
    instruction: str,
    contents: Sequence[NDArray[np.float32] | str],
    batch: int = 50,
) -> list[str]:
    """Put one instruction to recordings or sentences and give the greedy replies in their order.

    Args:
        model: What ``load`` gave, with adapters or without.
        processor: Its processor.
        instruction: What is asked.
        contents: Samples at 16 kHz, or texts that stand in the clip's place; one kind a call.
        batch: How many are asked at once.
    """
    replies: list[str] = []
    for start in range(0, len(contents), batch):
        part = contents[start : start + batch]
        clips = [content for content in part if not isinstance(content, str)]
        prompts = [_prompt(processor, instruction, content) for content in part]
        inputs = processor(
            text=prompts,
            audio=clips or None,
            sampling_rate=SAMPLE_RATE if clips else None,
            padding=True,
            return_tensors="pt",
        )
        with torch.inference_mode():
            ids = model.generate(**inputs, max_new_tokens=REPLY_TOKENS, do_sample=False)
        new = ids[:, inputs["input_ids"].shape[1] :]
        replies += processor.tokenizer.batch_decode(new, skip_special_tokens=True)
    return replies


def _prompt(processor: Qwen2AudioProcessor, instruction: str, content: NDArray[np.float32] | str) -> str:
    text = f"{AUDIO_START}{content if isinstance(content, str) else AUDIO}{AUDIO_END}"
    turns = [{"role": "user", "content": f"{instruction}\n{text}"}]
    prompt: str = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    return prompt
