"""Listen only: the recordings that the budget buys, at most twenty passes over them."""

from slubench import SPEECH, Stage, Strategy

SPEECH_ONLY = Strategy(
    name="speech-only",
    summary="The bought recordings alone, at most 20 passes",
    stages=(Stage(learns_from=SPEECH, passes=20),),
)
