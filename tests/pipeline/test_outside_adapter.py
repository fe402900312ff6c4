"""Adapters trained elsewhere: their modules' older names, what is refused, and their scores apart."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from slubench.errors import DataError, MissingError, UsageError
from slubench.pipeline.evaluate import model_of
from slubench.pipeline.outside_adapter import read_outside, write_present
from slubench.registry import Registry
from tests.command import slubench
from tests.massive_mirror import make_mirror

REGISTRY = Registry()
PRESENT = "model.language_model.layers.{layer}.{module}"
NAMED = {
    "present": ("tiny", PRESENT),
    "transformers 4": ("tiny", "language_model.model.layers.{layer}.{module}"),
    "thinker in the whole": ("qwen2.5-omni-7b", "thinker.model.layers.{layer}.{module}"),
}


def adapter(
    folder: Path, pattern: str, kind: str = "LORA", suffix: str = ".weight", extra: str = "", width: int = 8
) -> Path:
    """An adapter of two layers' q_proj and down_proj, whose modules are named by a pattern."""
    folder.mkdir(parents=True)
    weights = {}
    for layer in (0, 1):
        for module in ("self_attn.q_proj", "mlp.down_proj"):
            name = "base_model.model." + pattern.format(layer=layer, module=module)
            weights[f"{name}.lora_A{suffix}"] = np.full((2, width), layer, dtype=np.float32)
            weights[f"{name}.lora_B{suffix}"] = np.ones((width, 2), dtype=np.float32)
    if extra:
        weights[f"base_model.model.{extra}"] = np.ones((2, 2), dtype=np.float32)
    save_file(weights, folder / "adapter_model.safetensors")
    config: dict[str, Any] = {"peft_type": kind, "r": 2, "lora_alpha": 4, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(config))
    return folder


@pytest.mark.parametrize("case", NAMED)
@pytest.mark.parametrize("suffix", [".weight", ".default.weight"])
def test_older_names_become_the_present_ones(tmp_path: Path, case: str, suffix: str) -> None:
    name, pattern = NAMED[case]
    model = REGISTRY.model(name)
    given = adapter(tmp_path / "given", pattern, suffix=suffix)
    made = write_present(read_outside(given), model, REGISTRY.family(model.family), tmp_path / "made")
    weights = load_file(made / "adapter_model.safetensors")
    modules = {key.removeprefix("base_model.model.").rpartition(".lora_")[0] for key in weights}
    assert len(weights) == 8
    assert all(re.fullmatch(model.lora_modules, module) for module in modules)
    assert sorted(modules) == json.loads((made / "adapter_config.json").read_text())["target_modules"]
    for key, weight in weights.items():
        if "lora_A" in key:
            assert (weight == int(re.findall(r"layers\.(\d+)", key)[0])).all()


@pytest.mark.parametrize(
    ("pattern", "extra", "reason"),
    [
        (PRESENT, "model.audio_tower.layers.0.self_attn.q_proj.lora_A.weight", "model.audio_tower.layers.0"),
        (
            PRESENT,
            PRESENT.format(layer=0, module="mlp.down_proj") + ".lora_A.default.weight",
            "down_proj twice, under two names",
        ),
        (PRESENT, "model.multi_modal_projector.linear.weight", "no LoRA matrix in peft's layout"),
        ("transformer.h.{layer}.{module}", "", "transformer.h.0"),
    ],
)
def test_other_modules_are_refused_by_name(tmp_path: Path, pattern: str, extra: str, reason: str) -> None:
    model = REGISTRY.model("tiny")
    given = read_outside(adapter(tmp_path / "given", pattern, extra=extra))
    with pytest.raises(DataError, match=re.escape(reason)):
        write_present(given, model, REGISTRY.family(model.family), tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_what_is_no_lora_adapter_is_told(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="peft_type is 'IA3'"):
        read_outside(adapter(tmp_path / "ia3", PRESENT, kind="IA3"))
    with pytest.raises(MissingError, match=r"no adapter_config\.json"):
        read_outside(tmp_path)
    bare = adapter(tmp_path / "bare", PRESENT)
    (bare / "adapter_model.safetensors").rename(bare / "adapter_model.bin")
    with pytest.raises(MissingError, match="pickled weights are not read"):
        read_outside(bare)
    torn = adapter(tmp_path / "torn", PRESENT)
    (torn / "adapter_model.safetensors").write_bytes(b"\xff" * 20)
    with pytest.raises(DataError, match="not a readable safetensors file"):
        write_present(
            read_outside(torn), REGISTRY.model("tiny"), REGISTRY.family("qwen2_audio"), tmp_path / "m"
        )


def test_the_base_model_is_the_one_that_the_adapter_names(tmp_path: Path) -> None:
    given = adapter(tmp_path / "given", PRESENT)
    with pytest.raises(UsageError, match="Name it with --model"):
        model_of(read_outside(given), None, REGISTRY)
    config = json.loads((given / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "Qwen/Qwen2-Audio-7B-Instruct"
    (given / "adapter_config.json").write_text(json.dumps(config))
    assert model_of(read_outside(given), None, REGISTRY).name == "qwen2-audio-7b-instruct"
    assert model_of(read_outside(given), "tiny", REGISTRY).name == "tiny"


@pytest.mark.slow
def test_it_is_evaluated_and_no_ranking_holds_it(home: Path, tmp_path: Path) -> None:
    config = json.loads((Path(REGISTRY.model("tiny").repository) / "config.json").read_text())["text_config"]
    width = config["hidden_size"]
    told: list[dict[str, Any]] = []
    for name, pattern in (NAMED["present"], NAMED["transformers 4"]):
        folder = tmp_path / f"{len(told)}" / "elsewhere"
        folder.mkdir(parents=True)
        rng = np.random.default_rng(0)
        key = "base_model.model." + pattern.format(layer=0, module="self_attn.q_proj")
        save_file(
            {
                f"{key}.lora_A.weight": rng.normal(size=(2, width)).astype(np.float32),
                f"{key}.lora_B.weight": rng.normal(size=(width, 2)).astype(np.float32),
            },
            folder / "adapter_model.safetensors",
        )
        (folder / "adapter_config.json").write_text(
            json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 8, "target_modules": ["q_proj"]})
        )
        ran = slubench(
            *("evaluate", "--adapter", folder, "--task", "massive-de", "--model", name, "--edition", "full"),
            *("--corpora", make_mirror(tmp_path / "mirror", train=2), "--engine", "transformers"),
            *("--home", home, "--json"),
        )
        told.append(json.loads(ran.stdout))
    assert {one["kind"] for one in told} == {"outside adapter"}
    assert [report["items"] for report in told[0]["reports"]] == [8, 8]
    replies = [(Path(one["folder"]) / "replies.jsonl").read_text("utf-8") for one in told]
    assert replies[0].count('"reply"') == 16
    assert replies[0] == replies[1]
    rows = json.loads((Path(told[0]["folder"]) / "scores.json").read_text("utf-8"))
    assert {row["kind"] for row in rows} == {"outside adapter"}
    assert told[0]["reports"] == told[1]["reports"]
    assert not (home / "leaderboard").exists()
    assert not (home / "adapters_registry").exists()
