"""What the tests of shipped families share: small checkpoints, adapters of them, and jobs that ask them."""

from __future__ import annotations

import dataclasses
import importlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import torch
from numpy.typing import NDArray
from peft import LoraConfig, get_peft_model

from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.domain.prompt import ClipRef, to_rows
from slubench.registry import Registry
from slubench.registry.families import family_of
from slubench.registry.weights import choose_model
from slubench.schemas import REQUESTS
from slubench.serve.transformers_engine import load
from tests.serve.serving_jobs import ServingJobs
from tests.serve.tiny_checkpoints import sentence

SECONDS = (0.4, 1.0, 1.7, 2.3, 3.1, 4.0, 12.0, 29.0, 35.0)


def checkpoint_of(name: str, folder: Path) -> Path:
    """A random checkpoint of a family, with a processor and tokenizer of its own kind."""
    built: Path = importlib.import_module(f"tests.families.random_{name}").build(folder / name)
    return built


def declared(checkpoint: Path) -> tuple[Model, Family]:
    """The model that a checkpoint's folder is, as a user names it."""
    model = choose_model(str(checkpoint), Registry())
    return dataclasses.replace(model, reply_tokens=24), family_of(model.family)


def sound(seconds: float) -> NDArray[np.float32]:
    """Gliding tones with noise, of any length."""
    rng = np.random.default_rng(int(seconds * 10))
    time = np.arange(int(seconds * 16_000)) / 16_000
    tones = rng.uniform(100, 3000, 4)[:, None] * (1 + 0.2 * np.sin(3 * time))[None, :]
    made = 0.1 * np.sin(2 * np.pi * tones * time).sum(axis=0) + 0.02 * rng.standard_normal(len(time))
    return np.asarray(made, dtype=np.float32)


def adapt(folder: Path, checkpoint: Path, *, seed: int, **lora: Any) -> Path:
    """Write an adapter with random weights that change what the checkpoint says."""
    model, family = declared(checkpoint)
    torch.manual_seed(seed)
    base = load(checkpoint, "cpu", torch.float32, family)
    options: dict[str, Any] = {"r": 4, "lora_alpha": 8, "target_modules": model.lora_modules} | lora
    adapted = get_peft_model(base, LoraConfig(**options))
    with torch.no_grad():
        for name, weight in adapted.named_parameters():
            if "lora_B" in name or "modules_to_save" in name:
                weight.add_(torch.randn_like(weight) * 0.2)
    adapted.save_pretrained(str(folder), save_embedding_layers=False)
    return folder


def desk_of(checkpoint: Path, folder: Path) -> ServingJobs:
    """Spoken requests of all lengths and written ones to ask a checkpoint."""
    desk = ServingJobs(folder, declared(checkpoint)[0])
    rows = []
    for seconds in SECONDS:
        file = io.BytesIO()
        soundfile.write(file, sound(seconds), 16_000, format="WAV")
        clip = ClipRef(desk.clips.add(file.getvalue()))
        rows.append({"utterance": f"{seconds:g}s", "input": "speech", "parts": to_rows([clip])})
    rows += [{"utterance": f"t{i}", "input": "text", "parts": to_rows([sentence(i)])} for i in range(8)]
    pq.write_table(pa.Table.from_pylist(rows, schema=REQUESTS), desk.questions)
    return desk
