"""Voxtral (arXiv 2507.13264) as a family file of somebody's own: what a HOME's `families/` folder holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slubench.domain.family import Family, Features, Parts
from slubench.domain.model import Prompt, Recipe


def windows(extractor: Any, samples: int) -> int:
    """A clip is padded with silence to a whole number of windows."""
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
    count = windows(extractor, len(samples))
    return {"input_features": made.reshape(len(made), count, -1).transpose(0, 1)}


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


def project(projector: Any, encoded: Sequence[Any]) -> Any:
    """Each audio token is mapped by itself."""
    import torch

    return projector(torch.cat(list(encoded)))


def inputs(clips: Sequence[Features]) -> dict[str, Any]:
    """The windows of all clips in order."""
    import torch

    return {"input_features": torch.cat([clip["input_features"] for clip in clips])} if clips else {}


VOXTRAL = Family(
    name="voxtral",
    parts=Parts(
        tower="model.audio_tower",
        projector="model.multi_modal_projector",
        language_model="model.language_model",
        head="lm_head",
    ),
    lora_modules=r".*language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)",
    features=features,
    audio_tokens=audio_tokens,
    encode=encode,
    project=project,
    inputs=inputs,
    prompt=Prompt(
        before="<s>[INST]",
        audio="[BEGIN_AUDIO][AUDIO]",
        text="{text}",
        after=" Give the scenario, the action and the entities as JSON.[/INST]",
        end="</s>",
    ),
    recipes={
        "lora-lm": Recipe(rate=1e-2, rank=4, alpha=8, batch=4, warmup=0.0),
        "lora-lm+projector": Recipe(rate=1e-2, rank=4, alpha=8, batch=4, warmup=0.0),
    },
    licence="Apache-2.0",
)
