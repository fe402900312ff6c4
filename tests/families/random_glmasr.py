"""A checkpoint of GLM-ASR's architecture with random weights and a tokenizer of bytes."""

from __future__ import annotations

from pathlib import Path

import torch

from tests.families.byte_tokenizer import HF, byte_tokenizer

SPECIAL = ("<|endoftext|>", "<|user|>", "<|assistant|>", "<|begin_of_audio|>", "<|end_of_audio|>", "<|pad|>")


def build(folder: Path, window_seconds: int = 4) -> Path:
    """Write the checkpoint; a window of 4 s has 200 frames of 20 ms, 100 positions and 25 audio tokens."""
    words = byte_tokenizer(SPECIAL, eos_token="<|endoftext|>", pad_token="<|endoftext|>")
    config = HF.GlmAsrConfig(
        audio_config=HF.GlmAsrEncoderConfig(
            num_mel_bins=16, hidden_size=32, intermediate_size=128, num_hidden_layers=2, num_attention_heads=2
        ),
        text_config=HF.LlamaConfig(
            vocab_size=len(words),
            hidden_size=48,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=12,
            max_position_embeddings=2048,
            eos_token_id=0,
            tie_word_embeddings=False,
        ),
        audio_token_id=words.convert_tokens_to_ids("<|pad|>"),
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    model = HF.GlmAsrForConditionalGeneration(config)
    with torch.no_grad():
        for module in (model.model.language_model.embed_tokens, model.lm_head):
            module.weight.normal_(0, 0.5)
        projector = model.model.multi_modal_projector
        for linear in (projector.linear_1, projector.linear_2):
            linear.weight.normal_(0, 0.3)
    model.save_pretrained(folder)
    extractor = HF.WhisperFeatureExtractor(
        feature_size=16, hop_length=320, chunk_length=window_seconds, n_fft=512, return_attention_mask=True
    )
    HF.GlmAsrProcessor(extractor, words).save_pretrained(folder)
    return folder
