"""Small Qwen2-Audio checkpoints and adapters with random weights, for tests of serving."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import torch
import transformers
from peft import LoraConfig, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from slubench.domain.model import Model, Prompt
from slubench.models.families.qwen2_audio import RENAMED
from slubench.serve.merge import rename

# Much of transformers bears no types.
HF: Any = transformers
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
LANGUAGE_MODEL = r".*language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
WIDTH = 64


def tokenizer() -> Any:
    """A tokenizer of bytes, without merges."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: place for place, letter in enumerate(letters)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(SPECIAL))
    return HF.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def build(folder: Path, *, seconds: int, hop: int, seed: int = 0, doubled: bool = False) -> Path:
    """Write a checkpoint with random weights that hears windows of `seconds`.

    Args:
        folder: Where to.
        seconds: Length of the window.
        hop: Samples between two mel frames.
        seed: Seeds the weights.
        doubled: Keep the doubled names that transformers gives to a model that it has not loaded.
    """
    words = tokenizer()
    end, pad, audio = words.convert_tokens_to_ids(["<|im_end|>", "<|endoftext|>", "<|AUDIO|>"])
    config = HF.Qwen2AudioConfig(
        audio_config=HF.Qwen2AudioEncoderConfig(
            num_mel_bins=32,
            d_model=WIDTH,
            encoder_layers=2,
            encoder_attention_heads=2,
            encoder_ffn_dim=96,
            max_source_positions=seconds * 16_000 // hop // 2,
        ),
        text_config=HF.Qwen2Config(
            vocab_size=len(words),
            hidden_size=WIDTH,
            intermediate_size=96,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=2048,
            tie_word_embeddings=False,
            eos_token_id=end,
            pad_token_id=pad,
        ),
        audio_token_index=audio,
    )
    torch.manual_seed(seed)
    model = HF.Qwen2AudioForConditionalGeneration(config).float()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1 and "embed_positions" not in name:
                weight.normal_(0.0, 0.3 if "language_model" in name else 0.1)
    # What a checkpoint may demand and a benchmark must not heed.
    model.generation_config = HF.GenerationConfig(
        eos_token_id=[end, pad],
        pad_token_id=pad,
        do_sample=True,
        temperature=0.7,
        top_k=20,
        top_p=0.5,
        repetition_penalty=1.5,
        max_new_tokens=3,
    )
    model.save_pretrained(folder)
    if not doubled:
        rename(folder, RENAMED)
    extractor = HF.WhisperFeatureExtractor(
        feature_size=32, hop_length=hop, chunk_length=seconds, n_fft=2 * hop, return_attention_mask=True
    )
    HF.Qwen2AudioProcessor(extractor, words, chat_template="{{ messages }}").save_pretrained(folder)
    return folder


def adapt(folder: Path, checkpoint: Path, *, seed: int = 0, strength: float = 0.2, **lora: Any) -> Path:
    """Write an adapter with random weights that change what the checkpoint says."""
    torch.manual_seed(seed)
    base = HF.Qwen2AudioForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)
    options: dict[str, Any] = {"r": 4, "lora_alpha": 8, "target_modules": LANGUAGE_MODEL} | lora
    adapted = get_peft_model(base, LoraConfig(**options))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                weight.add_(torch.randn_like(weight) * strength)
    adapted.save_pretrained(str(folder), save_embedding_layers=False)
    return folder


def declare(checkpoint: Path, *, stock: bool, architecture: str = "SlubenchQwen2AudioLoRA") -> Model:
    """Declare a checkpoint of `build` as a model."""
    return Model(
        name="small",
        repository=str(checkpoint),
        family="qwen2_audio",
        prompt=Prompt(
            before="<|im_start|>user\nAs JSON:\n",
            audio="<|audio_bos|><|AUDIO|><|audio_eos|>",
            text="{text}",
            after="<|im_end|>\n<|im_start|>assistant\n",
            end="<|im_end|>",
        ),
        recipes={},
        lora_modules=LANGUAGE_MODEL,
        projector="multi_modal_projector",
        max_seconds=30.0 if stock else 6.0,
        reply_tokens=24,
        needs_gpu=False,
        vllm_architecture=architecture,
        stock_vllm=stock,
    )


def sentence(number: int) -> str:
    """A transcript, different for each number."""
    letters = string.ascii_lowercase
    return " ".join(letters[(number * 7 + place * 3) % 20 :][:4] for place in range(3 + number % 4))
