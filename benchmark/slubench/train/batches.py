"""Turns examples into tensors: tokens, labels on the reply alone, and micro-batches with little padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.domain.prompt import render
from slubench.errors import DataError
from slubench.train.encoder_cache import AudioEncoder
from slubench.train.read_examples import TrainExample

IGNORED = -100


@dataclass(frozen=True)
class EncodedExample:
    """An example as token ids.

    Attributes:
        source: The example.
        prompt: Ids of the prompt, each clip as often the audio token as it has audio tokens.
        reply: Ids of the target and of what ends the reply.
    """

    source: TrainExample
    prompt: tuple[int, ...]
    reply: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.reply)

    @property
    def weight(self) -> float:
        """The weight of its whole reply: reply tokens times the example's weight."""
        return len(self.reply) * self.source.weight


def encode(
    examples: Sequence[TrainExample],
    model: Model,
    family: Family,
    processor: Any,
    audio_token: int,
    hearing: AudioEncoder,
) -> list[EncodedExample]:
    """Tokenise examples as in serving: the prompt alone, then the reply.

    Args:
        examples: What is learnt.
        model: Gives the prompt.
        family: Tells how its tokenizer reads a prompt.
        processor: The model's own.
        audio_token: Id of the token that stands for audio.
        hearing: Tells how many audio tokens a clip becomes.

    Raises:
        DataError: A text holds the audio placeholder.
    """
    prompts = family.tokenize(processor, [render(model, example.parts) for example in examples])
    targets = [example.target + model.prompt.end for example in examples]
    replies = family.tokenize_reply(processor, targets)
    encoded = []
    for example, prompt, reply in zip(examples, prompts, replies, strict=True):
        clips = iter(example.clips)
        if prompt.count(audio_token) != len(example.clips):
            raise DataError(
                f"The text of utterance {example.utterance} ({example.language}) contains the "
                f"model's audio placeholder, as in {model.prompt.audio!r}. Remove it from the "
                "corpus."
            )
        ids: list[int] = []
        for token in prompt:
            ids.extend([token] * hearing.count(next(clips)) if token == audio_token else [token])
        encoded.append(EncodedExample(example, tuple(ids), tuple(reply)))
    return encoded


def arrange(encoded: Sequence[EncodedExample], tokens: int, most: int = 0) -> list[list[EncodedExample]]:
    """Sort by length and cut into micro-batches of at most `tokens` tokens, padding included.

    An example longer than that is a micro-batch of its own.

    Args:
        encoded: The examples.
        tokens: Most tokens of a micro-batch.
        most: Most examples of a micro-batch; 0 for any number.
    """
    batches: list[list[EncodedExample]] = []
    for example in sorted(encoded, key=len, reverse=True):
        # Sorted from the longest on, the first of a micro-batch sets its width.
        fits = batches and len(batches[-1][0]) * (len(batches[-1]) + 1) <= tokens
        if fits and not 0 < most <= len(batches[-1]):
            batches[-1].append(example)
        else:
            batches.append([example])
    return batches


def collate(encoded: Sequence[EncodedExample], pad: int, device: torch.device) -> dict[str, torch.Tensor]:
    """Pad on the right, so that causal attention never sees padding.

    Returns:
        `input_ids`, `attention_mask` and `labels` of shape (examples, longest), `labels` being -100 on all
        but the reply; `weights` of shape (examples,).
    """
    longest = max(map(len, encoded))
    ids = torch.full((len(encoded), longest), pad)
    mask = torch.zeros((len(encoded), longest), dtype=torch.long)
    labels = torch.full((len(encoded), longest), IGNORED)
    for row, example in enumerate(encoded):
        start, end = len(example.prompt), len(example)
        ids[row, :end] = torch.tensor(example.prompt + example.reply)
        mask[row, :end] = 1
        labels[row, start:end] = ids[row, start:end]
    weights = torch.tensor([example.source.weight for example in encoded])
    batch = {"input_ids": ids, "attention_mask": mask, "labels": labels, "weights": weights}
    return {name: tensor.to(device, non_blocking=True) for name, tensor in batch.items()}
