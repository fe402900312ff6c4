"""Voxtral (Liu et al. 2025, arXiv 2507.13264): Whisper's encoder, four positions a token, a Llama.

A clip is padded with silence to whole windows of 30 s, and all of them are heard, so a short clip takes 375
audio tokens.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from slubench.domain.family import Family, Features, chat_prompts
from slubench.errors import MissingError
from slubench.models.families.qwen2_audio import inputs, project

# mistral-common never reads special tokens from text.
SPECIAL = re.compile(r"(<s>|</s>|\[/?INST\]|\[BEGIN_AUDIO\]|\[AUDIO\]|\[TRANSCRIBE\])")


def processor(place: str, revision: str | None) -> Any:
    """The processor, whose tokenizer is mistral-common's where the checkpoint has a tekken.json."""
    from importlib.util import find_spec

    import transformers

    if find_spec("mistral_common") is None:
        raise MissingError(
            "Voxtral's tokenizer needs mistral-common, which is not installed. Install it with: pip install"
            " 'mistral-common[audio]'"
        )
    loader: Any = transformers.AutoProcessor
    return loader.from_pretrained(place, revision=revision)


def tokenize(processor: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of texts in which special tokens are written out."""
    words = processor.tokenizer

    def ids(piece: str) -> list[int]:
        if SPECIAL.fullmatch(piece):
            return [int(words.convert_tokens_to_ids(piece))]
        return list(words(piece, add_special_tokens=False)["input_ids"]) if piece else []

    return [[token for piece in SPECIAL.split(text) for token in ids(piece)] for text in texts]


def windows(extractor: Any, samples: int) -> int:
    """How many windows a clip is padded to."""
    return max(1, -(-samples // int(extractor.n_samples)))


def features(extractor: Any, samples: Any, rate: int) -> Features:
    """Log-mels of the whole clip, cut into windows: (windows, bins, frames)."""
    made = extractor(
        [samples],
        sampling_rate=rate,
        padding=True,
        truncation=False,
        pad_to_multiple_of=extractor.n_samples,
        return_tensors="pt",
    )["input_features"][0]
    return {"input_features": made.reshape(len(made), windows(extractor, len(samples)), -1).transpose(0, 1)}


def audio_tokens(extractor: Any, samples: int) -> int:
    """A strided convolution halves the frames, and the projector takes four positions at once."""
    return windows(extractor, samples) * (int(extractor.nb_max_frames) // 8)


def encode(tower: Any, clips: Sequence[Features]) -> list[Any]:
    """Run the encoder on all windows; four positions become the width of one audio token."""
    import torch

    weight = tower.conv1.weight
    mels = torch.cat([clip["input_features"] for clip in clips]).to(weight.device, weight.dtype)
    hidden = tower(mels).last_hidden_state
    counts = [len(clip["input_features"]) for clip in clips]
    return [part.reshape(-1, tower.config.intermediate_size) for part in hidden.split(counts)]


PROMPT, TRANSCRIPTION = chat_prompts("<s>[INST]", "[BEGIN_AUDIO][AUDIO]", "[/INST]", "</s>")

VOXTRAL = Family(
    name="voxtral",
    processor=processor,
    features=features,
    audio_tokens=audio_tokens,
    encode=encode,
    project=project,
    inputs=inputs,
    tokenize=tokenize,
    tokenize_reply=tokenize,
    prompt=PROMPT,
    transcription=TRANSCRIPTION,
    max_seconds=60.0,
    files=(("processor_config.json", "preprocessor_config.json"), ("tekken.json", "tokenizer.json")),
    licence="Apache-2.0",
)
