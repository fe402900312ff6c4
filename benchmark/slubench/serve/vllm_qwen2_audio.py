"""Qwen2-Audio for vLLM with live LoRA and an audio window of any length, which vLLM's class lacks.

Built on vLLM 0.32's `Qwen2AudioForConditionalGeneration`, which refuses LoRA and takes 3,000 mel frames only.
"""

from __future__ import annotations

from typing import Any

from vllm.model_executor.models.interfaces import SupportsLoRA
from vllm.model_executor.models.module_mapping import MultiModelKeys
from vllm.model_executor.models.qwen2_audio import (
    Qwen2AudioDummyInputsBuilder,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioMultiModalProcessor,
    Qwen2AudioProcessingInfo,
)
from vllm.model_executor.models.utils import AutoWeightsLoader, WeightsMapper
from vllm.multimodal import MULTIMODAL_REGISTRY

# Checkpoints of Qwen2-Audio keep the names of transformers 4, which are vLLM's; peft writes those that the
# modules bear in transformers 5; and models that transformers 5 built, rather than loaded, are saved with a
# doubled `model.`. All three are read by transformers, and so they are here.
NAMES = WeightsMapper(
    orig_to_new_prefix={
        "language_model.model.model.": "language_model.model.",
        "model.language_model.": "language_model.model.",
        "model.audio_tower.": "audio_tower.",
        "model.multi_modal_projector.": "multi_modal_projector.",
        "lm_head.": "language_model.lm_head.",
    }
)


@MULTIMODAL_REGISTRY.register_processor(
    Qwen2AudioMultiModalProcessor,
    info=Qwen2AudioProcessingInfo,
    dummy_inputs=Qwen2AudioDummyInputsBuilder,
)
class SlubenchQwen2AudioLoRA(Qwen2AudioForConditionalGeneration, SupportsLoRA):
    """Qwen2-Audio with live LoRA in its language model."""

    hf_to_vllm_mapper = NAMES
    packed_modules_mapping = {  # noqa: RUF012 -- an instance variable by vLLM's own protocol
        "qkv_proj": ["q_proj", "k_proj", "v_proj"],
        "gate_up_proj": ["gate_proj", "up_proj"],
    }

    def get_mm_mapping(self) -> MultiModelKeys:
        """The names of language model, connector and encoder; only the first gets LoRA."""
        return MultiModelKeys.from_string_field(
            language_model="language_model",
            connector="multi_modal_projector",
            tower_model="audio_tower",
        )

    def _parse_and_validate_audio_input(self, **kwargs: Any) -> Any:
        features = kwargs.get("input_features")
        if features is None:
            return super()._parse_and_validate_audio_input(**kwargs)
        # vLLM's own schema demands 3,000 frames; the encoder itself asks for twice its positions.
        return {
            "type": "audio_features",
            "input_features": features,
            "feature_attention_mask": kwargs["feature_attention_mask"],
        }

    def load_weights(self, weights: Any) -> set[str]:
        """Load a checkpoint with the weight names of transformers 4 or 5."""
        return set(AutoWeightsLoader(self).load_weights(weights, mapper=NAMES))
