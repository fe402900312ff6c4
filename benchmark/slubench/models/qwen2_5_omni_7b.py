"""Qwen2.5-Omni 7B, its thinker (Xu et al. 2025, arXiv 2503.20215). Its weights were not run here."""

from slubench import Model
from slubench.models.families.qwen2_5_omni import QWEN2_5_OMNI

QWEN2_5_OMNI_7B = Model(
    name="qwen2.5-omni-7b",
    repository="Qwen/Qwen2.5-Omni-7B",
    family=QWEN2_5_OMNI.name,
    prompt=QWEN2_5_OMNI.prompt,
    transcription=QWEN2_5_OMNI.transcription,
    recipes=QWEN2_5_OMNI.recipes,
    licence="Apache-2.0",
    exposure="Not known: what its makers declare was not looked up.",
    parameters=8_255_263_744,
)
