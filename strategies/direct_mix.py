"""Read and listen from the start: transcripts and recordings mixed at random in every batch.

Choi et al. 2025, arXiv 2509.15389, "direct mixing".
"""

from slubench import SPEECH, TEXT, Stage, Strategy

DIRECT_MIX = Strategy(
    name="direct-mix",
    summary="Transcripts and recordings mixed at random over all updates",
    source="arXiv 2509.15389",
    stages=(Stage(learns_from=TEXT | SPEECH),),
)
