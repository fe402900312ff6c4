"""Qwen2-Audio-7B-Instruct, the model of arXiv 2509.15389 (Chu et al. 2024, arXiv 2407.10759)."""

from slubench import Model, Prompt, Recipe

QWEN2_AUDIO_7B_INSTRUCT = Model(
    name="qwen2-audio-7b-instruct",
    repository="Qwen/Qwen2-Audio-7B-Instruct",
    family="qwen2_audio",
    prompt=Prompt(
        before=(
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
            "Give the scenario, the action and the entities of this request as one line of JSON.\n"
        ),
        audio="<|audio_bos|><|AUDIO|><|audio_eos|>",
        text="{text}",
        after="<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
    ),
    transcription=Prompt(
        before=(
            "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
            "Transcribe the speech into text. Reply with the spoken words alone.\n"
        ),
        audio="<|audio_bos|><|AUDIO|><|audio_eos|>",
        text="{text}",
        after="<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
    ),
    recipes={
        "lora-lm": Recipe(rate=1e-4, rank=16, alpha=32, batch=128, warmup=0.04),
        "lora-lm+projector": Recipe(rate=1e-4, rank=16, alpha=32, batch=128, warmup=0.04),
        # The paper's own rate for full tuning.
        "full": Recipe(rate=5e-6, rank=0, alpha=0, batch=128, warmup=0.04),
    },
    lora_modules=(r".*language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"),
    projector="multi_modal_projector",
    reply_tokens=256,
    needs_gpu=True,
    vllm_architecture="SlubenchQwen2AudioLoRA",
    licence="Apache-2.0",
    exposure="Not declared by its makers.",
    parameters=8_397_094_912,
)
