"""Models by name and by folder, and what is said where their weights are not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slubench.errors import MissingError, UsageError
from slubench.registry import Registry
from slubench.registry.weights import choose_model, locate
from slubench.runtime import engines
from slubench.runtime.digest import Digests
from slubench.runtime.gpu import find_driver
from tests.command import slubench

REGISTRY = Registry()


def checkpoint(folder: Path, family: str = "qwen2_audio", follows: str = "") -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": family}))
    (folder / "model.safetensors").write_bytes(b"weights")
    if follows:
        (folder / "slubench.json").write_text(json.dumps({"follows": follows}))
    return folder


def test_a_folder_follows_the_declared_model_it_names(tmp_path: Path) -> None:
    model = choose_model(str(checkpoint(tmp_path / "Mine", follows="tiny")), REGISTRY)
    assert model.name == "mine"
    assert model.prompt == REGISTRY.model("tiny").prompt
    assert model.repository == str(tmp_path / "Mine")


def test_a_folder_follows_the_declared_model_of_its_architecture(tmp_path: Path) -> None:
    model = choose_model(str(checkpoint(tmp_path / "mine")), REGISTRY)
    assert model.prompt == REGISTRY.model("qwen2-audio-7b-instruct").prompt


def test_an_architecture_nobody_declared_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown family 'bert'.*: .*qwen2_audio.*slubench\.families"):
        choose_model(str(checkpoint(tmp_path / "mine", "bert")), REGISTRY)


def test_a_folder_without_checkpoint_is_told(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"config\.json does not exist"):
        choose_model(str(tmp_path), REGISTRY)


def test_weights_are_known_by_their_content(tmp_path: Path) -> None:
    digests = Digests(tmp_path / "digests.json")
    model = choose_model(str(checkpoint(tmp_path / "one", follows="tiny")), REGISTRY)
    same = choose_model(str(checkpoint(tmp_path / "two", follows="tiny")), REGISTRY)
    assert locate(model, digests)[1] == locate(same, digests)[1]
    (tmp_path / "two" / "model.safetensors").write_bytes(b"other weights")
    assert locate(model, digests)[1] != locate(same, digests)[1]
    (tmp_path / "two" / "model.safetensors").unlink()
    with pytest.raises(MissingError, match=r"no \*.safetensors in"):
        locate(same, digests)


def test_what_needs_a_gpu_is_refused_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slubench.runtime.machine.has_cuda", lambda: False)
    with pytest.raises(MissingError, match="needs a CUDA GPU"):
        locate(REGISTRY.model("qwen2-audio-7b-instruct"), Digests(tmp_path / "digests.json"))


def test_weights_in_the_hubs_cache_are_found_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = "fedcba9876543210fedcba9876543210fedcba98"
    repository = tmp_path / "hub" / "models--Qwen--Qwen2-Audio-7B-Instruct"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    checkpoint(repository / "snapshots" / commit)
    monkeypatch.setattr("slubench.runtime.machine.has_cuda", lambda: True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    model, weights = locate(REGISTRY.model("qwen2-audio-7b-instruct"), Digests(tmp_path / "digests.json"))
    assert weights == f"Qwen/Qwen2-Audio-7B-Instruct@{commit}"
    assert model.repository == str(repository / "snapshots" / commit)


def test_weights_that_are_nowhere_are_told_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slubench.runtime.machine.has_cuda", lambda: True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(MissingError, match="hf download Qwen/Qwen2-Audio-7B-Instruct"):
        locate(REGISTRY.model("qwen2-audio-7b-instruct"), Digests(tmp_path / "digests.json"))


@pytest.mark.parametrize(("visible", "seen"), [("", False), ("-1", False)])
def test_a_gpu_that_is_hidden_is_none(visible: str, seen: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    find_driver.cache_clear()
    assert engines.has_cuda() is seen
    find_driver.cache_clear()


def test_a_quantised_checkpoint_is_refused_with_what_would_do(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "small")
    config = {"model_type": "qwen2_audio", "quantization_config": {"quant_method": "bitsandbytes"}}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(UsageError, match=r"quantised \(bitsandbytes\).*Give the checkpoint in bfloat16"):
        choose_model(str(folder), REGISTRY)


def test_a_model_whose_size_is_not_known_is_not_listed_with_zero_parameters(tmp_path: Path) -> None:
    lines = slubench("list", "models", "--home", tmp_path).stdout.splitlines()
    listed = {line.split("\t")[0]: line.split("\t")[1] for line in lines[1:]}
    assert listed["qwen2.5-omni-3b"] == "not known"
    assert listed["tiny"] == "4.9 M"
    assert not any(size.startswith("0.0") for size in listed.values())
