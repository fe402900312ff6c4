"""A pretraining run on disk: what is needed to go on, and the model as it stands."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerFast, Qwen2AudioForConditionalGeneration

from tools.mini.model.architecture import build, grow, load, save
from tools.mini.model.objective import Scaffold

STATE: Final = "state.pt"
TOKENIZER: Final = "tokenizer"
SYMBOLS: Final = "symbols.json"


@dataclass
class Training:
    """All that changes while training goes on; ranks hold the same."""

    tokenizer: PreTrainedTokenizerFast
    symbols: str
    model: Qwen2AudioForConditionalGeneration
    scaffold: Scaffold
    optimizer: torch.optim.AdamW
    gradients: Tensor
    """All gradients in one row, so that ranks exchange and clip them at once."""
    step: int = 0


def begin(tokenizer: PreTrainedTokenizerFast, symbols: str, seed: int) -> Training:
    """Set up a training at step 0."""
    model = build(tokenizer, seed)
    scaffold = Scaffold(len(symbols))
    model.model.audio_tower.embed_positions.weight.requires_grad_(False)
    learnt = [p for part in (model, scaffold) for p in part.parameters() if p.requires_grad]
    embeddings = {id(model.model.language_model.embed_tokens.weight)}
    decayed = [p for p in learnt if p.ndim > 1 and id(p) not in embeddings]
    free = [p for p in learnt if p.ndim <= 1 or id(p) in embeddings]
    optimizer = torch.optim.AdamW(
        [{"params": decayed, "weight_decay": 0.02}, {"params": free, "weight_decay": 0.0}],
        betas=(0.9, 0.98),
        fused=True,
    )
    return Training(tokenizer, symbols, model, scaffold, optimizer, _shared_gradients(learnt))


def grow_from(training: Training, checkpoint: Path) -> None:
    """Take over the weights of an exported ``checkpoint`` of the same tokenizer (see ``grow``)."""
    smaller, _ = load(checkpoint)
    grow(training.model, smaller)


def store(training: Training, folder: Path) -> None:
    """Write the state under a temporary name and rename it: what is there is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    state: dict[str, Any] = {
        "model": training.model.state_dict(),
        "scaffold": training.scaffold.state_dict(),
        "optimizer": training.optimizer.state_dict(),
        "step": training.step,
    }
    part = folder / f"{STATE}.part"
    torch.save(state, part)
    part.rename(folder / STATE)


def prepare(folder: Path, tokenizer: PreTrainedTokenizerFast, symbols: str) -> None:
    """Write what stays the same through a training: tokenizer and phonetic symbols."""
    tokenizer.save_pretrained(folder / TOKENIZER)
    (folder / SYMBOLS).write_text(json.dumps(symbols, ensure_ascii=False), encoding="utf-8")


def resume(folder: Path, seed: int) -> Training:
    """Take a training up where ``folder`` has it; at step 0 where no state is stored yet."""
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder / TOKENIZER)
    symbols = json.loads((folder / SYMBOLS).read_text(encoding="utf-8"))
    training = begin(tokenizer, symbols, seed)
    if (folder / STATE).exists():
        state = torch.load(folder / STATE, weights_only=True)
        training.model.load_state_dict(state["model"])
        training.scaffold.load_state_dict(state["scaffold"])
        training.optimizer.load_state_dict(state["optimizer"])
        training.step = state["step"]
    return training


def export(checkpoint: Path, out: Path) -> None:
    """Write the model of a training's ``checkpoint`` folder as a plain ``from_pretrained`` directory.

    Raises:
        FileNotFoundError: The folder holds no stored state yet.
    """
    if not (checkpoint / STATE).exists():
        raise FileNotFoundError(f"{checkpoint / STATE}: no state is stored yet; let pretraining run on")
    training = resume(checkpoint, seed=0)
    save(training.model, training.tokenizer, out)


def _shared_gradients(parameters: list[nn.Parameter]) -> Tensor:
    row = torch.zeros(sum(p.numel() for p in parameters))
    start = 0
    for parameter in parameters:
        parameter.grad = row[start : start + parameter.numel()].view_as(parameter)
        start += parameter.numel()
    return row
