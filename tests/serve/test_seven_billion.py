"""Adapters of the real Qwen2-Audio-7B-Instruct find their places in vLLM, told without its weights.

The config is written by hand from the published one (Hub: Qwen/Qwen2-Audio-7B-Instruct, config.json).
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model, get_peft_model_state_dict
from transformers import Qwen2AudioConfig, Qwen2AudioForConditionalGeneration

from slubench.registry import Registry
from slubench.serve.read_adapter import PREFIX
from tests.serve.serving_jobs import python

MODEL = Registry().model("qwen2-audio-7b-instruct")
PUBLISHED: dict[str, Any] = {
    "architectures": ["Qwen2AudioForConditionalGeneration"],
    "model_type": "qwen2_audio",
    "audio_token_index": 151646,
    "audio_config": {
        "model_type": "qwen2_audio_encoder",
        "num_mel_bins": 128,
        "d_model": 1280,
        "encoder_layers": 32,
        "encoder_attention_heads": 20,
        "encoder_ffn_dim": 5120,
        "max_source_positions": 1500,
        "activation_function": "gelu",
        "scale_embedding": False,
    },
    "text_config": {
        "model_type": "qwen2",
        "vocab_size": 156032,
        "hidden_size": 4096,
        "intermediate_size": 11008,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 32,
        "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000,
        "tie_word_embeddings": False,
        "bos_token_id": 151643,
        "eos_token_id": 151645,
    },
}


@pytest.fixture(scope="module")
def model() -> Qwen2AudioForConditionalGeneration:
    with torch.device("meta"):
        return Qwen2AudioForConditionalGeneration(Qwen2AudioConfig(**PUBLISHED))


@pytest.fixture(scope="module")
def tensors(model: Qwen2AudioForConditionalGeneration) -> dict[str, torch.Size]:
    """Names and shapes of the tensors that an adapter of the model holds."""
    recipe = MODEL.recipe("lora-lm")
    config = LoraConfig(r=recipe.rank, lora_alpha=recipe.alpha, target_modules=MODEL.lora_modules)
    with torch.device("meta"):
        adapted = get_peft_model(model, config)
    state = get_peft_model_state_dict(adapted)
    return {name: tensor.shape for name, tensor in state.items()}


def test_the_config_is_the_declared_models(model: Qwen2AudioForConditionalGeneration) -> None:
    base = [weight for name, weight in model.named_parameters() if "lora_" not in name]
    assert sum(weight.numel() for weight in base) == MODEL.parameters


def test_an_adapter_lies_on_the_language_models_linear_layers_alone(tensors: dict[str, torch.Size]) -> None:
    assert len(tensors) == 32 * 7 * 2
    for name in tensors:
        module, _, matrix = name.removeprefix(PREFIX).rpartition(".lora_")
        assert re.fullmatch(MODEL.lora_modules, module), name
        assert matrix in ("A.weight", "B.weight")


@pytest.mark.vllm
def test_every_tensor_has_a_place_in_vllm(tensors: dict[str, torch.Size], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(PUBLISHED), "utf-8")
    (tmp_path / "names").write_text("\n".join(tensors), "utf-8")
    ran = python(str(Path(__file__).with_name("name_7b_tensors.py")), str(tmp_path), str(tmp_path / "names"))
    assert ran.code == 0, ran.stderr
    found = json.loads(ran.stdout.splitlines()[-1])
    taking = {name for name in found["takes"] if name.startswith("language_model.model.layers.")}
    assert {module for module, _ in found["mapped"].values()} == taking
    parameters = found["parameters"]
    for name, (module, is_a) in found["mapped"].items():
        rows, columns = tensors[name]
        parent, _, last = module.rpartition(".")
        merged = {"q_proj": "qkv_proj", "k_proj": "qkv_proj", "v_proj": "qkv_proj"}
        merged |= {"gate_proj": "gate_up_proj", "up_proj": "gate_up_proj"}
        fused, width = merged.get(last, last), {"qkv_proj": 3, "gate_up_proj": 2}
        outputs, inputs = parameters[f"{parent}.{fused}.weight"]
        assert (columns if is_a else rows * width.get(fused, 1)) == (inputs if is_a else outputs), name
