"""Qwen2-Audio-7B-Instruct, the model of arXiv 2509.15389 (Chu et al. 2024, arXiv 2407.10759)."""

from slubench import Model
from slubench.models.families.qwen2_audio import QWEN2_AUDIO

QWEN2_AUDIO_7B_INSTRUCT = Model(
    name="qwen2-audio-7b-instruct",
    repository="Qwen/Qwen2-Audio-7B-Instruct",
    family=QWEN2_AUDIO.name,
    prompt=QWEN2_AUDIO.prompt,
    transcription=QWEN2_AUDIO.transcription,
    recipes=QWEN2_AUDIO.recipes,
    reply_tokens=256,
    needs_gpu=True,
    licence="Apache-2.0",
    exposure="Not stated by its authors.",
    parameters=8_397_094_912,
)
