"""A random Qwen2-Audio of a few thousand parameters and a few clips."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from slubench.data.clips import ClipStore
from slubench.domain.model import Model, Prompt, Recipe
from tests.train.training_jobs import BATCH, TrainingJobs

SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint of Qwen2-Audio's architecture with random weights; windows of 2 s, 20 ms a frame."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        PreTrainedTokenizerFast,
        Qwen2AudioConfig,
        Qwen2AudioEncoderConfig,
        Qwen2AudioForConditionalGeneration,
        Qwen2AudioProcessor,
        Qwen2Config,
        WhisperFeatureExtractor,
    )

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: number for number, token in enumerate([*SPECIAL, *alphabet])}
    bytewise = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    bytewise.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bytewise.decoder = decoders.ByteLevel()
    bytewise.add_special_tokens(list(SPECIAL))
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=bytewise, eos_token="<|im_end|>", pad_token="<|endoftext|>", padding_side="left"
    )
    extractor = WhisperFeatureExtractor(  # type: ignore[no-untyped-call]
        feature_size=16, hop_length=320, chunk_length=2, n_fft=512
    )
    config = Qwen2AudioConfig(
        audio_config=Qwen2AudioEncoderConfig(
            num_mel_bins=16,
            d_model=32,
            encoder_layers=2,
            encoder_attention_heads=2,
            encoder_ffn_dim=64,
            max_source_positions=50,
        ),
        text_config=Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=512,
            tie_word_embeddings=False,
            pad_token_id=0,
        ),
        audio_token_index=SPECIAL.index("<|AUDIO|>"),
    )
    torch.manual_seed(0)
    model = Qwen2AudioForConditionalGeneration(config)
    with torch.no_grad():
        model.model.language_model.embed_tokens.weight.normal_(0, 0.5)
        model.model.multi_modal_projector.linear.weight.normal_(0, 0.3)
        model.lm_head.weight.normal_(0, 0.5)
    folder = tmp_path_factory.mktemp("checkpoint")
    # A freshly built model writes doubled keys; one that was loaded does not.
    model.save_pretrained(folder / "built")
    loaded = Qwen2AudioForConditionalGeneration.from_pretrained(folder / "built", dtype=torch.float32)
    loaded.save_pretrained(folder / "tiny")
    processor = Qwen2AudioProcessor(  # type: ignore[no-untyped-call]
        extractor, tokenizer, chat_template="{{ messages }}"
    )
    processor.save_pretrained(folder / "tiny")
    return folder / "tiny"


@pytest.fixture
def model(checkpoint: Path) -> Model:
    """The declaration of the random model."""
    lora = Recipe(rate=1e-2, rank=4, alpha=8, batch=BATCH, warmup=0.0)
    return Model(
        name="random",
        repository=str(checkpoint),
        family="qwen2_audio",
        prompt=Prompt(
            before="<|im_start|>user\nJSON:",
            after="<|im_end|>\n<|im_start|>assistant\n",
            audio="<|audio_bos|><|AUDIO|><|audio_eos|>",
            text="{text}",
            end="<|im_end|>",
        ),
        recipes={
            "lora-lm": lora,
            "lora-lm+projector": lora,
            "full": replace(lora, rate=3e-3, rank=0, alpha=0),
        },
        lora_modules=(r".*language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"),
        projector="multi_modal_projector",
        encoder_modules=r".*audio_tower\.layers\.\d+\.(self_attn\.(q|k|v|out)_proj|fc1|fc2)",
        max_seconds=2.0,
        needs_gpu=False,
    )


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[str, ...]]:
    """A clip store and the keys of six clips of different lengths."""
    folder = tmp_path_factory.mktemp("clips")
    rng = np.random.default_rng(0)
    keys = []
    for number in range(6):
        time = np.arange(int(16_000 * (0.3 + 0.25 * number))) / 16_000
        tone = 0.3 * np.sin(2 * np.pi * 200 * (number + 1) * time) + rng.normal(0, 0.01, len(time))
        file = io.BytesIO()
        soundfile.write(file, tone, 16_000, format="WAV")
        keys.append(ClipStore(folder, 16_000, 2.0).add(file.getvalue()))
    return folder, tuple(keys)


@pytest.fixture
def jobs(tmp_path: Path, model: Model, clips: tuple[Path, tuple[str, ...]]) -> TrainingJobs:
    """Makes training jobs."""
    return TrainingJobs(tmp_path, model, *clips)


@pytest.fixture(autouse=True)
def _no_wandb(monkeypatch: pytest.MonkeyPatch) -> None:
    """No W&B, whatever the environment of the tests configures."""
    for name in ("API_KEY", "PROJECT", "MODE", "ENTITY"):
        monkeypatch.delenv(f"WANDB_{name}", raising=False)
