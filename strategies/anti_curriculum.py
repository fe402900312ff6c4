"""Anti-curriculum: text and speech first, then text alone. The curriculum the other way round.

It is a control: if the curriculum gains by its order and not by what it trains on, this strategy, with
the same updates, the same clips and the same clip exposures, must lose. It could win where the last stage
counts most and the test is text.
"""

from slubench import SPEECH, TEXT, Stage, Strategy

ANTI_CURRICULUM = Strategy(
    name="anti-curriculum",
    summary="Text and speech first, then text: the curriculum reversed",
    stages=(
        Stage(learns_from=TEXT | SPEECH, share=1 / 2),
        Stage(learns_from=TEXT, share=1 / 2, rate=0.6),
    ),
)
