"""Audio Flamingo 3 (Goel et al. 2025, arXiv 2507.08128): Whisper's encoder, an MLP, Qwen2.5.

A clip is cut into windows of 30 s, the last padded; padding becomes no audio token.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slubench.domain.family import Family, Features, Vllm, chat_prompts
from slubench.models.families.qwen2_audio import AFTER, START, inputs, project, tokens_of


def cut(extractor: Any, samples: int) -> list[tuple[int, int]]:
    """Where the windows of a clip begin and end; the last may be shorter."""
    window = int(extractor.n_samples)
    return [(start, min(samples, start + window)) for start in range(0, max(1, samples), window)]


def features(extractor: Any, samples: Any, rate: int) -> Features:
    """Log-mels of each window, padded: (windows, bins, frames), and which frames are sound."""
    made = extractor(
        [samples[start:end] for start, end in cut(extractor, len(samples))],
        sampling_rate=rate,
        padding="max_length",
        return_attention_mask=True,
        return_tensors="pt",
    )
    return {"input_features": made["input_features"], "input_features_mask": made["attention_mask"]}


def audio_tokens(extractor: Any, samples: int) -> int:
    """The tokens of all windows; the frames of each are halved twice."""
    frames = [-(-(end - start) // extractor.hop_length) for start, end in cut(extractor, samples)]
    return sum(int(tokens_of(count)) for count in frames)


def encode(tower: Any, clips: Sequence[Features]) -> list[Any]:
    """Run the encoder on all windows, padding masked."""
    import torch

    weight = tower.conv1.weight
    mels = torch.cat([clip["input_features"] for clip in clips]).to(weight.device, weight.dtype)
    mask = torch.cat([clip["input_features_mask"] for clip in clips]).to(weight.device)
    rows = iter(tower(mels, input_features_mask=mask).last_hidden_state)
    return [
        torch.cat([next(rows)[: tokens_of(int(window.sum()))] for window in clip["input_features_mask"]])
        for clip in clips
    ]


PROMPT, TRANSCRIPTION = chat_prompts(
    START, "<sound>", AFTER, "<|im_end|>", transcribe="Transcribe the input speech."
)

AUDIO_FLAMINGO_3 = Family(
    name="audioflamingo3",
    loader="AudioFlamingo3ForConditionalGeneration",
    features=features,
    audio_tokens=audio_tokens,
    encode=encode,
    project=project,
    inputs=inputs,
    prompt=PROMPT,
    transcription=TRANSCRIPTION,
    max_seconds=60.0,
    vllm=Vllm(
        stock=False,
        architecture="SlubenchAudioFlamingo3LoRA",
        own_class="slubench.serve.vllm_audioflamingo3:SlubenchAudioFlamingo3LoRA",
    ),
    licence="NVIDIA OneWay Noncommercial",
)
