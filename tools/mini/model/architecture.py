"""Qwen2-Audio's very architecture at 5 million parameters, and how a checkpoint of it is written.

Source of the architecture: Qwen2-Audio technical report, arXiv 2407.10759; classes are transformers' own.
"""

import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AutoProcessor,
    GenerationConfig,
    PreTrainedTokenizerFast,
    Qwen2AudioConfig,
    Qwen2AudioEncoderConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    Qwen2Config,
    WhisperFeatureExtractor,
)

from slubench.models.families.qwen2_audio import RENAMED
from slubench.serve.merge import rename
from tools.mini.model.tokenizer import AUDIO, CHAT_TEMPLATE, END_OF_TEXT, TURN_END

SAMPLE_RATE: Final = 16_000
HOP: Final = 320
"""Samples between two mel frames (20 ms): half the frames of Whisper's 10 ms."""
MEL_BINS: Final = 80
WINDOW_SECONDS: Final = 6
MAX_FRAMES: Final = WINDOW_SECONDS * SAMPLE_RATE // HOP
WIDTH: Final = 192
"""Width of encoder and language model alike; three heads of 64, a head size that vLLM's CPU backend takes."""
EMBEDDING_STD: Final = 0.06
ENCODER_LAYERS: Final = 6


def token_id(tokenizer: PreTrainedTokenizerFast, token: str) -> int:
    """Give the id of one token."""
    found = tokenizer.convert_tokens_to_ids(token)
    if not isinstance(found, int):
        raise TypeError(f"{token!r} should be one token, not {found!r}")
    return found


def configuration(tokenizer: PreTrainedTokenizerFast) -> Qwen2AudioConfig:
    """Give the configuration that fits ``tokenizer``."""
    audio = Qwen2AudioEncoderConfig(
        num_mel_bins=MEL_BINS,
        d_model=WIDTH,
        encoder_layers=ENCODER_LAYERS,
        encoder_attention_heads=3,
        encoder_ffn_dim=512,
        max_source_positions=MAX_FRAMES // 2,
    )
    text = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=3,
        num_key_value_heads=1,
        max_position_embeddings=512,
        rms_norm_eps=1e-6,
        rope_parameters={"rope_type": "default", "rope_theta": 10_000.0},
        tie_word_embeddings=False,
        bos_token_id=None,
        eos_token_id=token_id(tokenizer, TURN_END),
        pad_token_id=token_id(tokenizer, END_OF_TEXT),
    )
    return Qwen2AudioConfig(
        audio_config=audio,
        text_config=text,
        audio_token_index=token_id(tokenizer, AUDIO),
    )


def feature_extractor() -> WhisperFeatureExtractor:
    """Give the log-mel extractor: 80 bins, 20 ms hop, windows of 6 s."""
    made: Any = WhisperFeatureExtractor
    extractor: WhisperFeatureExtractor = made(
        feature_size=MEL_BINS,
        sampling_rate=SAMPLE_RATE,
        hop_length=HOP,
        chunk_length=WINDOW_SECONDS,
        n_fft=512,
        return_attention_mask=True,
    )
    return extractor


def processor(tokenizer: PreTrainedTokenizerFast) -> Qwen2AudioProcessor:
    """Give the processor that joins the log-mel extractor, ``tokenizer`` and the chat template."""
    made: Any = Qwen2AudioProcessor
    joined: Qwen2AudioProcessor = made(feature_extractor(), tokenizer, chat_template=CHAT_TEMPLATE)
    return joined


def build(tokenizer: PreTrainedTokenizerFast, seed: int = 0) -> Qwen2AudioForConditionalGeneration:
    """Give a freshly initialised model in float32.

    Token embeddings start at a standard deviation of 0.06, the encoder's positions are Whisper's sinusoids,
    and the projector is scaled so that audio embeddings start as long as token embeddings.
    """
    torch.manual_seed(seed)
    model = Qwen2AudioForConditionalGeneration(configuration(tokenizer))
    with torch.no_grad():
        model.model.language_model.embed_tokens.weight.normal_(0.0, EMBEDDING_STD)
        positions = model.model.audio_tower.embed_positions.weight
        positions.copy_(sinusoids(*positions.shape))
        projection = model.model.multi_modal_projector.linear
        projection.weight.normal_(0.0, EMBEDDING_STD / WIDTH**0.5)
        projection.bias.zero_()
    return model


def grow(model: Qwen2AudioForConditionalGeneration, smaller: Qwen2AudioForConditionalGeneration) -> None:
    """Give ``model`` the weights of ``smaller``, which may have fewer encoder layers.

    Layers that ``smaller`` lacks start as identities (what they add to the residual stream is zero), so
    that both compute the same function (Net2Net, arXiv 1511.05641).

    Raises:
        RuntimeError: The two differ in more than the number of encoder layers.
    """
    found = model.load_state_dict(smaller.state_dict(), strict=False)
    have = len(smaller.model.audio_tower.layers)
    added = tuple(f"model.audio_tower.layers.{n}." for n in range(have, len(model.model.audio_tower.layers)))
    foreign = [*found.unexpected_keys, *(key for key in found.missing_keys if not key.startswith(added))]
    if foreign:
        raise RuntimeError(f"the checkpoint to grow differs in more than encoder layers: {foreign[:5]}")
    with torch.no_grad():
        for layer in model.model.audio_tower.layers[have:]:
            for linear in (layer.self_attn.out_proj, layer.fc2):
                linear.weight.zero_()
                linear.bias.zero_()


def sinusoids(length: int, width: int, longest: float = 10_000.0) -> torch.Tensor:
    """Give Whisper's fixed position embeddings, shape (length, width): sines, then cosines."""
    steps = torch.exp(-torch.arange(width // 2) * (torch.log(torch.tensor(longest)) / (width // 2 - 1)))
    angles = torch.arange(length)[:, None] * steps[None, :]
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def save(model: Qwen2AudioForConditionalGeneration, tokenizer: PreTrainedTokenizerFast, out: Path) -> None:
    """Write model and processor to ``out``, a plain ``from_pretrained`` directory, weights in float16.

    A freshly built model writes doubled names (``language_model.model.model.*``) in transformers 5.17,
    however often it is loaded and saved, which stock vLLM does not read: they are made single in the file.
    ``out`` appears whole or not at all.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as name:
        folder = Path(name) / "checkpoint"
        settings: Any = GenerationConfig
        model.generation_config = settings(
            eos_token_id=[token_id(tokenizer, TURN_END), token_id(tokenizer, END_OF_TEXT)],
            pad_token_id=token_id(tokenizer, END_OF_TEXT),
            do_sample=False,
        )
        model.save_pretrained(folder)
        processor(tokenizer).save_pretrained(folder)
        rename(folder, RENAMED)
        weights = folder / "model.safetensors"
        halves = {key: value.half().contiguous() for key, value in load_file(weights).items()}
        save_file(halves, weights, metadata={"format": "pt"})
        weights.chmod(0o644)
        if out.exists():
            shutil.rmtree(out)
        folder.rename(out)


def load(folder: Path) -> tuple[Qwen2AudioForConditionalGeneration, Qwen2AudioProcessor]:
    """Load a checkpoint for use on a CPU: always in float32, whatever the file holds."""
    model = Qwen2AudioForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    processors: Any = AutoProcessor
    model.train(False)
    return model, processors.from_pretrained(folder)
