"""Audio Flamingo 3 (Goel et al. 2025, arXiv 2507.08128). Its weights were not run here."""

from slubench import Model
from slubench.models.families.audioflamingo3 import AUDIO_FLAMINGO_3

AUDIO_FLAMINGO_3_HF = Model(
    name="audio-flamingo-3",
    repository="nvidia/audio-flamingo-3-hf",
    family=AUDIO_FLAMINGO_3.name,
    prompt=AUDIO_FLAMINGO_3.prompt,
    transcription=AUDIO_FLAMINGO_3.transcription,
    recipes=AUDIO_FLAMINGO_3.recipes,
    max_seconds=AUDIO_FLAMINGO_3.max_seconds,
    licence=AUDIO_FLAMINGO_3.licence,
    exposure="Not known: what its makers declare was not looked up.",
    parameters=8_267_215_360,
)
