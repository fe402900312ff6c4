"""Merged weights: made once, whole, named after what they are made of, and the same model."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from slubench.errors import DataError
from slubench.models.families.qwen2_audio import QWEN2_AUDIO
from slubench.serve.checkpoint import require_whole
from slubench.serve.merge import discard, merge
from slubench.serve.requests import load
from slubench.serve.transformers_engine import TransformersEngine
from tests.serve.serving_jobs import ServingJobs
from tests.serve.tiny_checkpoints import adapt, declare


def names(folder: Path) -> set[str]:
    with safe_open(folder / "model.safetensors", framework="numpy") as file:
        return set(file.keys())


@pytest.mark.parametrize("kind", ["plain", "projector"])
def test_merged_weights_answer_as_the_adapter_does(
    jobs: ServingJobs,
    checkpoint: Path,
    adapters: tuple[Path, Path],
    projector_adapter: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    adapter = adapters[0] if kind == "plain" else projector_adapter
    merged = merge(checkpoint, adapter, tmp_path, QWEN2_AUDIO)
    require_whole(merged, QWEN2_AUDIO)
    assert names(merged) == names(checkpoint)
    questions = load(jobs.questions)[30:50]
    beside = TransformersEngine(jobs.model, checkpoint, jobs.clips).ask(str(adapter), questions)
    within = TransformersEngine(declare(merged, stock=False), merged, jobs.clips).ask("", questions)
    expected = {reply.key: reply for handful in beside for reply in handful}
    found = {reply.key: reply for handful in within for reply in handful}
    assert sum(expected[key] == found[key] for key in expected) >= 19


def test_merging_is_done_once(checkpoint: Path, adapters: tuple[Path, Path], tmp_path: Path) -> None:
    first = merge(checkpoint, adapters[0], tmp_path, QWEN2_AUDIO)
    made = (first / "model.safetensors").stat().st_mtime_ns
    assert merge(checkpoint, adapters[0], tmp_path, QWEN2_AUDIO) == first
    assert (first / "model.safetensors").stat().st_mtime_ns == made
    assert merge(checkpoint, adapters[1], tmp_path, QWEN2_AUDIO) != first
    assert all(path.name.startswith("merged-") for path in tmp_path.iterdir())
    discard(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_adapter_is_merged_anew(checkpoint: Path, tmp_path: Path) -> None:
    adapter = adapt(tmp_path / "adapter", checkpoint)
    first = merge(checkpoint, adapter, tmp_path, QWEN2_AUDIO)
    weights = load_file(adapter / "adapter_model.safetensors")
    save_file({name: weight * 2 for name, weight in weights.items()}, adapter / "adapter_model.safetensors")
    assert merge(checkpoint, adapter, tmp_path, QWEN2_AUDIO) != first


def test_doubled_names_are_made_single(checkpoint: Path, adapters: tuple[Path, Path], tmp_path: Path) -> None:
    doubled = tmp_path / "doubled"
    shutil.copytree(checkpoint, doubled)
    weights = load_file(doubled / "model.safetensors")
    renamed = {
        name.replace("language_model.model.", "language_model.model.model."): weight
        for name, weight in weights.items()
    }
    save_file(renamed, doubled / "model.safetensors", metadata={"format": "pt"})
    assert names(merge(doubled, adapters[0], tmp_path, QWEN2_AUDIO)) == names(checkpoint)


def test_nan_is_not_merged(checkpoint: Path, tmp_path: Path) -> None:
    adapter = adapt(tmp_path / "adapter", checkpoint)
    weights = load_file(adapter / "adapter_model.safetensors")
    weights[min(weights)][0, 0] = float("nan")
    save_file(weights, adapter / "adapter_model.safetensors")
    with pytest.raises(DataError, match="cannot be merged"):
        merge(checkpoint, adapter, tmp_path / "out", QWEN2_AUDIO)
    assert list((tmp_path / "out").glob("*")) == []
