"""Published shapes of the shipped families, built without weights: names, sizes, LoRA's share, its keys."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from slubench.registry import Registry

pytestmark = pytest.mark.slow

# Defaults of transformers, but for Audio Flamingo 3, which is given the shape of Qwen2.5-7B.
QWEN_7B = {
    **{"model_type": "qwen2", "vocab_size": 151_672, "hidden_size": 3584, "intermediate_size": 18_944},
    **{"num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4},
}
CONFIGS: dict[str, dict[str, Any]] = {
    "voxtral-mini-3b": {"model_type": "voxtral", "audio_token_id": 24},
    "qwen2.5-omni-7b": {"model_type": "qwen2_5_omni_thinker", "text_config": {"tie_word_embeddings": False}},
    "audio-flamingo-3": {"model_type": "audioflamingo3", "text_config": QWEN_7B},
}
# Layers of the language model, and what learns by rank 16 on its seven linear layers.
LEARNT = {
    "voxtral-mini-3b": (30, 27_033_600),
    "qwen2.5-omni-7b": (28, 40_370_176),
    "audio-flamingo-3": (28, 40_370_176),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_lora_finds_every_linear_layer_of_the_language_model(tmp_path: Path, name: str) -> None:
    import dataclasses
    import importlib

    process = importlib.import_module("slubench.conformance.model_process")
    tracks = importlib.import_module("slubench.train.tracks")
    peft = importlib.import_module("peft")
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS[name]))
    registry = Registry()
    model = dataclasses.replace(registry.model(name), repository=str(tmp_path))
    family = registry.family(model.family)
    assert [verdict.state for verdict in process.shapes(model, family)] == ["pass", "pass"]
    built = process.build(model, family)
    ours = sum(
        parameter.numel()
        for called, parameter in built.named_parameters()
        if not called.startswith("visual.")
    )
    assert ours == model.parameters
    layers, expected = LEARNT[name]
    adapted = tracks.open_track(built, model, "lora-lm")
    learnt = tracks.learning(adapted)
    assert len(learnt) == 2 * 7 * layers
    assert sum(parameter.numel() for parameter in learnt.values()) == expected
    keys = peft.get_peft_model_state_dict(adapted)
    for key in keys:
        module = key.removeprefix("base_model.model.").rpartition(".lora_")[0]
        assert re.fullmatch(model.lora_modules, module), key


@pytest.mark.parametrize("name", CONFIGS)
def test_lora_on_the_encoder_finds_its_attention_and_feed_forward_layers(tmp_path: Path, name: str) -> None:
    import dataclasses
    import importlib

    process = importlib.import_module("slubench.conformance.model_process")
    tracks = importlib.import_module("slubench.train.tracks")
    (tmp_path / "config.json").write_text(json.dumps(CONFIGS[name]))
    registry = Registry()
    model = dataclasses.replace(registry.model(name), repository=str(tmp_path))
    family = registry.family(model.family)
    learnt = tracks.learning(tracks.open_track(process.build(model, family), model, "lora-all"))
    of_encoder = [
        called for called in learnt if tracks.part_of(called, family) == "encoder" and "lora_" in called
    ]
    layers = {found.group(1) for called in of_encoder if (found := re.search(r"\.layers\.(\d+)\.", called))}
    assert len(layers) >= 24
    assert len(of_encoder) == 2 * 6 * len(layers)
