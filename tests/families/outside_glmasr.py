"""GLM-ASR (zai-org/GLM-ASR-Nano-2512) as a family file of somebody's own: what a HOME's `families/` holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slubench.domain.family import Family, Features
from slubench.domain.model import Prompt, Recipe
from slubench.models.families.audioflamingo3 import cut, features
from slubench.models.families.qwen2_audio import inputs, project


def tokens_of(frames: Any) -> Any:
    """A strided convolution halves the frames, and the projector takes four positions at once."""
    return ((frames - 1) // 2 + 1) // 4


def audio_tokens(extractor: Any, samples: int) -> int:
    """The tokens of all windows."""
    frames = [-(-(end - start) // extractor.hop_length) for start, end in cut(extractor, samples)]
    return sum(tokens_of(count) for count in frames)


def encode(tower: Any, clips: Sequence[Features]) -> list[Any]:
    """Run the encoder on all windows; four positions become the width of one audio token."""
    import torch

    weight = tower.conv1.weight
    mels = torch.cat([clip["input_features"] for clip in clips]).to(weight.device, weight.dtype)
    hidden = tower(mels).last_hidden_state
    rows = iter(hidden.reshape(len(hidden), -1, tower.config.intermediate_size))
    return [
        torch.cat([next(rows)[: tokens_of(int(mask.sum()))] for mask in clip["input_features_mask"]])
        for clip in clips
    ]


def window_positions(config: Any, seconds: float) -> int:
    """The encoder halves its frames of 10 ms, in whole windows of 30 s."""
    return 1500 * max(1, -(-int(seconds) // 30))


GLMASR = Family(
    name="glmasr",
    features=features,
    audio_tokens=audio_tokens,
    encode=encode,
    project=project,
    inputs=inputs,
    window_positions=window_positions,
    prompt=Prompt(
        before="<|user|>\n",
        audio="<|begin_of_audio|><|pad|><|end_of_audio|>",
        text="{text}",
        after="<|user|>\nGive the scenario, the action and the entities as JSON.<|assistant|>\n",
        end="<|endoftext|>",
    ),
    recipes={
        "lora-lm": Recipe(rate=1e-2, rank=4, alpha=8, batch=4, warmup=0.0),
        "lora-lm+projector": Recipe(rate=1e-2, rank=4, alpha=8, batch=4, warmup=0.0),
    },
    licence="MIT",
)
