"""Direct mixing: text and speech mixed at random in every batch, from start to end.

Source: Choi et al. 2025, arXiv 2509.15389.
"""

from slubench import SPEECH, TEXT, Stage, Strategy

DIRECT_MIX = Strategy(
    name="direct-mix",
    summary="Text and speech mixed at random over all updates",
    source="arXiv 2509.15389",
    stages=(Stage(learns_from=TEXT | SPEECH),),
)
