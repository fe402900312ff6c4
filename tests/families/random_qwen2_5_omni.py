"""A checkpoint of Qwen2.5-Omni's thinker with random weights and a tokenizer of bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from tests.families.byte_tokenizer import HF, byte_tokenizer

SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"),
    *("<|IMAGE|>", "<|VIDEO|>", "<|vision_bos|>", "<|vision_eos|>"),
)


def build(folder: Path) -> Path:
    """Write the thinker as a part of the whole, as its makers publish it."""
    words = byte_tokenizer(SPECIAL, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    config = HF.Qwen2_5OmniThinkerConfig(
        audio_config={
            **{"num_mel_bins": 16, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 64},
            **{"d_model": 32, "output_dim": 64},
        },
        vision_config={
            **{"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 64},
            "fullatt_block_indexes": [0],
        },
        text_config={
            **{"vocab_size": len(words), "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2},
            **{"num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 4096},
            **{"tie_word_embeddings": False, "eos_token_id": 2, "pad_token_id": 0},
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 1e6,
                "mrope_section": [4, 6, 6],
            },
        },
        audio_token_index=words.convert_tokens_to_ids("<|AUDIO|>"),
        image_token_index=words.convert_tokens_to_ids("<|IMAGE|>"),
        video_token_index=words.convert_tokens_to_ids("<|VIDEO|>"),
        audio_start_token_id=words.convert_tokens_to_ids("<|audio_bos|>"),
        audio_end_token_id=words.convert_tokens_to_ids("<|audio_eos|>"),
        vision_start_token_id=words.convert_tokens_to_ids("<|vision_bos|>"),
        vision_end_token_id=words.convert_tokens_to_ids("<|vision_eos|>"),
    )
    torch.manual_seed(0)
    model = HF.Qwen2_5OmniThinkerForConditionalGeneration(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and not name.startswith("visual"):
                weight.normal_(0, 0.3 if name.startswith(("model", "lm_head")) else 0.1)
    weights: dict[str, Any] = {f"thinker.{name}": value for name, value in model.state_dict().items()}
    HF.Qwen2AudioProcessor(
        HF.WhisperFeatureExtractor(feature_size=16, chunk_length=300, return_attention_mask=True), words
    ).save_pretrained(folder)
    whole = HF.Qwen2_5OmniConfig(thinker_config=config.to_dict()).to_dict()
    whole["architectures"] = ["Qwen2_5OmniModel"]
    (folder / "config.json").write_text(json.dumps(whole, default=str), "utf-8")
    from safetensors.torch import save_file

    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "model.safetensors")
    return folder


def own_inputs(processor: Any, instruction: str, samples: Any) -> dict[str, torch.Tensor]:
    """What the architecture's own processor makes of an instruction and a clip."""
    system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    prompt = f"{system}{instruction}<|audio_bos|><|AUDIO|><|audio_eos|><|im_end|>\n<|im_start|>assistant\n"
    # The extractor as published, which pads to 300 s.
    extractor = HF.WhisperFeatureExtractor(feature_size=16, chunk_length=300, return_attention_mask=True)
    whole = HF.Qwen2AudioProcessor(extractor, processor.tokenizer)
    made: dict[str, torch.Tensor] = dict(
        whole(text=[prompt], audio=[samples], sampling_rate=16_000, return_tensors="pt")
    )
    return made
