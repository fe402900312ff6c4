"""Runs a job with a vLLM that ignores adapters, in whole or in one kind of module, in any number format.

    python adapter_blind_engine.py JOB.json [KIND [DTYPE]]

Without a kind the class `ForgetfulQwen2Audio` maps no adapter's names, as classes that ignore adapters do;
with one, vLLM is handed copies of the adapters in which modules of that kind do nothing; with an empty one,
it is honest.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import sys
from pathlib import Path

from slubench.serve.__main__ import main
from slubench.serve.vllm_engine import ENVIRONMENT


def register() -> None:
    os.environ.update(ENVIRONMENT)
    from vllm import ModelRegistry
    from vllm.model_executor.models.utils import WeightsMapper

    from slubench.serve.vllm_qwen2_audio import SlubenchQwen2AudioLoRA

    class Forgetful(SlubenchQwen2AudioLoRA):
        hf_to_vllm_mapper = WeightsMapper()

    ModelRegistry.register_model("ForgetfulQwen2Audio", Forgetful)


def drop(kind: str, folder: Path) -> None:
    """Let vLLM carry copies of its adapters without a kind of module."""
    import torch
    from safetensors.torch import load_file, save_file

    from slubench.serve import by_vllm
    from slubench.serve.vllm_engine import VllmEngine

    class Dropping(VllmEngine):
        def __init__(self, reader, weights, adapters, *more) -> None:  # type: ignore[no-untyped-def]
            copies = {}
            for number, (name, adapter) in enumerate(adapters.items()):
                copy = Path(shutil.copytree(adapter.folder, folder / f"dropped-{number}"))
                tensors = load_file(copy / "adapter_model.safetensors")
                for tensor in [one for one in tensors if "lora_B" in one and f".{kind}." in one]:
                    tensors[tensor] = torch.zeros_like(tensors[tensor])
                save_file(tensors, copy / "adapter_model.safetensors", metadata={"format": "pt"})
                copies[name] = dataclasses.replace(adapter, folder=copy)
            super().__init__(reader, weights, copies, *more)

    vars(by_vllm)["VllmEngine"] = Dropping


def compute_in(dtype: str) -> None:
    """Let both engines compute in a number format that this machine would not choose."""
    import torch

    from slubench.serve import by_vllm, merge, transformers_engine

    for module in (by_vllm, merge, transformers_engine):
        vars(module)["place"] = lambda: ("cpu", getattr(torch, dtype))


if __name__ == "__main__":
    path, *more = sys.argv[1:]
    if not more:
        register()
    if more and more[0]:
        drop(more[0], Path(path).parent)
    if len(more) > 1:
        compute_in(more[1])
    sys.exit(main([path]))
