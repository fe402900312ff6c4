"""The folder visible to a strategy's code in the sandbox, with copies of only what it may use."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from slubench.data.clips import ClipStore
from slubench.data.editions import MINI_CORPUS
from slubench.data.recordings import Recordings, encoded_clips
from slubench.domain.utterance import Clip, Utterance
from slubench.errors import DataError
from slubench.pipeline.plan import Planned
from slubench.runtime.home import Home
from slubench.runtime.limits import GIBI, Limits, in_units
from slubench.trainset.purchase import Purchase
from slubench.trainset.purchase_file import write_purchase


@dataclass(frozen=True)
class Allowance:
    """What a maintainer grants a strategy's code.

    Attributes:
        limits: What it may use of the machine.
        composing: Seconds for composing.
        training: Seconds for training.
    """

    limits: Limits = field(default_factory=Limits)
    composing: float = 600.0
    training: float = 86_400.0

    def __str__(self) -> str:
        most = self.limits
        return (
            f"{in_units(most.memory)} of memory, {most.processes:,} processes, {in_units(most.disk)} of disk,"
            f" {most.files:,} files, {in_units(most.output)} of output, {self.composing / 60:g} minutes to "
            f"compose and {self.training / 60:g} to train"
        )


@dataclass(frozen=True)
class SandboxFolder:
    """A folder that becomes the inside of a sandbox.

    Attributes:
        folder: Empty at first.
        allowed: What may be used in it.
    """

    folder: Path
    allowed: Allowance = field(default_factory=Allowance)

    def to_compose(self) -> SandboxFolder:
        """The same where a strategy composes, which writes one file."""
        limits = self.allowed.limits
        fewer = dataclasses.replace(limits, disk=min(limits.disk, GIBI), files=min(limits.files, 1_000))
        return dataclasses.replace(self, allowed=dataclasses.replace(self.allowed, limits=fewer))

    @property
    def logs(self) -> Path:
        """The folder of what the sandboxed processes print: outside the sandbox."""
        return self.folder.parent

    @property
    def given(self) -> Path:
        """What is given to read: the strategy, the purchase, the recordings that were bought, jobs."""
        return self.folder / "given"

    @property
    def made(self) -> Path:
        """What is written inside: the train set, checkpoints, the adapter, what the audio tower heard."""
        return self.folder / "made"

    @property
    def strategy(self) -> Path:
        """The strategy's file."""
        return self.given / "strategy.py"

    @property
    def purchase(self) -> Path:
        """What may be read and heard."""
        return self.given / "purchase.json"

    @property
    def home(self) -> Home:
        """HOME of the training."""
        return Home(self.made / "home")


def furnish(room: SandboxFolder, text: str, bought: Purchase, audio: str) -> Purchase:
    """Lay into a room what a strategy may have.

    Args:
        room: The room.
        text: The strategy's file.
        bought: What its budget bought, from the corpus.
        audio: Name of the column of audio in Parquet files.

    Returns:
        The purchase as it is inside: bought recordings lie in files of their own, and decoded in a store; the
        others have names that lead nowhere.
    """
    room.given.mkdir(parents=True)
    room.made.mkdir(parents=True)
    room.strategy.write_text(text, "utf-8")
    inside = _moved(bought, _copied(bought, room, audio), _store(bought, room))
    write_purchase(room.purchase, inside)
    return inside


def out_of_bounds(planned: Planned, home: Home) -> tuple[Path, ...]:
    """Folders that stay hidden even if they are among the machine's programs or libraries."""
    files: list[Path] = []
    for shards in (planned.test, *planned.pools):
        files += [*shards.files, *(path for _, paths in shards.joined for path in paths)]
        files += [shards.root / folder for folder in shards.form.folders if shards.root != Path()]
    own = (home.runs, home.adapters, home.root / "leaderboard", home.root / "cache")
    return tuple(dict.fromkeys((MINI_CORPUS, *own, *files)))


def _copied(bought: Purchase, room: SandboxFolder, audio: str) -> dict[Clip, Clip]:
    """The bought recordings as files of the room."""
    folder = room.given / "recordings"
    folder.mkdir()
    copies: dict[Clip, Clip] = {}
    for clip, encoded in encoded_clips(list(bought.recordings.keys), audio):
        if isinstance(encoded, DataError):
            raise encoded
        path = folder / str(len(copies))
        path.write_bytes(encoded)
        copies[clip] = Clip(str(path))
    return copies


def _store(bought: Purchase, room: SandboxFolder) -> ClipStore:
    """The bought recordings decoded; the training lays what the audio tower hears beside them."""
    decoded = bought.recordings.store
    store = ClipStore(room.made / "clips", decoded.sampling_rate, decoded.max_seconds)
    for key in set(bought.recordings.keys.values()):
        store.path(key).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(decoded.path(key), store.path(key))
    return store


def _moved(bought: Purchase, copies: dict[Clip, Clip], store: ClipStore) -> Purchase:
    nowhere: dict[Clip, Clip] = {}

    def place(clip: Clip) -> Clip:
        return copies.get(clip) or nowhere.setdefault(clip, Clip("not bought", len(nowhere)))

    def rows(utterances: Iterable[Utterance]) -> tuple[Utterance, ...]:
        return tuple(u if u.clip is None else dataclasses.replace(u, clip=place(u.clip)) for u in utterances)

    pool = bought.pool
    return dataclasses.replace(
        bought,
        pool=dataclasses.replace(
            pool,
            written={language: rows(written) for language, written in pool.written.items()},
            bought={language: rows(spoken) for language, spoken in pool.bought.items()},
        ),
        bought=tuple(map(place, bought.bought)),
        target=tuple(map(place, bought.target)),
        synthetic=frozenset(map(place, bought.synthetic)),
        recordings=Recordings(store, {copies[clip]: key for clip, key in bought.recordings.keys.items()}),
    )
