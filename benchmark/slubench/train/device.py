"""The device a run trains on: its number type, its threads, and how much it may hold at once."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from typing import Any

import torch

from slubench.errors import MissingError
from slubench.model import Model


@dataclass(frozen=True)
class Device:
    """Where a run trains.

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
        """Give back what torch holds in reserve."""
        if self.is_gpu:
            torch.cuda.empty_cache()

    def random_state(self) -> list[torch.Tensor]:
        """The state of torch's generators, the CPU's first."""
        states = [torch.get_rng_state()]
        return [*states, torch.cuda.get_rng_state(self.where)] if self.is_gpu else states

    def set_random_state(self, states: list[torch.Tensor]) -> None:
        """Put back what `random_state` gave; the GPU's is left where a CPU gave it."""
        torch.set_rng_state(states[0])
        if self.is_gpu and len(states) > 1:
            torch.cuda.set_rng_state(states[1], self.where)

    def peak_bytes(self) -> int:
        """The most memory that was held, in bytes: allocated on the GPU, or resident in this process."""
        if self.is_gpu:
            return int(torch.cuda.max_memory_allocated(self.where))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def choose_device(model: Model) -> Device:
    """The GPU where there is one, else the CPU.

    Raises:
        MissingError: The model needs a GPU and there is none.
    """
    if torch.cuda.is_available():
        return Device(torch.device("cuda"), torch.bfloat16, torch.cuda.get_device_name())
    if model.needs_gpu:
        raise MissingError(
            f"{model.name} needs a CUDA GPU and torch {torch.__version__} finds none"
            f" (CUDA_VISIBLE_DEVICES={os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')})."
            " Meanwhile `--edition mini` runs on any machine."
        )
    return Device(torch.device("cpu"), torch.float32, "cpu")


def use_threads() -> int:
    """Use OMP_NUM_THREADS threads where that is set, else as many as this process may run on cores."""
    threads = int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))
    torch.set_num_threads(threads)
    return threads


def bytes_a_token(config: Any, *, checkpointing: bool) -> int:
    """A rough upper estimate of the memory that one token of a micro-batch takes on a GPU, in bytes.

    Counted in bfloat16 elements a layer and token: about 16 of the hidden size and 6 of the intermediate
    size are kept for the backward pass; with gradient checkpointing one hidden state a layer and the whole
    of one layer. Half of the tokens are taken to be reply, whose logits are held in bfloat16 and twice in
    float32.
    """
    text = config.get_text_config()
    layer = (16 * text.hidden_size + 6 * text.intermediate_size) * 2
    layers = text.num_hidden_layers
    body = layers * text.hidden_size * 2 + layer if checkpointing else layers * layer
    return int(body + text.vocab_size * 10 // 2)
