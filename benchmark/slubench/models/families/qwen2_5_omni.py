"""Qwen2.5-Omni's thinker (Xu et al. 2025, arXiv 2503.20215): an encoder in blocks of 2 s, and Qwen2.5.

The encoder holds its own projection, so there is no projector to train alone. Its extractor would pad every
clip to 300 s; here clips last 30 s at most, and only their own frames are kept. The part that speaks is not
loaded, and the one for images learns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slubench.domain.family import RECIPES, Family, Features, Parts, Vllm
from slubench.models.families.qwen2_audio import (
    PROMPT,
    TRANSCRIPTION,
    audio_tokens,
    positions_of,
    tokens_of,
)

WINDOW_SECONDS = 30


def features(extractor: Any, samples: Any, rate: int) -> Features:
    """Log-mels of the clip's own frames.

    Silence follows the clip, as it does in a padded window, so that the last frame has no mirrored samples.
    """
    import numpy as np
    import torch

    hop, most = int(extractor.hop_length), int(extractor.nb_max_frames)
    frames = min(-(-len(samples) // hop), most)
    room = min((frames + extractor.n_fft // hop + 1) * hop, int(extractor.n_samples))
    padded = np.pad(samples[:room], (0, max(0, room - len(samples))))
    made = extractor([padded], sampling_rate=rate, padding=True, return_tensors="pt")["input_features"]
    return {
        "input_features": made[..., :frames].clone(),
        "feature_attention_mask": torch.ones((1, frames), dtype=torch.long),
    }


def encode(tower: Any, clips: Sequence[Features]) -> list[Any]:
    """Run the encoder on the frames of all clips, one after another; it keeps them apart."""
    import torch

    weight = tower.conv1.weight
    mels = torch.cat([clip["input_features"][0] for clip in clips], dim=1).to(weight.device, weight.dtype)
    frames = torch.tensor([clip["input_features"].shape[-1] for clip in clips], device=weight.device)
    hidden = tower(mels, feature_lens=frames, aftercnn_lens=positions_of(frames)).last_hidden_state
    return list(hidden.split(tokens_of(frames).tolist()))


def project(projector: Any, encoded: Sequence[Any]) -> Any:
    """The encoder has projected already."""
    import torch

    return torch.cat(list(encoded))


def inputs(clips: Sequence[Features]) -> dict[str, Any]:
    """The frames of all clips, padded to the longest on the right."""
    import torch
    from torch.nn import functional

    if not clips:
        return {}
    longest = max(clip["input_features"].shape[-1] for clip in clips)

    def padded(name: str) -> Any:
        rows = (clip[name] for clip in clips)
        return torch.cat([functional.pad(row, (0, longest - row.shape[-1])) for row in rows])

    return {name: padded(name) for name in ("input_features", "feature_attention_mask")}


def processor(place: str, revision: str | None) -> Any:
    """Tokenizer and extractor alone: the whole processor wants torchvision, for images and video."""
    import transformers

    loaders: Any = transformers
    words = loaders.AutoTokenizer.from_pretrained(place, revision=revision)
    extractor = loaders.WhisperFeatureExtractor.from_pretrained(
        place, revision=revision, chunk_length=WINDOW_SECONDS
    )
    return loaders.Qwen2AudioProcessor(extractor, words)


def vllm_config(config: Any) -> Any:
    """A thinker's config as a part of the whole, which is what vLLM reads."""
    import transformers

    whole: Any = transformers
    if hasattr(config, "thinker_config"):
        return config
    return whole.Qwen2_5OmniConfig(thinker_config=config.to_dict())


QWEN2_5_OMNI = Family(
    name="qwen2_5_omni",
    aliases=("qwen2_5_omni_thinker",),
    loader="Qwen2_5OmniThinkerForConditionalGeneration",
    parts=Parts(tower="audio_tower", projector="", language_model="model", head="lm_head"),
    lora_modules=r"model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)",
    processor=processor,
    features=features,
    audio_tokens=audio_tokens,
    encode=encode,
    project=project,
    inputs=inputs,
    prompt=PROMPT,
    transcription=TRANSCRIPTION,
    recipes={name: RECIPES[name] for name in ("lora-lm", "full")},
    vllm=Vllm(
        stock=False,
        architecture="SlubenchQwen2_5OmniLoRA",
        own_class="slubench.serve.vllm_qwen2_5_omni:SlubenchQwen2_5OmniLoRA",
        config=vllm_config,
    ),
    older_names={"thinker.": ""},
)
