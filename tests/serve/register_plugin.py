"""Registers our architectures in a fresh vLLM and prints what that changed."""

from __future__ import annotations

import json
import sys

from vllm import ModelRegistry

from slubench.serve.vllm_models import register

before = dict(ModelRegistry.models)
register()
once = dict(ModelRegistry.models)
register()
print(
    json.dumps(
        {
            "added": sorted(once.keys() - before.keys()),
            "touched": sorted(name for name in before if once[name] is not before[name]),
            "again": sorted(name for name in once if ModelRegistry.models[name] is not once[name]),
            "imported": "slubench.serve.vllm_qwen2_audio" in sys.modules,
        }
    )
)
