"""Each method of peft learns on a track of its own, is kept, loads, and says the same when merged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from slubench.domain.peft_method import METHODS, TRACKS, every_track, split_track, with_method
from slubench.errors import UsageError
from slubench.models.families.qwen2_audio import QWEN2_AUDIO
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from slubench.serve.merge import merge
from slubench.serve.read_adapter import inspect
from slubench.submission.adapter_files import dress
from slubench.train.device import choose_device
from slubench.train.learner import load_model
from slubench.train.train import train
from tests.train.test_tracks import loaded, logits
from tests.train.training_jobs import TrainingJobs

LIVE = {"lora", "rslora"}


@pytest.mark.parametrize("method", METHODS)
def test_a_method_learns_is_kept_loads_and_merges(method: str, jobs: TrainingJobs, tmp_path: Path) -> None:
    examples, track = jobs.mixed(16), with_method("lora-lm", method)
    adapter = train(jobs.job([examples], track=track))
    probe, spoken = jobs.learner(examples, track, "probe"), jobs.spoken(3)
    base, _ = load_model(jobs.model, torch.float32, choose_device(jobs.model))
    heard = logits(loaded(adapter, jobs.model, track), probe, spoken)
    assert (heard - logits(base.eval(), probe, spoken)).abs().max() > 1e-4

    config = json.loads((adapter / "adapter_config.json").read_text("utf-8"))
    assert config["peft_type"] == METHODS[method].kind
    kept = load_file(adapter / "adapter_model.safetensors")
    assert not any("audio_tower" in name for name in kept)
    found = inspect(adapter, jobs.model)
    assert found.live == (method in LIVE)

    merged = merge(Path(jobs.model.repository), adapter, tmp_path / "merged", QWEN2_AUDIO)
    whole = loaded(merged, jobs.model, "full")
    assert (logits(whole, probe, spoken) - heard).abs().max() < 1e-3

    # What a verifier writes beside untrusted weights gives the same model.
    dressed = tmp_path / "dressed"
    dressed.mkdir()
    (dressed / "adapter_model.safetensors").write_bytes((adapter / "adapter_model.safetensors").read_bytes())
    dress(dressed, jobs.model, track, Digests(tmp_path / "digests.json"))
    again = logits(loaded(dressed, jobs.model, track), probe, spoken)
    assert torch.equal(again, heard)


def test_every_method_has_a_track_of_its_own() -> None:
    tracks = every_track()
    assert len(tracks) == len(set(tracks)) == 1 + 3 * len(METHODS)
    assert set(TRACKS) <= set(tracks)
    for track in tracks:
        method, base = split_track(track)
        assert base in TRACKS
        assert (method is None) == (track == "full")


def test_a_method_has_loras_recipe() -> None:
    model = Registry().model("qwen2-audio-7b-instruct")
    assert model.recipe("dora-lm+projector") == model.recipes["lora-lm+projector"]
    with pytest.raises(UsageError, match="has no recipe for the track 'vera-lm\\+projector'"):
        Registry().model("qwen2.5-omni-7b").recipe("vera-lm+projector")


@pytest.mark.parametrize(
    ("track", "method", "words"),
    [
        ("full", "dora", "--peft dora does not go with --track full"),
        ("ia3-lm", "dora", "--peft dora does not go with --track ia3-lm"),
        ("lora-lm", "dorra", "There is no method of peft 'dorra'. Did you mean dora"),
    ],
)
def test_a_method_that_does_not_fit_the_track_is_refused(track: str, method: str, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        with_method(track, method)
    assert words in str(refused.value)
