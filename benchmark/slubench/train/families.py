"""Where an architecture keeps its audio tower, projector, language model and head, and how it hears."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from slubench.errors import DeclarationError


class Anatomy(NamedTuple):
    """Dotted names of a conditional-generation model's parts.

    Attributes:
        tower: The audio encoder, up to and without the projector.
        projector: The module that maps the tower's output into the space of token embeddings.
        language_model: The decoder without its head.
        head: The output layer.
    """

    tower: str
    projector: str
    language_model: str
    head: str


FAMILIES = {
    "qwen2_audio": Anatomy(
        "model.audio_tower", "model.multi_modal_projector", "model.language_model", "lm_head"
    ),
}


def anatomy(family: str) -> Anatomy:
    """The names of the parts of a `model_type`.

    Raises:
        DeclarationError: Training does not know the architecture.
    """
    if family not in FAMILIES:
        known = ", ".join(sorted(FAMILIES))
        raise DeclarationError(
            f"Training does not know the architecture {family!r} (it knows: {known})."
            " Name its parts in slubench/train/anatomy.py."
        )
    return FAMILIES[family]


def audio_tokens(frames: Tensor) -> Tensor:
    """How many audio tokens clips of so many mel frames become, shape (clips,) in and out.

    Two strided steps, a convolution's and the pooling's; a clip of fewer than three frames becomes none.
    Source: `Qwen2AudioEncoder._get_feat_extract_output_lengths`.
    """
    return (_positions(frames) - 2) // 2 + 1


def hear(tower: Any, mels: Tensor, frames: Tensor) -> list[Tensor]:
    """Run the audio tower as its own model does: windows padded to the maximum, padding masked.

    Args:
        tower: The audio encoder.
        mels: Log-mels, shape (clips, bins, window).
        frames: Mel frames of each clip within its window, shape (clips,).

    Returns:
        A tensor a clip, shape (audio tokens, width of the tower).
    """
    from transformers.masking_utils import create_bidirectional_mask

    window = (mels.shape[-1] - 2) // 2 + 1
    inside = torch.arange(window, device=mels.device)[None, :] < _positions(frames)[:, None]
    dtype = tower.conv1.weight.dtype
    mask = create_bidirectional_mask(
        config=tower.config,
        inputs_embeds=torch.zeros((len(mels), window, 1), dtype=dtype, device=mels.device),
        attention_mask=inside.long(),
    )
    hidden = tower(mels.to(dtype), attention_mask=mask).last_hidden_state
    return [row[:count] for row, count in zip(hidden, audio_tokens(frames).tolist(), strict=True)]


def part(model: nn.Module, name: str) -> Any:
    """The submodule of that dotted name, whatever peft wrapped it in."""
    return model.get_submodule(name)


def _positions(frames: Tensor) -> Tensor:
    return (frames - 1) // 2 + 1
