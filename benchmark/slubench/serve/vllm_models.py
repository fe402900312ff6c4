"""What this package adds to vLLM: architectures under names of their own, imported when first used."""

from __future__ import annotations

from typing import Final

ARCHITECTURES: Final = {
    "SlubenchQwen2AudioLoRA": "slubench.serve.vllm_qwen2_audio:SlubenchQwen2AudioLoRA",
}


def register() -> None:
    """Make our architectures known to vLLM; its `vllm.general_plugins` entry point calls this.

    No architecture of vLLM's own is touched, none of the classes is imported, and calling it again
    changes nothing.
    """
    from vllm import ModelRegistry

    known = ModelRegistry.models
    for name, place in ARCHITECTURES.items():
        if name not in known:
            ModelRegistry.register_model(name, place)
