"""Surrogate adapters: low-rank changes of the language model, trained on text, under which speech is matched.

What a text-trained adapter changes should change for speech too; where speech and text are matched under the
bare model alone, an adapter finds ways to tell them apart. A surrogate learns an invented task (MASSIVE's
names, all of them permuted, under keys of its own) from written sentences. Surrogates train the very property
that the benchmark measures, so the model's card discloses them (docs/mini.md).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen2AudioForConditionalGeneration

from tools.mini.model.batches import MixRecipe, Questions, lay_out
from tools.mini.model.forward import Adapters, think
from tools.mini.model.instructions import Instructed, Material, Surroundings
from tools.mini.model.objective import answer_logits

RANK: Final = 16
SCALE: Final = 2.0
RATE: Final = 5e-3
STEPS: Final = 250
BATCH: Final = 16
WARMUP: Final = 0.05
KEYS: Final = tuple("area deed pieces field step bits realm move shreds zone act cuts".split())
"""Keys of the invented replies, none of them the benchmark's."""


@dataclass(frozen=True)
class Surrogate:
    """An adapter and the invented task that it was trained on."""

    adapters: Adapters
    keys: tuple[str, str, str]
    names: Mapping[str, str]
    """MASSIVE's name -> the name that stands for it here, never its own."""

    def ask(self, material: Material) -> Instructed:
        """Put the invented task to a sentence."""
        area, deed, pieces = self.keys
        found = [{self.names[slot]: filler} for slot, filler in material.entities]
        reply = {
            area: self.names.get(material.scenario, "none"),
            deed: self.names.get(material.action, "none"),
            pieces: found,
        }
        text = json.dumps(reply, ensure_ascii=False, separators=(",", ":"))
        return Instructed(f"Give {area}, {deed} and {pieces} as JSON.", text)


def invent(model: Qwen2AudioForConditionalGeneration, around: Surroundings, rng: Random) -> Surrogate:
    """Draw an invented task and an adapter that changes nothing yet."""
    labels = list(around.labels)
    shift = rng.randrange(1, len(labels))
    order = rng.sample(labels, len(labels))
    names = {label: order[(place + shift) % len(order)] for place, label in enumerate(order)}
    area, deed, pieces = rng.sample(KEYS, 3)
    draw = torch.Generator().manual_seed(rng.getrandbits(32))
    adapters: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    for layer in model.model.language_model.layers:
        for linear in (m for m in layer.modules() if isinstance(m, nn.Linear)):
            bound = linear.in_features**-0.5
            down = torch.empty(linear.in_features, RANK).uniform_(-bound, bound, generator=draw) * SCALE
            adapters[linear] = (down, torch.zeros(RANK, linear.out_features))
    return Surrogate(adapters, (area, deed, pieces), names)


def teach(
    model: Qwen2AudioForConditionalGeneration, recipe: MixRecipe, rng: Random, audio: int, pad: int
) -> Surrogate:
    """Train a new surrogate on written sentences; the model itself stays as it is."""
    surrogate = invent(model, recipe.around, rng)
    learnt = [half.requires_grad_() for pair in surrogate.adapters.values() for half in pair]
    optimizer = torch.optim.AdamW(learnt, weight_decay=0.0, fused=True)
    for step in range(STEPS):
        done = (step + 1) / STEPS
        optimizer.param_groups[0]["lr"] = RATE * min(done / WARMUP, (1 - done) / (1 - WARMUP))
        materials = [recipe.sentence(rng) for _ in range(BATCH)]
        questions = recipe.laid([(m.text, surrogate.ask(m)) for m in materials])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = _loss(model, surrogate, questions, audio, pad)
        found = torch.autograd.grad(loss, learnt)
        for half, gradient in zip(learnt, found, strict=True):
            half.grad = gradient
        optimizer.step()
    for half in learnt:
        half.requires_grad_(False)
        half.grad = None
    return surrogate


def _loss(
    model: Qwen2AudioForConditionalGeneration,
    surrogate: Surrogate,
    questions: Questions,
    audio: int,
    pad: int,
) -> Tensor:
    layout = lay_out(questions, None, audio, pad)
    thought = think(model, model.model.language_model.embed_tokens(layout.ids), surrogate.adapters)
    return F.cross_entropy(*answer_logits(model, thought, layout, questions.turn))
