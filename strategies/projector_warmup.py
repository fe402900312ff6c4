"""Projector warm-up: first the projector alone on the recordings, then projector and language model on both.

It should help where the recordings sound unlike what the model was trained on: the projector, a single
layer, can adapt on few clips without moving the language model, which then starts from embeddings it can
read. arXiv 2506.06343 trains the projector on text. It runs on the track `lora-lm+projector`.
"""

from slubench import SPEECH, TEXT, Stage, Strategy

PROJECTOR_WARMUP = Strategy(
    name="projector-warmup",
    summary="The projector alone on recordings, then everything on text and speech",
    source="arXiv 2506.06343",
    stages=(
        Stage(learns_from=SPEECH, share=0.2, trains=("projector",)),
        Stage(learns_from=TEXT | SPEECH, share=0.8, trains=("lm", "projector")),
    ),
)
