"""A checkpoint of Audio Flamingo 3's architecture with random weights and a tokenizer of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from tests.families.byte_tokenizer import HF, byte_tokenizer

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<sound>")


def build(folder: Path) -> Path:
    """Write the checkpoint; it hears windows of 30 s as the real one does."""
    words = byte_tokenizer(SPECIAL, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    config = HF.AudioFlamingo3Config(
        audio_config=HF.AudioFlamingo3EncoderConfig(
            num_mel_bins=16, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2
        ),
        text_config=HF.Qwen2Config(
            vocab_size=len(words),
            hidden_size=64,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=4096,
            tie_word_embeddings=False,
            eos_token_id=2,
            pad_token_id=0,
        ),
        audio_token_id=words.convert_tokens_to_ids("<sound>"),
    )
    torch.manual_seed(0)
    model = HF.AudioFlamingo3ForConditionalGeneration(config)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed_positions" not in name:
                weight.normal_(0, 0.3 if "language_model" in name or "lm_head" in name else 0.1)
    model.save_pretrained(folder)
    extractor = HF.WhisperFeatureExtractor(feature_size=16, return_attention_mask=True)
    HF.AudioFlamingo3Processor(extractor, words).save_pretrained(folder)
    return folder


def own_inputs(processor: Any, instruction: str, samples: Any) -> dict[str, torch.Tensor]:
    """What the architecture's own processor makes of an instruction and a clip."""
    system = "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    prompt = f"{system}{instruction}<sound><|im_end|>\n<|im_start|>assistant\n"
    made: dict[str, torch.Tensor] = dict(processor(text=[prompt], audio=[samples]))
    return made
