"""Methods of peft: a declared axis of a track, each with a name of its own on every row.

A track is named after its method and what learns beside it: `dora-lm` is `lora-lm` with DoRA, and
`ia3-lm+projector` is `lora-lm+projector` with IA3. Tables, fingerprints and rankings are by
track, so that no two methods mix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from slubench.errors import UsageError, unknown

FULL: Final = "full"
ADAPTED: Final = ("lora-lm", "lora-lm+projector", "lora-all")
"""The tracks on which something is adapted, with LoRA in the method's place."""
TRACKS: Final = (*ADAPTED, FULL)
"""The tracks with a recipe; methods of peft share those of LoRA."""
PLAIN: Final = "lora"


@dataclass(frozen=True, kw_only=True)
class PeftMethod:
    """A method of peft.

    Attributes:
        name: As `--peft` takes it.
        kind: The `peft_type` of its config.
        config: The name of its config's class in peft.
        rank: The config's name for the rank; empty where it has none.
        alpha: The config's name for alpha; empty where it has none.
        dropout: The config's name for dropout; empty where it has none.
        more: Further entries of the config.
    """

    name: str
    kind: str = "LORA"
    config: str = "LoraConfig"
    rank: str = "r"
    alpha: str = "lora_alpha"
    dropout: str = "lora_dropout"
    more: Mapping[str, Any] = field(default_factory=dict)

    def track(self, base: str) -> str:
        """A track of `ADAPTED` by this method."""
        return self.name + base.removeprefix(PLAIN)


METHODS: Final = {
    method.name: method
    for method in (
        PeftMethod(name=PLAIN),
        PeftMethod(name="dora", more={"use_dora": True}),
        PeftMethod(name="rslora", more={"use_rslora": True}),
        PeftMethod(
            name="ia3",
            kind="IA3",
            config="IA3Config",
            rank="",
            alpha="",
            dropout="",
            # As its paper has it: in the feed-forward network the input is scaled.
            more={"feedforward_modules": r".*\.down_proj"},
        ),
        PeftMethod(
            name="vera",
            kind="VERA",
            config="VeraConfig",
            alpha="",
            dropout="vera_dropout",
            # The projections are kept, so that a reader need not draw them again.
            more={"save_projection": True, "projection_prng_key": 0},
        ),
        PeftMethod(
            name="oft",
            kind="OFT",
            config="OFTConfig",
            rank="",
            alpha="",
            dropout="module_dropout",
            more={"r": 0, "oft_block_size": 16, "use_cayley_neumann": False},
        ),
    )
}


def split_track(track: str) -> tuple[PeftMethod | None, str]:
    """The method of a track, and the track whose recipe it has; no method on `full`.

    Raises:
        UsageError: There is no such track.
    """
    if track == FULL:
        return None, FULL
    for method in METHODS.values():
        for base in ADAPTED:
            if track == method.track(base):
                return method, base
    raise unknown("track", track, every_track())


def every_track() -> list[str]:
    """All tracks."""
    return [FULL, *(method.track(base) for method in METHODS.values() for base in ADAPTED)]


def with_method(track: str, name: str) -> str:
    """A track with a method of peft.

    Raises:
        UsageError: There is no such method, the track has one already, or it takes none.
    """
    if name not in METHODS:
        raise unknown("method of peft", name, METHODS)
    if name == PLAIN:
        return track
    method, base = split_track(track)
    if method is None or method.name != PLAIN:
        raise UsageError(f"--peft {name} does not go with --track {track}. Use --track {', '.join(ADAPTED)}.")
    return METHODS[name].track(base)
