"""Which engine answers for a model."""

from __future__ import annotations

from slubench.domain.model import Model
from slubench.errors import UsageError
from slubench.runtime.engines import resolve


def engine_for(model: Model, wanted: str) -> str:
    """The engine that was asked for; for `auto` the preferred one that is installed and serves the model.

    Args:
        model: The model, what it leaves to its family filled in.
        wanted: `auto`, `vllm` or `transformers`.

    Raises:
        UsageError: vLLM was asked for and has no class for the model, or there is no such engine.
        MissingError: It is not installed.
    """
    engine = resolve(wanted)
    if engine != "vllm" or model.stock_vllm or model.vllm_architecture:
        return engine
    if wanted == "auto":
        return resolve("transformers")
    raise UsageError(
        f"vLLM has no class for {model.name}: its family, {model.family}, declares none."
        " Use --engine transformers."
    )
