"""Merged: train on text, train on speech from the same beginning, and average the two.

It should help where what is learnt from text and what is learnt from speech add up: the average keeps
half of each change and needs no data that mixes them. Model merging beside replay is in arXiv 2505.17496.
The average is of the changes of the weights themselves, cut to the adapter's rank.
"""

from slubench import SPEECH, TEXT, Stage, Strategy

MERGED = Strategy(
    name="merged",
    summary="The average of a text-only and a text-and-speech training",
    source="arXiv 2505.17496",
    stages=(
        Stage(learns_from=TEXT, share=1 / 2),
        Stage(learns_from=TEXT | SPEECH, share=1 / 2, start=0),
        Stage(learns_from=TEXT | SPEECH, share=0, average=(1, 2)),
    ),
)
