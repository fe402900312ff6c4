"""A checkpoint of Voxtral's architecture with random weights and a tokenizer of mistral-common, of bytes."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import soundfile
import torch
import transformers

# Much of transformers bears no types.
HF: Any = transformers
AUDIO_ID = 24
"""The processor of transformers demands it."""
NAMED = {
    **{0: "<unk>", 1: "<s>", 2: "</s>", 3: "[INST]", 4: "[/INST]", 5: "[AVAILABLE_TOOLS]"},
    **{6: "[/AVAILABLE_TOOLS]", 7: "[TOOL_RESULTS]", 8: "[/TOOL_RESULTS]", 9: "[TOOL_CALLS]", 10: "[IMG]"},
    **{11: "<pad>", 12: "[IMG_BREAK]", 13: "[IMG_END]", 14: "[PREFIX]", 15: "[MIDDLE]", 16: "[SUFFIX]"},
    **{17: "[SYSTEM_PROMPT]", 18: "[/SYSTEM_PROMPT]", 19: "[TOOL_CONTENT]", 24: "[AUDIO]"},
    **{25: "[BEGIN_AUDIO]", 32: "[ARGS]", 33: "[CALL_ID]", 34: "[TRANSCRIBE]"},
}
SPECIAL = [NAMED.get(number, f"<SPECIAL_{number}>") for number in range(35)]


def write_tekken(folder: Path) -> Path:
    """Write a tekken.json of bytes without merges."""
    content = {
        "config": {
            "pattern": r"[^\s]+|\s+",
            "num_vocab_tokens": 256,
            "default_vocab_size": 256 + len(SPECIAL),
            "default_num_special_tokens": len(SPECIAL),
            "version": "v7",
        },
        "vocab": [
            {"rank": byte, "token_bytes": base64.b64encode(bytes([byte])).decode(), "token_str": None}
            for byte in range(256)
        ],
        "special_tokens": [
            {"rank": number, "token_str": name, "is_control": True} for number, name in enumerate(SPECIAL)
        ],
        "audio": {
            "sampling_rate": 16_000,
            "frame_rate": 12.5,
            "audio_encoding_config": {"num_mel_bins": 16, "hop_length": 160, "window_size": 400},
            "chunk_length_s": 30.0,
        },
    }
    path = folder / "tekken.json"
    path.write_text(json.dumps(content), "utf-8")
    return path


def build(folder: Path) -> Path:
    """Write the checkpoint; it hears windows of 30 s as the real one does."""
    folder.mkdir(parents=True, exist_ok=True)
    config = HF.VoxtralConfig(
        audio_config=HF.VoxtralEncoderConfig(
            num_mel_bins=16,
            hidden_size=32,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
        ),
        text_config=HF.LlamaConfig(
            vocab_size=256 + len(SPECIAL),
            hidden_size=48,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=12,
            max_position_embeddings=4096,
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
    words = HF.MistralCommonBackend(tokenizer_path=write_tekken(folder))
    HF.VoxtralProcessor(HF.WhisperFeatureExtractor(feature_size=16), words).save_pretrained(folder)
    return folder


def own_inputs(processor: Any, instruction: str, samples: Any) -> dict[str, torch.Tensor]:
    """What the architecture's own processor makes of an instruction and a clip."""
    file = io.BytesIO()
    soundfile.write(file, samples, 16_000, format="WAV", subtype="FLOAT")
    sound = {"type": "audio", "base64": base64.b64encode(file.getvalue()).decode()}
    content = [{"type": "text", "text": instruction}, sound]
    made: dict[str, torch.Tensor] = dict(
        processor.apply_chat_template([{"role": "user", "content": content}])
    )
    return made
