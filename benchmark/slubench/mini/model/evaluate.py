"""Word error rates of the tiny model by the plain way: ``from_pretrained``, its processor and ``generate``.

``python -m slubench.mini.model.evaluate --checkpoint DIR`` prints them for known and unseen voices, as JSON.
"""

import argparse
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import jiwer
import numpy as np
import pyarrow.parquet as pq
import soundfile
import torch
from numpy.typing import NDArray
from transformers import Qwen2AudioProcessor

from slubench.mini.grammar import LANGUAGES
from slubench.mini.model.architecture import SAMPLE_RATE, load
from slubench.mini.model.features import SPEECH
from slubench.mini.model.instructions import REPEAT
from slubench.mini.model.tokenizer import AUDIO, AUDIO_END, AUDIO_START

KNOWN: Final = "dev"
UNSEEN: Final = "dev_unseen"
REPLY_TOKENS: Final = 96


class Recording(NamedTuple):
    """A recording of a dev set: its row without the audio, and its samples at 16 kHz."""

    row: Mapping[str, Any]
    samples: NDArray[np.float32]


def recordings(speech: Path, voices: str, language: str, limit: int | None = None) -> list[Recording]:
    """Read the first ``limit`` recordings of a dev set, all without a limit."""
    table = pq.read_table(speech / f"{voices}-{language}-0000.parquet").slice(0, limit)
    found = []
    for row in table.to_pylist():
        samples, _ = soundfile.read(io.BytesIO(row.pop("audio")["bytes"]), dtype="float32")
        found.append(Recording(row, samples))
    return found


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


def word_error_rates(
    checkpoint: Path, speech: Path, limit: int | None = None
) -> Iterator[dict[str, str | float]]:
    """Give the word error rate of every dev set, known voices first."""
    model, processor = load(checkpoint)
    for voices in (KNOWN, UNSEEN):
        for language in LANGUAGES:
            heard = recordings(speech, voices, language, limit)
            said = [str(recording.row["text"]) for recording in heard]
            found = answer(model, processor, REPEAT, [recording.samples for recording in heard])
            yield {
                "voices": voices,
                "language": language,
                "utterances": len(said),
                "wer": round(float(jiwer.wer(reference=said, hypothesis=[text or "-" for text in found])), 4),
            }


def _prompt(processor: Qwen2AudioProcessor, instruction: str, content: NDArray[np.float32] | str) -> str:
    text = f"{AUDIO_START}{content if isinstance(content, str) else AUDIO}{AUDIO_END}"
    turns = [{"role": "user", "content": f"{instruction}\n{text}"}]
    prompt: str = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    return prompt


def main() -> None:
    """Print word error rates, or with ``--probe-gap`` how far text-only fine-tuning reaches speech."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--speech", type=Path, default=SPEECH)
    parser.add_argument("--limit", type=int, help="recordings of each dev set")
    parser.add_argument("--probe-gap", action="store_true")
    parser.add_argument("--language", choices=LANGUAGES, action="append", help="of the probe; all by default")
    parser.add_argument("--passes", type=int, default=6, help="of the probe, over its lessons")
    parser.add_argument("--learning-rate", type=float, default=5e-3)
    options = parser.parse_args()
    if options.probe_gap:
        from slubench.mini.model.gap import Probe, probe

        plan = Probe(passes=options.passes, rate=options.learning_rate)
        for language in options.language or LANGUAGES:
            for line in probe(options.checkpoint, options.speech, language, plan):
                print(json.dumps(line), flush=True)
    else:
        for line in word_error_rates(options.checkpoint, options.speech, options.limit):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
