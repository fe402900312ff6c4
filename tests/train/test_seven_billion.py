"""The real model's own shapes, built without weights: what would learn, how much, and under which names."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch

from slubench.registry import Registry
from slubench.train.tracks import adapted_modules, learning, open_track

QWEN2_AUDIO_7B_INSTRUCT = Registry().model("qwen2-audio-7b-instruct")
LINEARS = {
    "self_attn.q_proj": (4096, 4096),
    "self_attn.k_proj": (4096, 4096),
    "self_attn.v_proj": (4096, 4096),
    "self_attn.o_proj": (4096, 4096),
    "mlp.gate_proj": (4096, 11008),
    "mlp.up_proj": (4096, 11008),
    "mlp.down_proj": (11008, 4096),
}
PROJECTOR = 1280 * 4096 + 4096


@pytest.fixture
def model() -> Any:
    """Qwen2-Audio-7B-Instruct on the device that holds shapes alone."""
    from transformers import (
        Qwen2AudioConfig,
        Qwen2AudioEncoderConfig,
        Qwen2AudioForConditionalGeneration,
        Qwen2Config,
    )

    config = Qwen2AudioConfig(
        audio_config=Qwen2AudioEncoderConfig(
            num_mel_bins=128,
            d_model=1280,
            encoder_layers=32,
            encoder_attention_heads=20,
            encoder_ffn_dim=5120,
            max_source_positions=1500,
        ),
        text_config=Qwen2Config(
            vocab_size=156_032,
            hidden_size=4096,
            intermediate_size=11_008,
            num_hidden_layers=32,
            num_attention_heads=32,
            num_key_value_heads=32,
            max_position_embeddings=8192,
            tie_word_embeddings=False,
        ),
        audio_token_index=151_646,
    )
    with torch.device("meta"):
        return Qwen2AudioForConditionalGeneration(config)


def lora_parameters(rank: int) -> int:
    return 32 * sum(rank * (wide + narrow) for wide, narrow in LINEARS.values())


def test_the_declared_size_is_the_models(model: Any) -> None:
    assert sum(p.numel() for p in model.parameters()) == QWEN2_AUDIO_7B_INSTRUCT.parameters


def test_lora_takes_the_seven_linears_of_each_layer_and_nothing_else(model: Any) -> None:
    names = adapted_modules(model, QWEN2_AUDIO_7B_INSTRUCT)
    expected = {f"model.language_model.layers.{n}.{linear}" for n in range(32) for linear in LINEARS}
    assert set(names) == expected
    assert len(names) == 224
    # A plain list of names would have taken 96 of the tower's, too.
    plain = [name for name, _ in model.named_modules() if re.fullmatch(r".*\.(q|k|v)_proj", name)]
    assert len(plain) == 96 + 96


def test_lora_has_the_recipes_shapes(model: Any) -> None:
    recipe = QWEN2_AUDIO_7B_INSTRUCT.recipe("lora-lm")
    adapted = open_track(model, QWEN2_AUDIO_7B_INSTRUCT, "lora-lm")
    learnt = learning(adapted)
    for number in (0, 31):
        for linear, (wide, narrow) in LINEARS.items():
            name = f"base_model.model.model.language_model.layers.{number}.{linear}"
            assert learnt[f"{name}.lora_A.default.weight"].shape == (recipe.rank, wide)
            assert learnt[f"{name}.lora_B.default.weight"].shape == (narrow, recipe.rank)
    assert len(learnt) == 2 * 224


@pytest.mark.parametrize(
    ("track", "learnt", "share"),
    [
        ("lora-lm", lora_parameters(16), 0.0048),
        ("lora-lm+projector", lora_parameters(16) + PROJECTOR, 0.0054),
        ("full", QWEN2_AUDIO_7B_INSTRUCT.parameters, 1.0),
    ],
)
def test_each_track_learns_its_share(model: Any, track: str, learnt: int, share: float) -> None:
    parameters = learning(open_track(model, QWEN2_AUDIO_7B_INSTRUCT, track))
    assert sum(p.numel() for p in parameters.values()) == learnt
    assert learnt / QWEN2_AUDIO_7B_INSTRUCT.parameters == pytest.approx(share, rel=0.01)


def test_its_parts_are_where_training_looks_for_them(model: Any) -> None:
    parts = Registry().family(model.config.model_type).parts
    names = (parts.tower, parts.projector, parts.language_model, parts.head)
    kinds = [type(model.get_submodule(name)).__name__ for name in names]
    assert kinds == ["Qwen2AudioEncoder", "Qwen2AudioMultiModalProjector", "Qwen2Model", "Linear"]
    assert parts.projector.endswith(QWEN2_AUDIO_7B_INSTRUCT.projector)
