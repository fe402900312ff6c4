"""Text first, then text and speech: half the updates on transcripts, half on the mixture.

At 100 % of the speech this is the schedule of Choi et al. 2025 (arXiv 2509.15389): two epochs of text,
then one of text and speech at 0.6 of the learning rate. It has as many clip exposures as direct mixing.
"""

from slubench import SPEECH, TEXT, Stage, Strategy

CURRICULUM = Strategy(
    name="curriculum",
    summary="Text first, then text and speech",
    source="arXiv 2509.15389",
    stages=(
        Stage(learns_from=TEXT, share=1 / 2),
        Stage(learns_from=TEXT | SPEECH, share=1 / 2, rate=0.6),
    ),
)
