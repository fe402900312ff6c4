"""What one batch of pretraining costs: the parts of the loss, each by its name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import Qwen2AudioForConditionalGeneration

from tools.mini.model import losses
from tools.mini.model.architecture import WIDTH
from tools.mini.model.batches import BatchLayout, Questions, Sounds, lay_out
from tools.mini.model.forward import Adapters, Heard, Thought, hear, think

Parts = dict[str, Tensor]
ALL_PSEUDO: Final = 0.10
SPAN_PSEUDO: Final = 0.20


class Scaffold(nn.Module):
    """What pretraining needs beside the model, and leaves behind: blank, scale and the phoneme head."""

    def __init__(self, symbols: int) -> None:
        """Make a phoneme head for ``symbols`` phonetic symbols and the blank."""
        super().__init__()
        self.blank = nn.Parameter(torch.randn(WIDTH) * 0.06)
        self.log_scale = nn.Parameter(torch.tensor(2.5))
        self.phonemes = nn.Linear(WIDTH, symbols + 1)

    @property
    def scale(self) -> Tensor:
        """The factor on cosines, at most 40 so that the softmax stays soft."""
        return self.log_scale.exp().clamp(max=40.0)


class Listening(NamedTuple):
    """What was heard in a batch, in the space of token embeddings."""

    embeddings: Tensor
    tokens: Tensor
    inside: Tensor
    wanted: Tensor
    """(clips, audio tokens, width): what each should be: its token's embedding, or the blank's."""
    aligned: Tensor
    """(clips, audio tokens): the place in the sentence of the token that an embedding stands for."""


@dataclass(frozen=True)
class Weights:
    """The weight of each part of the loss; what a batch lacks counts nothing."""

    parts: Mapping[str, float]

    def total(self, parts: Parts) -> Tensor:
        """Give the weighted sum of ``parts``."""
        return torch.stack([self.parts.get(name, 0.0) * value for name, value in parts.items()]).sum()


def listen(
    model: Qwen2AudioForConditionalGeneration, scaffold: Scaffold, sounds: Sounds
) -> tuple[Listening, Parts]:
    """Hear a batch and give the losses that need no language model (see ``compare``)."""
    return compare(model, scaffold, hear(model, sounds.mels, sounds.frames), sounds)


def compare(
    model: Qwen2AudioForConditionalGeneration, scaffold: Scaffold, heard: Heard, sounds: Sounds
) -> tuple[Listening, Parts]:
    """Hold what was heard against what was said: two CTCs, and length and direction of the embeddings."""
    with torch.autocast("cpu", enabled=False):
        embeddings = heard.embeddings.float()
        codes = losses.codebook(scaffold.blank, model.model.language_model.embed_tokens.weight)
        logits = losses.embedding_logits(embeddings, codes, scaffold.scale)
        log_probabilities = F.log_softmax(logits, dim=-1)
        phonemes = F.log_softmax(scaffold.phonemes(heard.middle.float()), dim=-1)
        inside = torch.arange(embeddings.shape[1])[None, :] < heard.tokens[:, None]
        places = losses.align(log_probabilities.detach(), heard.tokens, sounds.tokens)
        aligned = torch.from_numpy(places)
        wanted = _wanted(codes, aligned, sounds.tokens)
        spelling = aligned != losses.NO_TOKEN
        parts = {
            "bpe": losses.ctc(log_probabilities, heard.tokens, sounds.tokens),
            "phoneme": losses.ctc(phonemes, heard.positions, sounds.phonemes),
            "norm": losses.norm_gap(embeddings, inside, codes[1:]),
            "cosine": losses.cosine_gap(embeddings, wanted, inside & spelling, inside & ~spelling),
        }
    return Listening(embeddings, heard.tokens, inside, wanted, aligned), parts


def read(model: Qwen2AudioForConditionalGeneration, questions: Questions, audio: int, pad: int) -> Parts:
    """Read written questions: cross-entropy of the answers, and of the sentences themselves."""
    layout = lay_out(questions, None, audio, pad)
    thought = think(model, model.model.language_model.embed_tokens(layout.ids))
    rows = [r for r, content in enumerate(questions.contents) for _ in content]
    places = [
        len(head) - 1 + place
        for head, content in zip(questions.heads, questions.contents, strict=True)
        for place in range(len(content))
    ]
    plain = model.lm_head(thought.last[rows, places]).float()
    words = torch.tensor([token for content in questions.contents for token in content])
    return {
        "written": F.cross_entropy(*answer_logits(model, thought, layout, questions.turn)),
        "plain": F.cross_entropy(plain, words),
    }


def hear_and_read(
    model: Qwen2AudioForConditionalGeneration,
    listening: Listening,
    questions: Questions,
    rng: Random,
    audio: int,
    pad: int,
    adapters: Adapters | None = None,
) -> Parts:
    """Answer the same questions twice, heard and read, and give both losses and what parts the two.

    With ``adapters`` the language model answers under them; what is read is then the target alone.
    """
    embed = model.model.language_model.embed_tokens
    aligned = listening.aligned
    lengths = listening.tokens.tolist()
    pseudo = _pseudo(lengths, aligned.shape[1], rng)
    audible = torch.where(pseudo[:, :, None], listening.wanted, listening.embeddings)

    spoken_layout = lay_out(questions, lengths, audio, pad)
    embedded = embed(spoken_layout.ids)
    spoken_embeddings = embedded.masked_scatter(
        (spoken_layout.ids == audio)[:, :, None], audible[listening.inside].to(embedded.dtype)
    )
    spoken = think(model, spoken_embeddings, adapters)
    spoken_logits, answers = answer_logits(model, spoken, spoken_layout, questions.turn)
    written_layout = lay_out(questions, None, audio, pad)
    with torch.set_grad_enabled(adapters is None):
        written = think(model, embed(written_layout.ids), adapters)
        written_logits, _ = answer_logits(model, written, written_layout, questions.turn)
    tails = spoken_layout.inside
    rows, frames = torch.nonzero(aligned != losses.NO_TOKEN, as_tuple=True)
    heads = torch.tensor([len(head) for head in questions.heads])
    return {
        "spoken": F.cross_entropy(spoken_logits, answers),
        "written": F.cross_entropy(written_logits, answers),
        "tail": losses.state_gap(
            [_gathered(layer, spoken_layout.tail)[tails] for layer in spoken.layers],
            [_gathered(layer, written_layout.tail)[tails] for layer in written.layers],
        ),
        "utterance": losses.state_gap(
            [layer[rows, heads[rows] + frames] for layer in spoken.layers],
            [layer[rows, heads[rows] + aligned[rows, frames]] for layer in written.layers],
        ),
        "divergence": losses.divergence(written_logits, spoken_logits),
    }


def _wanted(codes: Tensor, aligned: Tensor, tokens: Sequence[Sequence[int]]) -> Tensor:
    """Give the embedding of the token, or of the blank, that each frame stands for."""
    classes = torch.zeros_like(aligned)
    for row, sentence in enumerate(tokens):
        symbols = torch.tensor([losses.BLANK, *(token + 1 for token in sentence)])
        classes[row] = symbols[aligned[row] + 1]
    length = codes[1:].detach().norm(dim=-1).mean()
    blank = F.normalize(codes[:1], dim=-1) * length
    return torch.cat([blank, codes[1:]])[classes]


def _pseudo(lengths: list[int], longest: int, rng: Random) -> Tensor:
    """Say which frames are replaced: all of a clip, a stretch of it, or none."""
    chosen = torch.zeros(len(lengths), longest, dtype=torch.bool)
    for row, length in enumerate(lengths):
        draw = rng.random()
        if draw < ALL_PSEUDO:
            chosen[row] = True
        elif draw < ALL_PSEUDO + SPAN_PSEUDO:
            start = rng.randrange(length)
            chosen[row, start : start + rng.randint(1, length)] = True
    return chosen


def _gathered(layer: Tensor, places: Tensor) -> Tensor:
    return layer.gather(1, places[:, :, None].expand(-1, -1, layer.shape[-1]))


def answer_logits(
    model: Qwen2AudioForConditionalGeneration, thought: Thought, layout: BatchLayout, turn: int
) -> tuple[Tensor, Tensor]:
    """Give the logits of all answer positions, (positions, vocabulary), and the tokens that stand there."""
    inside = layout.inside[:, turn:]
    states = _gathered(thought.last, layout.tail[:, turn - 1 : -1])[inside]
    tokens = layout.ids.gather(1, layout.tail[:, turn:])[inside]
    return model.lm_head(states).float(), tokens
