"""CTC's shift past the blank, its decoding and alignment, and the gaps between heard and read."""

import math

import numpy as np
import pytest
import torch

from tools.mini.model import losses


def paths(classes: list[list[int]], symbols: int, sure: float = 0.999) -> torch.Tensor:
    """Log-probabilities that all but spell out ``classes``, (clips, frames, 1 + symbols)."""
    rest = (1 - sure) / symbols
    out = torch.full((len(classes), max(map(len, classes)), symbols + 1), math.log(rest))
    for row, path in enumerate(classes):
        for frame, c in enumerate(path):
            out[row, frame, c] = math.log(sure)
    return out


def test_targets_are_shifted_past_the_blank() -> None:
    said = paths([[0, 3, 3, 0, 1, 0]], 4)
    right = losses.ctc(said, torch.tensor([6]), [[2, 0]])
    wrong = losses.ctc(said, torch.tensor([6]), [[3, 1]])
    assert float(right) < 0.01 < 1 < float(wrong)


def test_best_path_merges_repeats_and_drops_blanks() -> None:
    said = paths([[0, 3, 3, 0, 3, 1], [2, 2, 0, 0, 4, 4]], 4)
    assert losses.best_path(said, torch.tensor([6, 4])) == [[2, 2, 0], [1]]


def test_alignment_follows_the_path() -> None:
    said = paths([[0, 3, 3, 0, 3, 1], [2, 0, 1, 0, 0, 0]], 4)
    places = losses.align(said, torch.tensor([6, 3]), [[2, 2, 0], [1, 0]])
    assert places.tolist() == [[-1, 0, 0, -1, 1, 2], [0, -1, 1, -1, -1, -1]]


def test_alignment_spells_the_target_even_when_it_is_unlikely() -> None:
    torch.manual_seed(0)
    said = torch.randn(8, 12, 7).log_softmax(-1)
    frames = torch.tensor([12, 11, 10, 9, 8, 7, 6, 5])
    targets = [[1, 1, 2], [5], [0, 3, 0, 3], [2, 2], [4, 1], [3], [0, 1, 2], [5, 5, 5]]
    for row, places in enumerate(losses.align(said, frames, targets)):
        runs = [p for n, p in enumerate(places) if p >= 0 and (n == 0 or places[n - 1] != p)]
        assert runs == list(range(len(targets[row])))
        assert (places[int(frames[row]) :] == losses.NO_TOKEN).all()


def test_a_clip_too_short_for_its_target_is_blank_throughout() -> None:
    places = losses.align(torch.zeros(1, 3, 5).log_softmax(-1), torch.tensor([3]), [[1, 1, 2]])
    assert np.array_equal(places, [[-1, -1, -1]])


def test_the_loss_of_the_best_alignment_is_what_ctc_cannot_beat() -> None:
    torch.manual_seed(1)
    said = torch.randn(1, 9, 6).log_softmax(-1)
    target = [3, 0, 3]
    places = losses.align(said, torch.tensor([9]), [target])[0]
    path = sum(float(said[0, t, target[p] + 1 if p >= 0 else 0]) for t, p in enumerate(places))
    assert path <= -float(losses.ctc(said, torch.tensor([9]), [target])) * len(target)


def test_gaps_are_nothing_where_nothing_differs() -> None:
    states = [torch.randn(5, 8) for _ in range(3)]
    assert float(losses.state_gap(states, states)) == 0
    assert float(losses.divergence(states[0], states[0])) == pytest.approx(0, abs=1e-6)
    inside = torch.tensor([[True, True, False]])
    heard = torch.randn(1, 3, 8)
    none = torch.zeros_like(inside)
    for spelling, blank in ((inside, none), (none, inside)):
        assert float(losses.cosine_gap(heard, heard * 2, spelling, blank)) == pytest.approx(0, abs=1e-6)
        share = losses.SPELLING if spelling is inside else 1 - losses.SPELLING
        assert float(losses.cosine_gap(heard, -heard, spelling, blank)) == pytest.approx(2 * share)
    assert float(losses.norm_gap(heard / heard.norm(dim=-1, keepdim=True), inside, torch.eye(8))) < 1e-6


def test_text_is_the_fixed_target() -> None:
    spoken, written = torch.randn(4, 8, requires_grad=True), torch.randn(4, 8, requires_grad=True)
    (losses.state_gap([spoken], [written]) + losses.divergence(written, spoken)).backward()
    assert spoken.grad is not None
    assert written.grad is None
