"""Runs a job with a vLLM class that maps no adapter's names, as classes that ignore adapters do."""

from __future__ import annotations

import os
import sys

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


if __name__ == "__main__":
    register()
    sys.exit(main(sys.argv[1:]))
