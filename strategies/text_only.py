"""Text only: the language model is trained on transcripts, the audio encoder stays frozen.

Source: Choi et al. 2025, arXiv 2509.15389, the 0 % rows.
"""

from slubench import TEXT, Stage, Strategy

TEXT_ONLY = Strategy(
    name="text-only",
    summary="Only transcripts, no speech",
    source="arXiv 2509.15389",
    stages=(Stage(learns_from=TEXT),),
)
