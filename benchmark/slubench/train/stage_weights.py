"""The weights at the end of stages, from which later stages begin, and their mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from slubench.errors import SlubenchError
from slubench.runtime.files import replacing
from slubench.runtime.jobs import StageJob

BASE = 0
"""Stands for the weights before any stage."""


@dataclass(frozen=True)
class StageWeights:
    """The weights that a run's stages ended with, a file each, as far as later stages begin from them.

    Attributes:
        folder: Where they are kept until the run has ended.
        stages: The run's stages.
        learnable: All that learns on the track, by parameter name.
    """

    folder: Path
    stages: Sequence[StageJob]
    learnable: Mapping[str, nn.Parameter]

    def keep(self, number: int) -> None:
        """Keep the present weights as those of a stage, if one begins from them.

        Args:
            number: Of the stage, from 1; 0 before the first.
        """
        if any(number in self._begins_from(stage) for stage in self.stages):
            self.folder.mkdir(parents=True, exist_ok=True)
            with replacing(self._file(number)) as temporary:
                weights = {name: one.detach().contiguous() for name, one in self.learnable.items()}
                save_file(weights, temporary)

    def begin(self, stage: StageJob) -> None:
        """Load what a stage begins from; a stage that goes on from the one before keeps the weights."""
        numbers = self._begins_from(stage)
        if numbers:
            found = [self._load(number) for number in numbers]
            weights = found[0] if stage.start is not None else mean_change(found)
            with torch.no_grad():
                for name, parameter in self.learnable.items():
                    parameter.copy_(weights[name])

    def _begins_from(self, stage: StageJob) -> tuple[int, ...]:
        return (stage.start,) if stage.start is not None else stage.average

    def _load(self, number: int) -> dict[str, Tensor]:
        path = self._file(number)
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise SlubenchError(
                f"The weights of stage {number} in {path} cannot be read ({error}). Delete"
                f" {self.folder} and run the same command again; it trains all stages anew."
            ) from None

    def _file(self, number: int) -> Path:
        return self.folder / f"stage-{number:02d}"


def mean_change(several: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The mean of what several trainings changed in a model's weights.

    What learns whole is averaged. LoRA's change of a weight is the product of its two matrices, and the mean
    of products is not the product of the means: it is computed, and cut to the rank by its singular values.
    """
    averaged: dict[str, Tensor] = {}
    for name in several[0]:
        if ".lora_A." in name:
            other = name.replace(".lora_A.", ".lora_B.")
            averaged[name], averaged[other] = _mean_product([(one[name], one[other]) for one in several])
        elif ".lora_B." not in name:
            averaged[name] = torch.stack([one[name].float() for one in several]).mean(0).to(several[0][name])
    return averaged


def _mean_product(pairs: Sequence[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """Matrices A and B of the same rank whose product B A is nearest to the mean of the products."""
    rank = len(pairs[0][0])
    left = torch.cat([b.float() for _, b in pairs], dim=1) / len(pairs)
    right = torch.cat([a.float() for a, _ in pairs], dim=0)
    # The mean is left @ right, of a rank of at most all ranks together: its singular vectors come from two
    # small decompositions, and the large product is never formed.
    left_basis, left_rest = torch.linalg.qr(left)
    right_basis, right_rest = torch.linalg.qr(right.T)
    u, values, v = torch.linalg.svd(left_rest @ right_rest.T)
    roots = values[:rank].sqrt()
    b = left_basis @ u[:, :rank] * roots
    a = roots[:, None] * (v[:rank] @ right_basis.T)
    return a.to(pairs[0][0]), b.to(pairs[0][1])
