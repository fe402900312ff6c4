"""The embedded model: Qwen2-Audio's architecture at 4.9 million parameters, trained on synthetic speech.

It is a test of the software, not evidence about strategies. `docs/mini.md` tells how it was made.
"""

from pathlib import Path

from slubench import Model, Prompt, Recipe

TINY = Model(
    name="tiny",
    repository=str(Path(__file__).parents[1] / "data" / "mini" / "tiny"),
    family="qwen2_audio",
    prompt=Prompt(
        before="<|im_start|>user\nGive scenario, action and entities as JSON.\n",
        audio="<|audio_bos|><|AUDIO|><|audio_eos|>",
        text="<|audio_bos|>{text}<|audio_eos|>",
        after="<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
    ),
    transcription=Prompt(
        before="<|im_start|>user\nRepeat what you hear.\n",
        audio="<|audio_bos|><|AUDIO|><|audio_eos|>",
        text="<|audio_bos|>{text}<|audio_eos|>",
        after="<|im_end|>\n<|im_start|>assistant\n",
        end="<|im_end|>",
    ),
    recipes={
        "lora-lm": Recipe(
            rate=5e-3, rank=16, alpha=32, batch=16, warmup=0.05, schedule="linear", dropout=0.2
        ),
        "lora-lm+projector": Recipe(
            rate=5e-3, rank=16, alpha=32, batch=16, warmup=0.05, schedule="linear", dropout=0.2
        ),
        "full": Recipe(rate=5e-4, rank=0, alpha=0, batch=16, warmup=0.05, schedule="linear"),
    },
    max_seconds=6.0,
    reply_tokens=96,
    needs_gpu=False,
    stock_vllm=False,
    licence="Apache-2.0",
    exposure="None: trained on sentences of its own grammar, disjoint from the miniature's. Partly with"
    " adapters trained on invented text tasks, so that training on text transfers to speech.",
    parameters=4_858_880,
)
