"""Qwen2-Audio (Chu et al. 2024, arXiv 2407.10759): Whisper's encoder, a linear projector, Qwen2.

One window a clip; the encoder halves the frames twice, once by a strided convolution and once by pooling.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slubench.domain.family import Family, Features, Vllm, chat_prompts


def features(extractor: Any, samples: Any, rate: int) -> Features:
    """Log-mels padded to the whole window, and which of their frames are sound."""
    made = extractor(
        [samples], sampling_rate=rate, padding="max_length", return_attention_mask=True, return_tensors="pt"
    )
    return {"input_features": made["input_features"], "feature_attention_mask": made["attention_mask"]}


def audio_tokens(extractor: Any, samples: int) -> int:
    """One frame for each started hop, up to the window. Clips under three frames have no token."""
    frames = min(-(-samples // extractor.hop_length), extractor.nb_max_frames)
    return int(tokens_of(frames))


def positions_of(frames: Any) -> Any:
    """Positions after the strided convolution, for a number or a tensor of numbers."""
    return (frames - 1) // 2 + 1


def tokens_of(frames: Any) -> Any:
    """Audio tokens of so many frames. Source: `Qwen2AudioEncoder._get_feat_extract_output_lengths`."""
    return (positions_of(frames) - 2) // 2 + 1


def encode(tower: Any, clips: Sequence[Features]) -> list[Any]:
    """Run the encoder as the original model does: windows padded to the maximum, padding masked."""
    import torch
    from transformers.masking_utils import create_bidirectional_mask

    weight = tower.conv1.weight
    mels = torch.cat([clip["input_features"] for clip in clips]).to(weight.device, non_blocking=True)
    frames = torch.cat([clip["feature_attention_mask"] for clip in clips]).sum(-1).long().to(weight.device)
    window = (mels.shape[-1] - 2) // 2 + 1
    inside = torch.arange(window, device=mels.device)[None, :] < positions_of(frames)[:, None]
    mask = create_bidirectional_mask(
        config=tower.config,
        inputs_embeds=torch.zeros((len(mels), window, 1), dtype=weight.dtype, device=mels.device),
        attention_mask=inside.long(),
    )
    hidden = tower(mels.to(weight.dtype), attention_mask=mask).last_hidden_state
    return [row[:count] for row, count in zip(hidden, tokens_of(frames).tolist(), strict=True)]


def project(projector: Any, encoded: Sequence[Any]) -> Any:
    """Project the tokens of all clips at once; each is mapped independently."""
    import torch

    return projector(torch.cat(list(encoded)))


def inputs(clips: Sequence[Features]) -> dict[str, Any]:
    """The features of all clips of a batch, window after window."""
    import torch

    return {name: torch.cat([clip[name] for clip in clips]) for name in clips[0]} if clips else {}


START = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
AFTER = "<|im_end|>\n<|im_start|>assistant\n"
PROMPT, TRANSCRIPTION = chat_prompts(START, "<|audio_bos|><|AUDIO|><|audio_eos|>", AFTER, "<|im_end|>")

# transformers 5 saves a model that was built, rather than loaded, under doubled names, keeps them when it is
# loaded and saved again, and reads both; vLLM's own class reads the single ones.
RENAMED = {"language_model.model.model.": "language_model.model."}

QWEN2_AUDIO = Family(
    name="qwen2_audio",
    features=features,
    audio_tokens=audio_tokens,
    encode=encode,
    project=project,
    inputs=inputs,
    prompt=PROMPT,
    transcription=TRANSCRIPTION,
    vllm=Vllm(
        architecture="SlubenchQwen2AudioLoRA",
        own_class="slubench.serve.vllm_qwen2_audio:SlubenchQwen2AudioLoRA",
        renamed=RENAMED,
    ),
)
