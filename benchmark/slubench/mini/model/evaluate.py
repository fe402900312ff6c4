"""Word error rates of the tiny model by the plain way: ``from_pretrained``, its processor and ``generate``.

``python -m slubench.mini.model.evaluate --checkpoint DIR`` prints them as JSON for known and unseen voices:
of the embedded corpus's held-out commands, and of the speech cache's dev sets (half of them everyday words).
"""

import argparse
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

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

CORPUS: Final = Path(__file__).parents[1] / "data" / "corpus"
Voices = Literal["known", "unseen"]
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


def held_out(corpus: Path, split: str, language: str, voices: Voices) -> list[Recording]:
    """Read what voices of the training split, or others alone, say in a split of the embedded corpus."""
    (train,) = corpus.glob(f"*/*/{language}-*/train-*.parquet")
    known = set(pq.read_table(train, columns=["speaker_id"])["speaker_id"].to_pylist())
    (file,) = corpus.glob(f"*/*/{language}-*/{split}-[0-9]*.parquet")
    columns = ["utt", "speaker_id", "condition", "audio"]
    rows = pq.read_table(file, columns=columns).rename_columns(["text", *columns[1:]]).to_pylist()
    return [_decoded(row) for row in rows if (row["speaker_id"] in known) == (voices == "known")]


def word_error_rates(
    checkpoint: Path, sets: Iterable[tuple[Mapping[str, str], list[Recording]]]
) -> Iterator[dict[str, str | float]]:
    """Give the word error rate of sets of recordings, each by what it is called."""
    model, processor = load(checkpoint)
    for name, heard in sets:
        found = answer(model, processor, REPEAT, [recording.samples for recording in heard])
        found = [text or "-" for text in found]
        for condition in ("all", "clean", "noisy"):
            at = [n for n, r in enumerate(heard) if condition in ("all", r.row["condition"])]
            said = [str(heard[n].row["text"]) for n in at]
            wer = float(jiwer.wer(reference=said, hypothesis=[found[n] for n in at]))
            yield {**name, "condition": condition, "utterances": len(at), "wer": round(wer, 4)}


def corpus_sets(corpus: Path, split: str) -> Iterator[tuple[dict[str, str], list[Recording]]]:
    """Give the sets of one split of the embedded corpus that are not empty, known voices first."""
    voices: Voices
    for voices in ("known", "unseen"):
        for language in LANGUAGES:
            if heard := held_out(corpus, split, language, voices):
                yield {"set": f"corpus {split}", "voices": voices, "language": language}, heard


def cache_sets(speech: Path, limit: int | None = None) -> Iterator[tuple[dict[str, str], list[Recording]]]:
    """Give the dev sets of the speech cache."""
    for voices in (KNOWN, UNSEEN):
        for language in LANGUAGES:
            name = {"set": "cache", "voices": voices, "language": language}
            yield name, recordings(speech, voices, language, limit)


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
    parser.add_argument("--corpus", type=Path, default=CORPUS)
    parser.add_argument("--split", choices=("validation", "test"), default="validation")
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
        sets = corpus_sets(options.corpus, options.split)
        if options.speech.exists():
            sets = chain(sets, cache_sets(options.speech, options.limit))
        for line in word_error_rates(options.checkpoint, sets):
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
