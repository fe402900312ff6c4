"""What is told of adapters from their files, and how a job's adapters are shared out among engines."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import load_file, save_file

from slubench.errors import MissingError, SlubenchError
from slubench.runtime.jobs import PredictJob
from slubench.serve.read_adapter import inspect
from slubench.serve.serving_mode import plan, read_adapters
from tests.serve.serving_jobs import ServingJobs
from tests.serve.tiny_checkpoints import adapt, build


@pytest.mark.parametrize(
    ("lora", "obstacle"),
    [
        ({}, None),
        ({"r": 12, "rank_pattern": {"q_proj": 40}}, None),
        ({"use_rslora": True}, None),
        ({"target_modules": ["q_proj", "v_proj"]}, r"outside the language model.*audio_tower\.layers\.\*"),
        ({"target_modules": ["fc1"]}, r"audio_tower\.layers\.\*\.fc1"),
        ({"target_modules": ["out_proj"]}, "out_proj"),
        ({"target_modules": r".*multi_modal_projector\.linear"}, "multi_modal_projector"),
        ({"target_modules": ["lm_head"]}, "lm_head"),
        ({"modules_to_save": ["multi_modal_projector"]}, "modules_to_save"),
        ({"use_dora": True}, "DoRA"),
        ({"r": 520}, "rank 520, above vLLM's limit of 512"),
        ({"bias": "lora_only"}, "trained biases"),
        pytest.param(
            {"lora_bias": True, "target_modules": r".*language_model.*\.q_proj"},
            "LoRA biases",
            # peft 0.21 takes its own biases for matrices that were saved in part.
            marks=pytest.mark.filterwarnings("ignore:Adapter 'default'"),
        ),
        ({"init_lora_weights": "pissa"}, r"changes the base's weights \(pissa\)"),
    ],
)
def test_what_live_lora_cannot_carry_is_told(
    jobs: ServingJobs, checkpoint: Path, tmp_path: Path, lora: dict[str, Any], obstacle: str | None
) -> None:
    adapter = inspect(adapt(tmp_path / "adapter", checkpoint, **lora), jobs.model)
    if obstacle is None:
        assert adapter.live
        assert adapter.obstacles == ()
    else:
        assert not adapter.live
        assert re.search(obstacle, "; ".join(adapter.obstacles))


def _pickle(folder: Path) -> None:
    (folder / "adapter_model.safetensors").rename(folder / "adapter_model.bin")


def _truncate(folder: Path) -> None:
    path = folder / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def _empty(folder: Path) -> None:
    save_file({}, folder / "adapter_model.safetensors")


def _break_config(folder: Path) -> None:
    (folder / "adapter_config.json").write_text("{", "utf-8")


def _no_weights(folder: Path) -> None:
    (folder / "adapter_model.safetensors").unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_pickle, "adapter_model.bin is pickled and is refused"),
        (_truncate, "adapter_model.safetensors cannot be read"),
        (_empty, "contains no weights"),
        (_break_config, "adapter_config.json is not valid JSON"),
        (_no_weights, "has no adapter_model.safetensors"),
    ],
)
def test_broken_adapters_are_refused(
    jobs: ServingJobs, checkpoint: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    folder = adapt(tmp_path / "adapter", checkpoint)
    spoil(folder)
    with pytest.raises(SlubenchError, match=message):
        inspect(folder, jobs.model)


def test_the_rank_is_read_from_the_weights(jobs: ServingJobs, checkpoint: Path, tmp_path: Path) -> None:
    folder = adapt(tmp_path / "adapter", checkpoint, r=12, rank_pattern={"q_proj": 40})
    adapter = inspect(folder, jobs.model)
    assert (adapter.rank, adapter.max_lora_rank) == (40, 64)


def test_weights_of_a_stranger_layout_are_no_lora(
    jobs: ServingJobs, checkpoint: Path, tmp_path: Path
) -> None:
    folder = adapt(tmp_path / "adapter", checkpoint)
    weights = load_file(folder / "adapter_model.safetensors")
    first = min(weights)
    weights["base_model.model.model.language_model.layers.0.self_attn.q_proj.weight"] = weights.pop(first)
    save_file(weights, folder / "adapter_model.safetensors")
    adapter = inspect(folder, jobs.model)
    assert not adapter.live
    assert not adapter.plain


Kinds = dict[str, Path | None]


@pytest.fixture(scope="module")
def kinds(
    checkpoint: Path,
    adapters: tuple[Path, Path],
    projector_adapter: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Kinds:
    whole = build(tmp_path_factory.mktemp("whole") / "whole", seconds=6, hop=320, seed=5)
    return {"base": None, "a": adapters[0], "b": adapters[1], "projector": projector_adapter, "whole": whole}


@pytest.mark.parametrize(
    ("asked", "serving", "loads"),
    [
        (["a"], "auto", [("merged", ["first"])]),
        (["a", "a"], "auto", [("merged", ["first", "first"])]),
        (["a", "b"], "auto", [("live", ["first", "second"])]),
        (["base", "a"], "auto", [("live", ["base", "first"])]),
        (["base"], "auto", [("native", ["base"])]),
        (["base"], "live", [("native", ["base"])]),
        (["a"], "live", [("live", ["first"])]),
        (["a", "b"], "merged", [("merged", ["first"]), ("merged", ["second"])]),
        (["projector"], "auto", [("merged", ["projector"])]),
        (["whole"], "auto", [("native", ["whole"])]),
        (["whole", "base"], "auto", [("native", ["whole"]), ("native", ["base"])]),
        (
            ["a", "projector", "b", "base", "whole"],
            "auto",
            [("live", ["first", "second", "base"]), ("merged", ["projector"]), ("native", ["whole"])],
        ),
    ],
)
def test_a_job_is_shared_out(
    jobs: ServingJobs, kinds: Kinds, asked: list[str], serving: str, loads: list[tuple[str, list[str]]]
) -> None:
    job = jobs.job("planned", [kinds[name] for name in asked], "vllm", serving)
    found = plan(job, read_adapters(job))
    assert [(load.serving, [asking.name for asking in load.askings]) for load in found] == loads
    assert all(load.why for load in found)


def test_live_is_refused_where_it_cannot_be(jobs: ServingJobs, kinds: Kinds) -> None:
    job: PredictJob = jobs.job("refused", [kinds["projector"]], "vllm", "live")
    message = r"cannot be served as live LoRA.*modules_to_save.* Use --serving merged"
    with pytest.raises(SlubenchError, match=message):
        plan(job, read_adapters(job))


def test_a_checkpoint_with_pickled_weights_is_refused(jobs: ServingJobs, tmp_path: Path) -> None:
    whole = build(tmp_path / "whole", seconds=6, hop=320)
    (whole / "model.safetensors").rename(whole / "pytorch_model.bin")
    with pytest.raises(SlubenchError, match="pickled"):
        read_adapters(jobs.job("pickled", [whole], "vllm"))


def test_an_adapter_that_is_nowhere_is_told(jobs: ServingJobs, tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="is not an adapter"):
        read_adapters(jobs.job("nowhere", [tmp_path / "gone"], "vllm"))
