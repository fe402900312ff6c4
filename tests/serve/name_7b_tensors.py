"""Builds vLLM's side of Qwen2-Audio-7B-Instruct on the meta device and prints where adapters' tensors go.

Reads the folder of a config.json and a file with the names of an adapter's tensors, a line each; prints as
JSON the modules that vLLM wraps with LoRA and the module that each tensor is mapped to.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ |= {"VLLM_LOGGING_LEVEL": "ERROR", "VLLM_CPU_KVCACHE_SPACE": "1", "DO_NOT_TRACK": "1"}

import torch
from vllm import ModelRegistry
from vllm.config import set_current_vllm_config
from vllm.distributed import init_distributed_environment, initialize_model_parallel
from vllm.engine.arg_utils import EngineArgs
from vllm.lora.utils import parse_fine_tuned_lora_name
from vllm.model_executor.layers.linear import LinearBase

from slubench.serve.vllm_qwen2_audio import NAMES, SlubenchQwen2AudioLoRA


def main(folder: str, listing: str) -> None:
    ModelRegistry.register_model("SlubenchQwen2AudioLoRA", SlubenchQwen2AudioLoRA)
    config = EngineArgs(
        model=folder,
        skip_tokenizer_init=True,
        load_format="dummy",
        dtype="bfloat16",
        max_model_len=2048,
        enforce_eager=True,
        enable_lora=True,
        hf_overrides={"architectures": ["SlubenchQwen2AudioLoRA"]},
    ).create_engine_config()
    build: Any = SlubenchQwen2AudioLoRA
    with tempfile.TemporaryDirectory() as meeting, set_current_vllm_config(config):
        init_distributed_environment(1, 0, f"file://{meeting}/here", 0, backend="gloo")
        initialize_model_parallel(1)
        torch.set_default_dtype(torch.bfloat16)
        with torch.device("meta"):
            model = build(vllm_config=config)
    linear = [name for name, module in model.named_modules() if isinstance(module, LinearBase)]
    packed = SlubenchQwen2AudioLoRA.packed_modules_mapping
    parts = {part for name in linear for part in _parts(name, packed)}
    mapped = {}
    for name in Path(listing).read_text("utf-8").splitlines():
        mapped[name] = parse_fine_tuned_lora_name(name, NAMES.get_rename_mapper())
    parameters = {name: list(parameter.shape) for name, parameter in model.named_parameters()}
    print(json.dumps({"takes": sorted(parts), "mapped": mapped, "parameters": parameters}))


def _parts(name: str, packed: dict[str, list[str]]) -> list[str]:
    parent, _, last = name.rpartition(".")
    return [f"{parent}.{part}" for part in packed.get(last, [last])]


if __name__ == "__main__":
    main(*sys.argv[1:])
