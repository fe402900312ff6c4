"""Options of `slubench run` and `slubench sweep` alone."""

from __future__ import annotations

from typing import Annotated

import typer

TaskOption = Annotated[
    str,
    typer.Option(
        "--task", envvar="SLUBENCH_TASK", metavar="NAME", help="What is asked; see `slubench list`."
    ),
]
StrategyOption = Annotated[
    str,
    typer.Option(
        "--strategy",
        envvar="SLUBENCH_STRATEGY",
        metavar="NAME|FILE",
        help="How one trains, or a file that says.",
    ),
]
SpeechOption = Annotated[
    str,
    typer.Option(
        "--speech",
        envvar="SLUBENCH_SPEECH",
        metavar="5%|20min|230|few115|0",
        help="How much of the task's speech may be heard: a share, minutes, utterances, or the published"
        " 115. `+all-recordings` behind it buys every recording of a sentence, `+stratified` draws each"
        " intent in its share (unranked).",
    ),
]
TargetOption = Annotated[
    str,
    typer.Option(
        "--target",
        envvar="SLUBENCH_TARGET",
        metavar="none|text|text+speech|all-text|all-text+speech",
        help="For cross-lingual tasks: what of the test's language may be learnt from beside the source"
        " speech; text and speech are those of the published 115, all-text is all of MASSIVE's.",
    ),
]
SelectionOption = Annotated[
    str,
    typer.Option(
        "--selection",
        envvar="SLUBENCH_SELECTION",
        metavar="last|watch-text|watch-clips|oracle-selection",
        help="What a training looks at beside what it learns. last: nothing. watch-text: the loss on"
        " validation text. watch-clips: the loss on a tenth of the bought clips, which are not learnt then"
        " (unranked). With these the last weights count; with oracle-selection those of the least loss on"
        " the spoken validation split (unranked).",
    ),
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", envvar="SLUBENCH_SEED", min=0, help="Sets both seeds.")
]
DataSeedOption = Annotated[
    int, typer.Option("--data-seed", envvar="SLUBENCH_DATA_SEED", min=0, help="Draws the clips.")
]
TrainSeedOption = Annotated[
    int, typer.Option("--train-seed", envvar="SLUBENCH_TRAIN_SEED", min=0, help="Draws the rest.")
]
