"""GPUs, their driver and the installed build of torch, told without loading torch."""

from __future__ import annotations

import ctypes
import os
import re
import uuid
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

Version = tuple[int, int]


class Gpu(NamedTuple):
    """A CUDA GPU that this process may use.

    Attributes:
        name: As its maker calls it.
        total: Its memory in bytes.
        free: Of that, what no process holds; None where the driver does not tell.
    """

    name: str
    total: int
    free: int | None


class Driver(NamedTuple):
    """The CUDA driver.

    Attributes:
        cuda: The newest CUDA that it supports.
        gpus: The GPUs that CUDA_VISIBLE_DEVICES leaves.
    """

    cuda: Version
    gpus: tuple[Gpu, ...]


class TorchBuild(NamedTuple):
    """The installed build of torch.

    Attributes:
        version: Its version.
        cuda: The CUDA that it was built for; None for a build without.
    """

    version: str
    cuda: Version | None


class _NvmlMemory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


@cache
def find_driver() -> Driver | None:
    """What the driver says; None where there is none, or it does not start."""
    if os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return None
    try:
        cuda = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return None
    count, version = ctypes.c_int(0), ctypes.c_int(0)
    if cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)):
        return None
    cuda.cuDriverGetVersion(ctypes.byref(version))
    gpus = tuple(_gpu(cuda, number) for number in range(count.value))
    return Driver((version.value // 1000, version.value % 1000 // 10), gpus)


def _gpu(cuda: ctypes.CDLL, number: int) -> Gpu:
    device, total = ctypes.c_int(0), ctypes.c_size_t(0)
    name = ctypes.create_string_buffer(256)
    cuda.cuDeviceGet(ctypes.byref(device), number)
    cuda.cuDeviceGetName(name, len(name), device)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(total), device)
    return Gpu(name.value.decode(errors="replace"), total.value, _free(cuda, device))


def _free(cuda: ctypes.CDLL, device: ctypes.c_int) -> int | None:
    """Free memory by NVML, which needs no context on the GPU."""
    identity = ctypes.create_string_buffer(16)
    try:
        nvml = ctypes.CDLL("libnvidia-ml.so.1")
        if cuda.cuDeviceGetUuid(identity, device) or nvml.nvmlInit_v2():
            return None
        handle, memory = ctypes.c_void_p(), _NvmlMemory()
        name = f"GPU-{uuid.UUID(bytes=identity.raw)}".encode()
        if nvml.nvmlDeviceGetHandleByUUID(name, ctypes.byref(handle)):
            return None
        return None if nvml.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) else int(memory.free)
    except (OSError, AttributeError):
        return None


def free_now() -> int | None:
    """Free memory of the first GPU at this moment; None where it is not known."""
    find_driver.cache_clear()
    driver = find_driver()
    return driver.gpus[0].free if driver is not None and driver.gpus else None


@cache
def torch_build() -> TorchBuild | None:
    """The installed torch, read from its file of versions; None where it is not installed."""
    spec = find_spec("torch")
    for folder in (spec.submodule_search_locations or ()) if spec is not None else ():
        file = Path(folder) / "version.py"
        if file.is_file():
            return read_torch_build(file.read_text("utf-8"))
    return None


def read_torch_build(text: str) -> TorchBuild:
    """Version and CUDA of torch from the text of its `version.py`."""
    version = re.search(r"^__version__\b[^=]*=\s*['\"]([^'\"]*)", text, re.MULTILINE)
    cuda = re.search(r"^cuda\b[^=]*=\s*['\"](\d+)\.(\d+)", text, re.MULTILINE)
    return TorchBuild(
        version.group(1) if version else "", (int(cuda.group(1)), int(cuda.group(2))) if cuda else None
    )


def trouble_with_gpu() -> str:
    """Why torch cannot use a GPU here, with the remedy; empty where it can, or where there is no GPU."""
    driver, torch = find_driver(), torch_build()
    if driver is None or not driver.gpus or torch is None:
        return ""
    name = driver.gpus[0].name or "a CUDA GPU"
    if torch.cuda is None:
        return (
            f"{name} is here, but torch {torch.version} is a build without CUDA and cannot use it. Install"
            " slubench[gpu] in a new environment."
        )
    if torch.cuda[0] > driver.cuda[0]:
        return (
            f"torch {torch.version} is built for CUDA {_told(torch.cuda)}, but the driver of {name} supports"
            f" CUDA up to {_told(driver.cuda)}. Update the driver, or install a build of torch for CUDA"
            f" {driver.cuda[0]}."
        )
    return ""


def _told(version: Version) -> str:
    return ".".join(map(str, version))
