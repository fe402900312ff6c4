"""What a user is told of GPU, driver and memory before anything is loaded."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from slubench.cli.diagnosis import diagnose
from slubench.errors import MissingError
from slubench.pipeline.context import open_context
from slubench.registry import Registry
from slubench.runtime import gpu, machine
from slubench.runtime.gpu import Driver, Gpu, TorchBuild, read_torch_build
from slubench.runtime.home import Home
from slubench.runtime.machine import require_gpu, require_memory
from tests.lacking import lacking

REGISTRY = Registry()
MODELS = list(REGISTRY.models.values())
LARGE = REGISTRY.model("qwen2-audio-7b-instruct")
GIBI = 2**30
CUDA_BUILD = TorchBuild("2.14.0+cu130", (13, 0))


def machine_with(
    monkeypatch: pytest.MonkeyPatch,
    gibi: float,
    free: float | None = None,
    cuda: gpu.Version = (13, 0),
    torch: TorchBuild = CUDA_BUILD,
) -> None:
    """A machine with one GPU."""
    held = None if free is None else int(free * GIBI)
    driver = Driver(cuda, (Gpu("NVIDIA Card", int(gibi * GIBI), held),))
    for module in ("slubench.runtime.gpu", "slubench.runtime.engines", "slubench.cli.diagnosis"):
        monkeypatch.setattr(f"{module}.find_driver", lambda: driver)
    monkeypatch.setattr(gpu, "free_now", lambda: held)
    monkeypatch.setattr(gpu, "torch_build", lambda: torch)


def states(home: Path) -> dict[str, str]:
    return {check.what: check.state for check in diagnose(Home(home))}


def test_a_cpu_build_of_torch_beside_a_gpu_is_refused_and_never_ok(
    monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    machine_with(monkeypatch, 80, torch=TorchBuild("2.13.0+cpu", None))
    with pytest.raises(MissingError, match=r"torch 2\.13\.0\+cpu is a build without CUDA.*slubench\[gpu\]"):
        require_gpu(LARGE)
    assert states(home)["GPU"] == "broken"


def test_a_driver_older_than_torchs_cuda_is_refused(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    machine_with(monkeypatch, 80, cuda=(12, 4))
    with pytest.raises(MissingError, match=r"built for CUDA 13\.0.*up to 12\.4.*build of torch for CUDA 12"):
        require_gpu(LARGE)
    assert states(home)["GPU"] == "broken"


def test_an_older_minor_version_of_the_driver_serves(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    machine_with(monkeypatch, 80, cuda=(12, 4), torch=TorchBuild("2.11.0+cu128", (12, 8)))
    require_gpu(LARGE)
    assert states(home)["GPU"] == states(home)["GPU memory"] == "ok"


def test_full_tuning_that_cannot_fit_is_refused_with_what_would(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, 79)
    with pytest.raises(
        MissingError,
        match=r"track full takes 125 GiB or more by estimate; NVIDIA Card has 79 GiB\."
        r" What fits here: --track lora-lm \(20 GiB\)",
    ):
        require_memory(LARGE, "full", MODELS)
    require_memory(LARGE, "lora-lm", MODELS)


def test_a_gpu_that_is_too_small_names_a_model_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, 15.9)
    with pytest.raises(MissingError, match=r"has 16 GiB\. What fits here: --model voxtral-mini-3b"):
        require_memory(LARGE, "lora-lm", MODELS)
    machine_with(monkeypatch, 2)
    with pytest.raises(MissingError, match=r"What fits here: --model tiny|No declared model fits"):
        require_memory(LARGE, "lora-lm", MODELS)


def test_a_gpu_taken_by_others_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    machine_with(monkeypatch, 80, free=6)
    with pytest.raises(MissingError, match=r"other processes leave 6\.0 GiB free.*CUDA_VISIBLE_DEVICES"):
        require_memory(LARGE, "lora-lm", MODELS)


def test_main_memory_counts_where_there_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "usable_memory", lambda: 32 * 2**20)
    tiny = REGISTRY.model("tiny")
    with pytest.raises(MissingError, match=r"this machine has 0\.0 GiB\. What fits here: --track lora-lm"):
        require_memory(tiny, "full", MODELS)
    require_memory(tiny, "lora-lm", MODELS)


@pytest.mark.parametrize(
    ("gibi", "torch", "edition", "words"),
    [
        (80, CUDA_BUILD, "full", "using the full edition"),
        (8, CUDA_BUILD, "mini", "has 8.0 GiB"),
        (80, TorchBuild("2.13.0+cpu", None), "mini", "a build without CUDA"),
    ],
)
def test_auto_takes_the_full_edition_only_where_its_model_fits(
    gibi: float, torch: TorchBuild, edition: str, words: str, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    machine_with(monkeypatch, gibi, torch=torch)
    said: list[str] = []
    assert open_context(home=home, say=said.append).choose_edition("auto").name == edition
    assert words in said[0]


@pytest.mark.parametrize(
    ("text", "cuda"),
    [
        ("__version__ = '2.13.0+cpu'\ncuda: Optional[str] = None\nhip: Optional[str] = None\n", None),
        ("__version__ = '2.13.0+cpu'\ncuda: str | None = '12.8'\nhip: str | None = None\n", (12, 8)),
    ],
)
def test_torchs_cuda_is_read_without_importing_it(text: str, cuda: gpu.Version | None) -> None:
    assert read_torch_build(text) == TorchBuild("2.13.0+cpu", cuda)


def test_the_installed_torch_is_read() -> None:
    import torch

    gpu.torch_build.cache_clear()
    build = gpu.torch_build()
    assert build is not None
    assert build.version == torch.__version__
    assert (build.cuda is None) == (torch.version.cuda is None)


DRIVER = """
#include <string.h>
int cuInit(unsigned f) { return 0; }
int cuDeviceGetCount(int *n) { *n = 1; return 0; }
int cuDriverGetVersion(int *v) { *v = 12080; return 0; }
int cuDeviceGet(int *d, int n) { *d = 7; return 0; }
int cuDeviceGetName(char *s, int n, int d) { if (d != 7) return 1; strcpy(s, "NVIDIA Fake"); return 0; }
int cuDeviceTotalMem_v2(unsigned long *b, int d) { *b = 85899345920UL; return d != 7; }
int cuDeviceGetUuid(char *u, int d) { memset(u, 0xAB, 16); return 0; }
"""
MANAGEMENT = """
#include <string.h>
struct memory { unsigned long long total, free, used; };
int nvmlInit_v2(void) { return 0; }
int nvmlDeviceGetHandleByUUID(const char *u, void **h) {
  *h = (void *)0x7000000000UL;
  return strcmp(u, "GPU-abababab-abab-abab-abab-abababababab");
}
int nvmlDeviceGetMemoryInfo(void *h, struct memory *m) {
  m->total = 3; m->free = 64424509440ULL; m->used = 1;
  return h != (void *)0x7000000000UL;
}
"""


def test_a_driver_is_asked_by_its_own_functions(tmp_path: Path) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        lacking("there is no C compiler (Debian: apt-get install gcc)")
    for name, code in (("libcuda.so.1", DRIVER), ("libnvidia-ml.so.1", MANAGEMENT)):
        source = tmp_path / f"{name}.c"
        source.write_text(code)
        subprocess.run([compiler, "-shared", "-fPIC", "-o", tmp_path / name, source], check=True)
    ask = "from slubench.runtime.gpu import find_driver; print(*find_driver())"
    environment = {"LD_LIBRARY_PATH": str(tmp_path), "PYTHONPATH": ":".join(sys.path)}
    found = subprocess.run(
        [sys.executable, "-c", ask], env=environment, check=True, capture_output=True, text=True
    )
    gpus = (Gpu("NVIDIA Fake", 80 * GIBI, 60 * GIBI),)
    assert found.stdout.strip() == f"{(12, 8)} {gpus}"
