"""Audio Flamingo 3 for vLLM with what its own class lacks: a mapper of names, so that LoRA is not ignored.

Built on vLLM 0.32's `AudioFlamingo3ForConditionalGeneration`, which takes LoRA and knows neither peft's names
nor those of weights that transformers 5 saves.
"""

from __future__ import annotations

from typing import Any

from vllm.model_executor.models.audioflamingo3 import (
    AudioFlamingo3DummyInputsBuilder,
    AudioFlamingo3ForConditionalGeneration,
    AudioFlamingo3MultiModalProcessor,
    AudioFlamingo3ProcessingInfo,
)
from vllm.model_executor.models.utils import AutoWeightsLoader
from vllm.multimodal import MULTIMODAL_REGISTRY

from slubench.serve.vllm_qwen2_audio import NAMES


@MULTIMODAL_REGISTRY.register_processor(
    AudioFlamingo3MultiModalProcessor,
    info=AudioFlamingo3ProcessingInfo,
    dummy_inputs=AudioFlamingo3DummyInputsBuilder,
)
class SlubenchAudioFlamingo3LoRA(AudioFlamingo3ForConditionalGeneration):
    """Audio Flamingo 3 whose language model takes adapters as peft names them."""

    hf_to_vllm_mapper = NAMES

    def load_weights(self, weights: Any) -> set[str]:
        """Load a checkpoint under the names of transformers 4 or 5."""
        return set(AutoWeightsLoader(self).load_weights(weights, mapper=NAMES))
