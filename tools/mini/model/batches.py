"""Batches of pretraining: sentences that are heard, read or both, cut to their longest member.

A batch follows from (seed, step, rank) and the pool alone, so that a resumed training goes on with the very
batch at which it stopped.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from tools.mini.model.architecture import MAX_FRAMES, token_id
from tools.mini.model.features import LOOKAHEAD, Clips, read
from tools.mini.model.instructions import Instructed, Material, Surroundings, Task, ask
from tools.mini.model.tokenizer import AUDIO

HEAD: Final = "<|im_start|>user\n{instruction}\n<|audio_bos|>"
TURN: Final = "<|audio_eos|><|im_end|>\n<|im_start|>assistant\n"
TAIL: Final = TURN + "{answer}<|im_end|>"
GROUP: Final = 12
"""Batches drawn together and parted by length, so that a batch's clips are alike in length."""
LANGUAGE_SWITCH: Final = re.compile(r"\([a-z-]+\)")
"""How espeak-ng marks words spoken by another language's rules."""


class PretrainClip(NamedTuple):
    """One clip of the pool: its row, and its log-mels, (frames + ``LOOKAHEAD``, bins)."""

    row: Mapping[str, str | int]
    mels: NDArray[np.float16]


class ClipPool:
    """The clips that training may hear, by language; it grows as shards are computed."""

    def __init__(self, folder: Path, pattern: str = "[a-z][a-z]-*.parquet") -> None:
        """Look into ``folder`` for tables whose names match ``pattern`` (dev sets have longer prefixes)."""
        self._folder, self._pattern = folder, pattern
        self._shards: dict[str, Clips] = {}
        self._places: dict[str, list[tuple[str, int]]] = {}
        self.refresh()

    def refresh(self, shards: Sequence[str] | None = None) -> list[str]:
        """Take in new shards, or exactly the named ones, and give the names of all that are held."""
        found = sorted(path.stem for path in self._folder.glob(self._pattern))
        for name in found if shards is None else shards:
            if name not in self._shards:
                clips = self._shards[name] = read(self._folder / f"{name}.parquet")
                for number, row in enumerate(clips.rows):
                    self._places.setdefault(str(row["language"]), []).append((name, number))
        return list(self._shards)

    @property
    def sizes(self) -> dict[str, int]:
        """Clips of each language."""
        return {language: len(places) for language, places in sorted(self._places.items())}

    def draw(self, count: int, rng: Random) -> list[PretrainClip]:
        """Draw ``count`` clips, each language as likely as another."""
        languages = sorted(self._places)
        return [self._clip(*rng.choice(self._places[rng.choice(languages)])) for _ in range(count)]

    def clips(self) -> list[PretrainClip]:
        """Give all clips."""
        return [self._clip(*place) for places in self._places.values() for place in places]

    def rows(self) -> list[Mapping[str, str | int]]:
        """Give the rows of all clips."""
        return [row for clips in self._shards.values() for row in clips.rows]

    def _clip(self, shard: str, number: int) -> PretrainClip:
        clips = self._shards[shard]
        row = clips.rows[number]
        start, frames = int(row["start"]), int(row["frames"])
        return PretrainClip(row, clips.mels[start : start + frames + LOOKAHEAD])


@dataclass(frozen=True)
class Sounds:
    """Clips of a batch as the encoder takes them, and what is said in them."""

    mels: Tensor
    """(clips, bins, longest + ``LOOKAHEAD``) in float32, filled up with each clip's own silence."""
    frames: Tensor
    tokens: list[list[int]]
    phonemes: list[list[int]]


@dataclass(frozen=True)
class Questions:
    """Token ids of prompts up to the content, of the contents, and of what follows them."""

    heads: list[list[int]]
    contents: list[list[int]]
    tails: list[list[int]]
    turn: int
    """Tokens of each tail before the answer begins."""


class BatchLayout(NamedTuple):
    """Prompts laid out for the language model, padded on the right."""

    ids: Tensor
    """(samples, positions); audio places hold the audio token."""
    tail: Tensor
    """(samples, longest tail): where each token of the tail stands; padding points at 0."""
    inside: Tensor
    """(samples, longest tail): which of ``tail`` are real."""


def lay_out(questions: Questions, lengths: Sequence[int] | None, audio: int, pad: int) -> BatchLayout:
    """Lay out questions with their contents written, or with ``lengths`` audio tokens in their place."""
    contents = questions.contents if lengths is None else [[audio] * length for length in lengths]
    parts = list(zip(questions.heads, contents, questions.tails, strict=True))
    longest = max(sum(map(len, part)) for part in parts)
    widest = max(map(len, questions.tails))
    ids = np.full((len(parts), longest), pad, dtype=np.int64)
    tail = np.zeros((len(parts), widest), dtype=np.int64)
    inside = np.zeros((len(parts), widest), dtype=bool)
    for row, (head, content, end) in enumerate(parts):
        start = len(head) + len(content)
        ids[row, : start + len(end)] = [*head, *content, *end]
        tail[row, : len(end)] = range(start, start + len(end))
        inside[row, : len(end)] = True
    return BatchLayout(torch.from_numpy(ids), torch.from_numpy(tail), torch.from_numpy(inside))


@dataclass(frozen=True)
class MixRecipe:
    """All that turns clips and sentences into batches."""

    tokenizer: PreTrainedTokenizerFast
    symbols: str
    """The phonetic symbols that the temporary phoneme head tells apart."""
    around: Surroundings
    material: Callable[[Mapping[str, str | int]], Material]
    """Gives what is known of a clip's sentence."""
    sentence: Callable[[Random], Material]
    """Gives a new written sentence."""

    def questions(self, materials: Sequence[Material], tasks: Mapping[Task, float], rng: Random) -> Questions:
        """Put a task to every sentence."""
        return self.laid([(m.text, ask(m, self.around, rng, tasks)) for m in materials])

    def laid(self, asked: Sequence[tuple[str, Instructed]]) -> Questions:
        """Turn sentences with their instructions and answers into token ids."""
        count = len(asked)
        texts = [HEAD.format(instruction=question.instruction) for _, question in asked]
        texts += [text for text, _ in asked]
        texts += [TAIL.format(answer=question.answer) for _, question in asked]
        ids = self._ids([*texts, TURN])
        return Questions(ids[:count], ids[count : 2 * count], ids[2 * count : 3 * count], len(ids[-1]))

    def sounds(self, clips: Sequence[PretrainClip], rng: Random, augmented: bool = True) -> Sounds:
        """Collect clips of a batch, as they are or augmented (see ``augment``)."""
        heard = [clip.mels[: int(clip.row["frames"])].astype(np.float32) for clip in clips]
        if augmented:
            heard = [warp(block, rng) for block in heard]
        frames = [len(block) for block in heard]
        mels = np.empty((len(clips), max(frames) + LOOKAHEAD, clips[0].mels.shape[1]), dtype=np.float32)
        for row, (clip, block) in enumerate(zip(clips, heard, strict=True)):
            mels[row, : len(block)] = block
            mels[row, len(block) :] = clip.mels[-1].min()
            if augmented:
                augment(mels[row, : len(block)], rng)
        return Sounds(
            torch.from_numpy(mels).transpose(1, 2),
            torch.tensor(frames),
            self._ids([str(clip.row["text"]) for clip in clips]),
            [self._phonemes(str(clip.row["phonemes"])) for clip in clips],
        )

    def _ids(self, texts: list[str]) -> list[list[int]]:
        ids: list[list[int]] = self.tokenizer(texts, add_special_tokens=False)["input_ids"]
        return ids

    def _phonemes(self, text: str) -> list[int]:
        places = (self.symbols.find(symbol) for symbol in LANGUAGE_SWITCH.sub("", text))
        return [place for place in places if place >= 0]


def warp(mels: NDArray[np.float32], rng: Random) -> NDArray[np.float32]:
    """Give one clip, (frames, bins), in half the cases at another speed and with other formants.

    Speed perturbation (Ko et al. 2015) and vocal tract length perturbation (Jaitly & Hinton 2013), both by
    interpolation in the log-mels. A clip grows to ``MAX_FRAMES`` at most.
    """
    if rng.random() < 0.5:
        return mels
    frames, bins = mels.shape
    longer = min(round(frames * rng.uniform(0.9, 1.15)), MAX_FRAMES)
    mels = _interpolated(mels, np.linspace(0, frames - 1, longer, dtype=np.float32))
    stretched = np.arange(bins, dtype=np.float32) * np.float32(rng.uniform(0.94, 1.06))
    return _interpolated(mels.T, stretched.clip(0, bins - 1)).T


def _interpolated(values: NDArray[np.float32], places: NDArray[np.float32]) -> NDArray[np.float32]:
    below = places.astype(np.int64)
    share = (places - below)[:, None]
    above = np.minimum(below + 1, len(values) - 1)
    between: NDArray[np.float32] = values[below] * (1 - share) + values[above] * share
    return between


def augment(mels: NDArray[np.float32], rng: Random) -> None:
    """Change one clip in place: a shift of up to 2 bins, faint noise, a narrow band and a short time masked.

    Mild on purpose: so small a model is still learning when its time is up, and what is masked away can't be.
    """
    floor = mels.min()
    shift = rng.randint(-2, 2)
    if shift:
        mels[:] = np.roll(mels, shift, axis=1)
        if shift > 0:
            mels[:, :shift] = floor
        else:
            mels[:, shift:] = floor
    if rng.random() < 0.3:
        noise = np.random.default_rng(rng.getrandbits(32)).standard_normal(mels.shape, dtype=np.float32)
        mels += noise * np.float32(rng.uniform(0.0, 0.1))
    if rng.random() < 0.3:
        width = rng.randint(1, 8)
        start = rng.randint(0, mels.shape[1] - width)
        mels[:, start : start + width] = floor
    if rng.random() < 0.2:
        width = min(rng.randint(1, 4), len(mels) // 8)
        start = rng.randint(0, len(mels) - width)
        mels[start : start + width] = floor


def clips_at(pool: ClipPool, step: int, size: int, seed: int, rank: int) -> list[PretrainClip]:
    """Give the clips of one batch: those of ``GROUP`` batches are drawn together and parted by length."""
    group, place = divmod(step, GROUP)
    rng = Random(f"{seed} {rank} clips {group}")
    drawn = sorted(pool.draw(size * GROUP, rng), key=lambda clip: int(clip.row["frames"]))
    order = list(range(GROUP))
    # Ranks share the order, so that the batches of one step are alike in length on all of them.
    Random(f"{seed} order {group}").shuffle(order)
    return drawn[order[place] * size :][:size]


def audio_token(tokenizer: PreTrainedTokenizerFast) -> int:
    """Give the id of the audio token."""
    return token_id(tokenizer, AUDIO)
