"""A checkpoint of Voxtral's architecture with random weights and a tokenizer of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

# Much of transformers bears no types.
HF: Any = transformers
AUDIO_ID = 24
"""The processor of transformers demands it."""
SPECIAL = ("<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[BEGIN_AUDIO]", "<pad>")


def tokenizer() -> Any:
    """A tokenizer of bytes, without merges, that has `[AUDIO]` in its place."""
    fillers = [f"<filler-{number}>" for number in range(AUDIO_ID - len(SPECIAL))]
    special = [*SPECIAL, *fillers, "[AUDIO]"]
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({token: place for place, token in enumerate([*special, *letters])}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(special)
    return HF.PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token="</s>", pad_token="<pad>", padding_side="left"
    )


def build(folder: Path, window_seconds: int = 4) -> Path:
    """Write the checkpoint; a window of 4 s has 200 frames of 20 ms, 100 positions and 25 audio tokens."""
    words = tokenizer()
    positions = window_seconds * 25
    config = HF.VoxtralConfig(
        audio_config=HF.VoxtralEncoderConfig(
            num_mel_bins=16,
            hidden_size=32,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            max_source_positions=positions,
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
            bos_token_id=1,
            eos_token_id=2,
            tie_word_embeddings=False,
        ),
        audio_token_id=AUDIO_ID,
    )
    torch.manual_seed(0)
    model = HF.VoxtralForConditionalGeneration(config)
    with torch.no_grad():
        for module in (model.model.language_model.embed_tokens, model.lm_head):
            module.weight.normal_(0, 0.5)
        projector = model.model.multi_modal_projector
        for linear in (projector.linear_1, projector.linear_2):
            linear.weight.normal_(0, 0.3)
    model.save_pretrained(folder)
    extractor = HF.WhisperFeatureExtractor(
        feature_size=16, hop_length=320, chunk_length=window_seconds, n_fft=512
    )
    HF.VoxtralProcessor(extractor, words).save_pretrained(folder)
    return folder
