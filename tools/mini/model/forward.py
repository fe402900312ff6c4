"""The model's own modules, run on what is there and no more: the forward passes that pretraining uses.

transformers runs the encoder on windows padded to 6 s and the language model with a padding mask. Here a
batch is as long as its longest member, audio runs on its own frames alone, and text is padded on the right,
so that causality makes a mask needless. The results are those of the modules' own ``forward`` (tested).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen2AudioForConditionalGeneration

PHONEME_LAYER = 3
"""The encoder layer (counted from 1) whose output the temporary phoneme head reads."""
BARRED = -1e9
"""Added to attention where it may not look."""


Adapters = Mapping[nn.Module, tuple[Tensor, Tensor]]
"""Low-rank changes of linear layers: (inputs, rank) and (rank, outputs), their product is added."""


class Heard(NamedTuple):
    """What the encoder makes of a batch of clips."""

    embeddings: Tensor
    """(clips, audio tokens, width): the projector's output, in the space of token embeddings."""
    tokens: Tensor
    """(clips,): audio tokens of each clip."""
    middle: Tensor
    """(clips, positions, width): hidden states after layer ``PHONEME_LAYER``, 25 a second."""
    positions: Tensor
    """(clips,): positions of each clip in ``middle``."""


class Thought(NamedTuple):
    """What the language model makes of a batch of embeddings."""

    layers: list[Tensor]
    """Hidden states after each layer, (samples, positions, width); the last one is normalised."""

    @property
    def last(self) -> Tensor:
        """The normalised hidden states that the output head reads."""
        return self.layers[-1]


def audio_positions(frames: Tensor) -> tuple[Tensor, Tensor]:
    """Give encoder positions and audio tokens of clips with ``frames`` mel frames."""
    positions = torch.div(frames - 1, 2, rounding_mode="floor") + 1
    return positions, torch.div(positions - 2, 2, rounding_mode="floor") + 1


def hear(model: Qwen2AudioForConditionalGeneration, mels: Tensor, frames: Tensor) -> Heard:
    """Run encoder and projector on clips cut to the longest of them.

    Args:
        model: The model.
        mels: Log-mels, (clips, bins, longest + 3 or more); beyond its own frames each clip holds the silence
            that the 6 s window would hold, since the convolutions look three frames ahead.
        frames: Mel frames of each clip.
    """
    tower = model.model.audio_tower
    positions, tokens = audio_positions(frames)
    longest = int(positions.max())
    hidden = F.gelu(tower.conv1(mels))
    hidden = F.gelu(tower.conv2(hidden))[:, :, :longest].transpose(1, 2)
    hidden = hidden + tower.embed_positions.weight[:longest]
    mask: Tensor | None = None
    if int(positions.min()) < longest:
        inside = torch.arange(longest)[None, :] < positions[:, None]
        mask = torch.zeros(inside.shape, dtype=hidden.dtype).masked_fill_(~inside, BARRED)[:, None, None, :]
    middle = hidden
    for number, layer in enumerate(tower.layers, start=1):
        hidden = _encoder_layer(layer, hidden, mask)
        if number == PHONEME_LAYER:
            middle = hidden
    pairs = hidden[:, : longest // 2 * 2].reshape(len(hidden), longest // 2, 2, -1)
    pooled = tower.layer_norm(pairs.mean(dim=2))
    return Heard(model.model.multi_modal_projector(pooled), tokens, middle, positions)


def think(
    model: Qwen2AudioForConditionalGeneration, embeddings: Tensor, adapters: Adapters | None = None
) -> Thought:
    """Run the language model on right-padded ``embeddings``, (samples, positions, width), without a mask.

    With ``adapters``, those of its linear layers are changed by them.
    """
    language_model = model.model.language_model
    positions = torch.arange(embeddings.shape[1])[None, :]
    cosine, sine = language_model.rotary_emb(embeddings, positions)
    mask = torch.full((embeddings.shape[1],) * 2, BARRED).triu(1)
    hidden, layers = embeddings, []
    for layer in language_model.layers:
        hidden = _decoder_layer(layer, hidden, cosine, sine, mask, adapters or {})
        layers.append(hidden)
    layers[-1] = _rms_norm(language_model.norm, hidden)
    return Thought(layers)


def _encoder_layer(layer: Any, hidden: Tensor, mask: Tensor | None) -> Tensor:
    attention = layer.self_attn
    normed = layer.self_attn_layer_norm(hidden)
    heads = (*normed.shape[:-1], attention.num_heads, attention.head_dim)
    query, key, value = (
        projection(normed).view(heads).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    mixed = _attend(query, key, value, mask)
    hidden = hidden + attention.out_proj(mixed.transpose(1, 2).reshape(normed.shape))
    widened: Tensor = layer.fc2(F.gelu(layer.fc1(layer.final_layer_norm(hidden))))
    return hidden + widened


def _decoder_layer(
    layer: Any, hidden: Tensor, cosine: Tensor, sine: Tensor, mask: Tensor, adapters: Adapters
) -> Tensor:
    attention = layer.self_attn
    normed = _rms_norm(layer.input_layernorm, hidden)
    heads = (*normed.shape[:-1], -1, attention.head_dim)
    query, key, value = (
        _project(projection, normed, adapters).view(heads).transpose(1, 2)
        for projection in (attention.q_proj, attention.k_proj, attention.v_proj)
    )
    query, key = _rotate(query, cosine, sine), _rotate(key, cosine, sine)
    if key.shape[1] > 1:
        groups = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    mixed = _attend(query, key, value, mask)
    joined = mixed.transpose(1, 2).reshape(*normed.shape[:-1], -1)
    hidden = hidden + _project(attention.o_proj, joined, adapters)
    normed = _rms_norm(layer.post_attention_layernorm, hidden)
    mlp = layer.mlp
    gated = F.silu(_project(mlp.gate_proj, normed, adapters)) * _project(mlp.up_proj, normed, adapters)
    return hidden + _project(mlp.down_proj, gated, adapters)


def _project(linear: nn.Module, states: Tensor, adapters: Adapters) -> Tensor:
    projected: Tensor = linear(states)
    if linear in adapters:
        down, up = adapters[linear]
        projected = projected + states @ down @ up
    return projected


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    # Written out: on a CPU the backward pass of the fused attention outlasts all else at these sizes.
    scores = (query * query.shape[-1] ** -0.5) @ key.transpose(2, 3)
    weights = (scores if mask is None else scores + mask).softmax(dim=-1)
    mixed: Tensor = weights.to(value.dtype) @ value
    return mixed


def _rms_norm(norm: Any, hidden: Tensor) -> Tensor:
    return F.rms_norm(hidden, hidden.shape[-1:], norm.weight, norm.variance_epsilon)


def _rotate(heads: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = heads.chunk(2, dim=-1)
    return heads * cosine[:, None] + torch.cat([-second, first], dim=-1) * sine[:, None]
