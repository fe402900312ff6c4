"""Voxtral Mini 3B (Liu et al. 2025, arXiv 2507.13264). Its weights were not run here."""

from slubench import Model
from slubench.models.families.voxtral import VOXTRAL

VOXTRAL_MINI_3B = Model(
    name="voxtral-mini-3b",
    repository="mistralai/Voxtral-Mini-3B-2507",
    family=VOXTRAL.name,
    prompt=VOXTRAL.prompt,
    transcription=VOXTRAL.transcription,
    recipes=VOXTRAL.recipes,
    max_seconds=VOXTRAL.max_seconds,
    licence="Apache-2.0",
    exposure="Not known: what its makers declare was not looked up.",
    parameters=4_676_271_104,
)
