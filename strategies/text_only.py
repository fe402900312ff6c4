"""Read only: the language model learns from transcripts, the audio tower stays as it was.

Choi et al. 2025, arXiv 2509.15389, the paper's 0 % rows.
"""

from slubench import TEXT, Stage, Strategy

TEXT_ONLY = Strategy(
    name="text-only",
    summary="Transcripts alone; no recording is heard",
    source="arXiv 2509.15389",
    stages=(Stage(learns_from=TEXT),),
)
