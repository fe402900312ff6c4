"""The training device: its number type, threads and memory."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass

import torch

from slubench.domain.model import Model
from slubench.errors import MissingError
from slubench.runtime.system import cores


@dataclass(frozen=True)
class Device:
    """The device of a run.

    Attributes:
        where: The device as torch knows it.
        dtype: Type of frozen weights and of activations: bfloat16 on a GPU, float32 on a CPU, where
            bfloat16 is emulated on most machines and some 80 times slower.
        name: For reports.
    """

    where: torch.device
    dtype: torch.dtype
    name: str

    @property
    def is_gpu(self) -> bool:
        """Whether it is a CUDA device."""
        return self.where.type == "cuda"

    def free_bytes(self) -> int:
        """Free memory of the GPU in bytes."""
        free, _ = torch.cuda.mem_get_info(self.where)
        return int(free)

    def free_cache(self) -> None:
        """Free the memory that torch caches."""
        if self.is_gpu:
            torch.cuda.empty_cache()

    def share_products(self, threads: int) -> None:
        """On a CPU, set the number of threads for each operation."""
        if not self.is_gpu and torch.get_num_threads() != threads:
            torch.set_num_threads(threads)

    def random_state(self) -> list[torch.Tensor]:
        """The state of torch's generators, the CPU's first."""
        states = [torch.get_rng_state()]
        return [*states, torch.cuda.get_rng_state(self.where)] if self.is_gpu else states

    def set_random_state(self, states: list[torch.Tensor]) -> None:
        """Restore what `random_state` returned; a state from a CPU leaves the GPU's unchanged."""
        torch.set_rng_state(states[0])
        if self.is_gpu and len(states) > 1:
            torch.cuda.set_rng_state(states[1], self.where)

    def peak_bytes(self) -> int:
        """Peak memory in bytes: allocated on the GPU, or resident in this process."""
        if self.is_gpu:
            return int(torch.cuda.max_memory_allocated(self.where))
        # Kibibytes, but on macOS bytes.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def choose_device(model: Model) -> Device:
    """The GPU if there is one, else the CPU.

    Raises:
        MissingError: The model needs a GPU and there is none.
    """
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), torch.bfloat16, torch.cuda.get_device_name())
    if model.needs_gpu:
        raise MissingError(
            f"{model.name} needs a CUDA GPU, but torch {torch.__version__} finds none "
            f"(CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')}). `--edition "
            "mini` runs on any machine."
        )
    return Device(torch.device("cpu"), torch.float32, "cpu")


def available_threads() -> int:
    """OMP_NUM_THREADS if set, else the number of cores available to this process."""
    given = os.environ.get("OMP_NUM_THREADS", "")
    return int(given) if given.isdigit() and int(given) > 0 else cores()
