"""Qwen2.5-Omni's thinker for vLLM with audio alone: live LoRA, and no torchvision.

vLLM 0.32's own class cannot be imported without torchvision, loads the part for images, pads each clip to
300 s, and its mapper knows neither peft's names nor a thinker that was saved by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from transformers import Qwen2AudioProcessor
from transformers.models.qwen2_5_omni.modeling_qwen2_5_omni import Qwen2_5OmniAudioEncoder
from vllm.config import VllmConfig
from vllm.model_executor.models.interfaces import SupportsLoRA, SupportsMRoPE, SupportsMultiModal, SupportsPP
from vllm.model_executor.models.module_mapping import MultiModelKeys
from vllm.model_executor.models.qwen2_audio import (
    Qwen2AudioDummyInputsBuilder,
    Qwen2AudioMultiModalProcessor,
    Qwen2AudioProcessingInfo,
)
from vllm.model_executor.models.utils import (
    AutoWeightsLoader,
    WeightsMapper,
    init_vllm_registered_model,
    maybe_prefix,
)
from vllm.multimodal import MULTIMODAL_REGISTRY

from slubench.models.families.qwen2_5_omni import encode, processor

# The whole model's names, and those of a thinker that was saved by itself, which are peft's too.
NAMES = WeightsMapper(
    orig_to_new_prefix={
        "talker.": None,
        "token2wav.": None,
        "thinker.lm_head.": "language_model.lm_head.",
        "thinker.model.": "language_model.model.",
        "thinker.": "",
        "visual.": None,
        "lm_head.": "language_model.lm_head.",
        "model.": "language_model.model.",
    }
)


class AudioOnlyInfo(Qwen2AudioProcessingInfo):
    """What vLLM asks of a processor, answered by tokenizer and extractor alone."""

    def get_hf_config(self) -> Any:
        """The thinker's config."""
        return self.ctx.model_config.hf_config.thinker_config

    def get_hf_processor(self, **kwargs: object) -> Qwen2AudioProcessor:
        """Qwen2-Audio's processor, whose conventions for audio are the same, with a window of 30 s."""
        made: Qwen2AudioProcessor = processor(self.ctx.model_config.model, None)
        return made


@MULTIMODAL_REGISTRY.register_processor(
    Qwen2AudioMultiModalProcessor, info=AudioOnlyInfo, dummy_inputs=Qwen2AudioDummyInputsBuilder
)
class SlubenchQwen2_5OmniLoRA(nn.Module, SupportsMultiModal, SupportsPP, SupportsLoRA, SupportsMRoPE):
    """The thinker without its eyes, whose language model takes LoRA while it serves."""

    hf_to_vllm_mapper = NAMES
    packed_modules_mapping = {  # noqa: RUF012 -- an instance variable by vLLM's own protocol
        "qkv_proj": ["q_proj", "k_proj", "v_proj"],
        "gate_up_proj": ["gate_proj", "up_proj"],
    }

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        self.config = vllm_config.model_config.hf_config.thinker_config
        with self._mark_tower_model(vllm_config, "audio"):
            self.audio_tower = Qwen2_5OmniAudioEncoder(self.config.audio_config)
        with self._mark_language_model(vllm_config):
            self.language_model = init_vllm_registered_model(
                vllm_config=vllm_config,
                prefix=maybe_prefix(prefix, "language_model"),
                hf_config=self.config.text_config,
                architectures=["Qwen2ForCausalLM"],
            )
        language_model: Any = self.language_model
        self.make_empty_intermediate_tensors = language_model.make_empty_intermediate_tensors

    def get_mm_mapping(self) -> MultiModelKeys:
        """Which parts are language model and tower: LoRA goes to the first alone."""
        return MultiModelKeys.from_string_field(
            language_model="language_model", connector="audio_tower.proj", tower_model="audio_tower"
        )

    def embed_multimodal(self, **kwargs: Any) -> list[torch.Tensor]:
        """The audio tokens of each clip."""
        mels = kwargs.get("input_features")
        if mels is None:
            return []
        frames = [int(mask.sum()) for mask in kwargs["feature_attention_mask"]]
        clips: list[Mapping[str, Any]] = [
            {"input_features": mel[None, :, :count]} for mel, count in zip(mels, frames, strict=True)
        ]
        return encode(self.audio_tower, clips)

    def get_mrope_input_positions(
        self, input_tokens: list[int], mm_features: Sequence[Any]
    ) -> tuple[torch.Tensor, int]:
        """Audio and text go by one position a token, in all three dimensions."""
        return torch.arange(len(input_tokens))[None].expand(3, -1), 0

    def forward(
        self,
        input_ids: torch.Tensor | None,
        positions: torch.Tensor,
        intermediate_tensors: Any = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: object,
    ) -> Any:
        """The language model's hidden states."""
        given = inputs_embeds if intermediate_tensors is None else None
        language_model: Any = self.language_model
        return language_model.model(input_ids, positions, intermediate_tensors, inputs_embeds=given)

    def compute_logits(self, hidden_states: torch.Tensor) -> torch.Tensor | None:
        """The head's output."""
        language_model: Any = self.language_model
        logits: torch.Tensor | None = language_model.compute_logits(hidden_states)
        return logits

    def load_weights(self, weights: Any) -> set[str]:
        """Load the thinker of a whole checkpoint, or one that was saved by itself."""
        return set(AutoWeightsLoader(self).load_weights(weights, mapper=NAMES))
