"""A clip is heard once; what is kept is what the tower gives."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from slubench.data.clips import ClipStore
from slubench.errors import MissingError
from slubench.models.families.qwen2_audio import QWEN2_AUDIO, tokens_of
from slubench.train.device import Device, choose_device
from slubench.train.encoder_cache import CachedEncoder, TrainedEncoder, tower_identity
from slubench.train.features import ClipFeatures
from slubench.train.learner import load_model
from tests.train.training_jobs import TrainingJobs


class Ear:
    """A tower, the features of the clips, and how often the tower was run."""

    def __init__(self, jobs: TrainingJobs) -> None:
        self.device: Device = choose_device(jobs.model)
        model, processor = load_model(jobs.model, torch.float32, self.device)
        self.tower: Any = model.get_submodule(QWEN2_AUDIO.parts.tower).eval()
        self.extractor = processor.feature_extractor
        self.store = ClipStore(jobs.clips, 16_000, 2.0)
        self.features = ClipFeatures(self.store, QWEN2_AUDIO, self.extractor, 2**30)
        self.heard = 0
        self.tower.register_forward_pre_hook(self._count)

    def _count(self, _: Any, arguments: tuple[torch.Tensor, ...]) -> None:
        self.heard += len(arguments[0])

    def frozen(
        self, order: tuple[str, ...], folder: Path | None, budget: int = 2**30, together: int = 1
    ) -> CachedEncoder:
        return CachedEncoder(self.tower, self.features, self.device, order, folder, budget, together)


@pytest.mark.parametrize("together", [1, 4])
def test_what_is_kept_is_what_the_tower_gives(jobs: TrainingJobs, tmp_path: Path, together: int) -> None:
    ear = Ear(jobs)
    frozen = ear.frozen(jobs.keys, tmp_path, together=together)
    first = frozen.hear(jobs.keys)
    assert ear.heard == len(jobs.keys)
    assert all(torch.equal(a, b) for a, b in zip(first, frozen.hear(jobs.keys), strict=True))
    assert ear.heard == len(jobs.keys)
    live = TrainedEncoder(ear.tower, ear.features)
    for key, output in zip(jobs.keys, first, strict=True):
        assert frozen.count(key) == live.count(key) == len(output)
        torch.testing.assert_close(output, live.hear([key])[0].detach(), rtol=1e-5, atol=1e-6)


def test_a_later_run_reads_from_the_disk_and_hears_nothing(jobs: TrainingJobs, tmp_path: Path) -> None:
    ear = Ear(jobs)
    first = ear.frozen(jobs.keys, tmp_path).hear(jobs.keys)
    ear.heard = 0
    second = ear.frozen(jobs.keys, tmp_path).hear(jobs.keys)
    assert ear.heard == 0
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    next(tmp_path.rglob("*.safetensors")).write_bytes(b"torn")
    third = ear.frozen(jobs.keys, tmp_path).hear(jobs.keys)
    assert ear.heard > 0
    assert all(torch.equal(a, b) for a, b in zip(first, third, strict=True))


@pytest.mark.parametrize("budget", [1, 2**30])
def test_without_memory_and_disk_it_hears_again(jobs: TrainingJobs, budget: int) -> None:
    ear = Ear(jobs)
    frozen = ear.frozen((), None, budget)
    first, again = frozen.hear(jobs.keys), frozen.hear(jobs.keys)
    assert ear.heard == len(jobs.keys) * (2 if budget == 1 else 1)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_what_is_kept_belongs_to_the_weights(jobs: TrainingJobs) -> None:
    ear = Ear(jobs)
    before = tower_identity(ear.tower, ear.extractor, ear.store, ear.device)
    assert before == tower_identity(Ear(jobs).tower, ear.extractor, ear.store, ear.device)
    with torch.no_grad():
        ear.tower.layers[0].fc1.bias[0] += 1e-6
    assert before != tower_identity(ear.tower, ear.extractor, ear.store, ear.device)


def test_clips_soon_needed_are_heard_in_one_batch(jobs: TrainingJobs, tmp_path: Path) -> None:
    ear = Ear(jobs)
    frozen = ear.frozen(jobs.keys, tmp_path, together=4)
    frozen.hear(jobs.keys[1:2])
    assert ear.heard == 4
    frozen.hear(jobs.keys[1:5])
    assert ear.heard == 4
    frozen.hear(jobs.keys[:1])
    assert ear.heard == len(jobs.keys)


def test_a_clip_that_was_removed_is_named(jobs: TrainingJobs) -> None:
    with pytest.raises(MissingError, match="deadbeef"):
        Ear(jobs).features.of("deadbeef")


def test_lengths_are_the_towers_own(jobs: TrainingJobs) -> None:
    ear = Ear(jobs)
    frames = torch.arange(1, 101)
    own = ear.tower._get_feat_extract_output_lengths(frames)[1]
    assert torch.equal(tokens_of(frames), own)
    mels = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 16, 100)).astype("float32"))
    masks = (torch.arange(100)[None] < torch.tensor([[2], [100]])).long()
    clips = [
        {"input_features": mel[None], "feature_attention_mask": mask[None]}
        for mel, mask in zip(mels, masks, strict=True)
    ]
    assert [len(row) for row in QWEN2_AUDIO.encode(ear.tower, clips)] == [0, 25]


@pytest.mark.parametrize("samples", [1, 319, 320, 321, 961, 4_800, 31_999, 32_000, 40_000])
def test_the_length_of_a_clip_tells_its_audio_tokens(jobs: TrainingJobs, samples: int) -> None:
    ear = Ear(jobs)
    sound = np.random.default_rng(0).normal(0, 0.1, samples).astype("float32")
    made = QWEN2_AUDIO.features(ear.extractor, sound, 16_000)
    assert len(QWEN2_AUDIO.encode(ear.tower, [made])[0]) == QWEN2_AUDIO.audio_tokens(ear.extractor, samples)


def test_a_damaged_output_is_encoded_again(jobs: TrainingJobs, tmp_path: Path) -> None:
    ear = Ear(jobs)
    key = jobs.keys[0]
    expected = ear.frozen((key,), tmp_path).hear([key])[0]
    (kept,) = tmp_path.rglob("*.safetensors")
    whole = kept.read_bytes()
    flipped = bytearray(whole)
    flipped[-3] ^= 64
    for content in (b"", whole[:20], whole[:-1], bytes(flipped)):
        kept.write_bytes(content)
        before = ear.heard
        assert torch.equal(ear.frozen((key,), tmp_path).hear([key])[0], expected)
        assert ear.heard == before + 1
        assert kept.read_bytes() == whole
