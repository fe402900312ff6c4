"""The losses of pretraining: CTC in the space of token embeddings, and what joins speech and text."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

BLANK: Final = 0
"""CTC's blank is class 0, so the class of a token is its id + 1."""
NO_TOKEN: Final = -1
"""What an alignment says of a frame that is blank."""
IMPOSSIBLE: Final = -1e9
SPELLING: Final = 0.75


def codebook(blank: Tensor, tokens: Tensor) -> Tensor:
    """Give CTC's output matrix, (1 + vocabulary, width): the blank's vector, then the token embeddings."""
    return torch.cat([blank[None, :], tokens])


def embedding_logits(heard: Tensor, codes: Tensor, scale: Tensor) -> Tensor:
    """Give scale x cosine of ``heard`` (clips, frames, width) and every row of ``codes``."""
    return scale * (F.normalize(heard, dim=-1) @ F.normalize(codes, dim=-1).T)


def ctc(log_probabilities: Tensor, frames: Tensor, targets: Sequence[Sequence[int]]) -> Tensor:
    """Give the CTC loss in nats a target symbol, averaged over clips.

    Args:
        log_probabilities: (clips, frames, 1 + symbols), blank first.
        frames: (clips,): frames of each clip.
        targets: Symbol ids of each clip, counted from 0; the shift past the blank is made here.
    """
    lengths = torch.tensor([len(target) for target in targets])
    flat = torch.tensor([symbol + 1 for target in targets for symbol in target])
    ordered = log_probabilities.transpose(0, 1)
    loss: Tensor = F.ctc_loss(ordered, flat, frames, lengths, blank=BLANK, zero_infinity=True)
    return loss


def best_path(log_probabilities: Tensor, frames: Tensor) -> list[list[int]]:
    """Give the symbol ids of CTC's best path for each clip: repeats merged, blanks dropped."""
    classes = log_probabilities.argmax(dim=-1)
    return [
        [int(c) - 1 for c in torch.unique_consecutive(row[:length]) if c != BLANK]
        for row, length in zip(classes, frames.tolist(), strict=True)
    ]


def align(log_probabilities: Tensor, frames: Tensor, targets: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Give the most likely CTC path that spells each clip's target (Viterbi over all clips at once).

    Args:
        log_probabilities: (clips, frames, 1 + symbols), blank first, without gradient.
        frames: (clips,): frames of each clip.
        targets: Symbol ids of each clip, counted from 0, none of them empty.

    Returns:
        (clips, frames): the place in the target (0, 1, ...) of what a frame emits, or ``NO_TOKEN``.
        Clips too short for their target are blank throughout.
    """
    clips, longest, _ = log_probabilities.shape
    widths = np.array([2 * len(target) + 1 for target in targets])
    states = np.zeros((clips, int(widths.max())), dtype=np.int64)
    for row, target in enumerate(targets):
        states[row, 1 : widths[row] : 2] = np.asarray(target) + 1
    emitted = np.take_along_axis(log_probabilities.numpy(), states[:, None, :], axis=2)
    skips = np.zeros(states.shape, dtype=bool)
    skips[:, 2:] = (states[:, 2:] != BLANK) & (states[:, 2:] != states[:, :-2])
    score = np.full(states.shape, IMPOSSIBLE, dtype=np.float32)
    score[:, :2] = emitted[:, 0, :2]
    back = np.zeros((clips, longest, states.shape[1]), dtype=np.int8)
    ends = np.asarray(frames)
    finals = np.zeros(states.shape, dtype=np.float32)
    finals[ends == 1] = score[ends == 1]
    for time in range(1, longest):
        options = np.full((3, *states.shape), IMPOSSIBLE, dtype=np.float32)
        options[0] = score
        options[1, :, 1:] = score[:, :-1]
        options[2, :, 2:] = np.where(skips[:, 2:], score[:, :-2], IMPOSSIBLE)
        back[:, time] = options.argmax(axis=0)
        score = options.max(axis=0) + emitted[:, time]
        finals[ends == time + 1] = score[ends == time + 1]
    rows = np.arange(clips)
    state = widths - 1 - (finals[rows, widths - 2] > finals[rows, widths - 1])
    spelt = finals[rows, state] > IMPOSSIBLE / 2
    places = np.full((clips, longest), NO_TOKEN, dtype=np.int64)
    for time in range(longest - 1, -1, -1):
        inside = time < ends
        places[:, time] = np.where(inside & spelt & (state % 2 == 1), state // 2, NO_TOKEN)
        state = np.where(inside, state - back[rows, time, state], state)
    return places


def norm_gap(heard: Tensor, inside: Tensor, tokens: Tensor) -> Tensor:
    """Give how far audio embeddings are from the mean length of token embeddings: mean (|z| / |E| - 1)^2."""
    length = tokens.detach().norm(dim=-1).mean()
    gap: Tensor = ((heard.norm(dim=-1) / length - 1) ** 2)[inside].mean()
    return gap


def cosine_gap(heard: Tensor, wanted: Tensor, spelling: Tensor, blank: Tensor) -> Tensor:
    """Give mean 1 - cos between audio embeddings and the embeddings that they stand for by alignment.

    Frames that spell a token count three quarters, blank ones the rest: adapters trained on text read tokens.

    Args:
        heard: (clips, audio tokens, width).
        wanted: The same shape.
        spelling: (clips, audio tokens), which frames stand for a token.
        blank: Likewise, which stand for the blank.
    """
    gaps = 1 - F.cosine_similarity(heard, wanted, dim=-1)
    parts = [gaps[frames].sum() / frames.sum().clamp_min(1) for frames in (spelling, blank)]
    return SPELLING * parts[0] + (1 - SPELLING) * parts[1]


def state_gap(spoken: Sequence[Tensor], written: Sequence[Tensor]) -> Tensor:
    """Give the relative squared distance of hidden states, averaged over layers; text is the fixed target.

    Args:
        spoken: (states, width) of each layer where the sample is heard.
        written: The same places where it is read.
    """
    gaps = [
        (heard - read.detach()).pow(2).sum() / read.detach().pow(2).sum().clamp_min(1e-6)
        for heard, read in zip(spoken, written, strict=True)
    ]
    return torch.stack(gaps).mean()


def divergence(written: Tensor, spoken: Tensor) -> Tensor:
    """Give KL(written || spoken) in nats a position of two sets of logits, (positions, vocabulary)."""
    target = F.log_softmax(written.detach(), dim=-1)
    return F.kl_div(F.log_softmax(spoken, dim=-1), target, log_target=True, reduction="batchmean")
