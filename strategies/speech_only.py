"""Speech only: the recordings in the budget, at most twenty passes over them."""

from slubench import SPEECH, Stage, Strategy

SPEECH_ONLY = Strategy(
    name="speech-only",
    summary="Only the recordings in the budget, at most 20 passes",
    stages=(Stage(learns_from=SPEECH, passes=20),),
)
