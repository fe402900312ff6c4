"""Where speech and text part under an adapter trained on text; the gap in docs/history/mini.md.

``python -m tools.mini.model.parting --checkpoint DIR --state DIR`` trains the probe's adapter on German
commands and prints how often the intent, and the whole reply, are its likeliest tokens when its input is put
together in different ways. ``--state`` is a folder of pretraining, whose scaffold aligns frames.
"""

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from tools.mini.model import losses
from tools.mini.model.architecture import load
from tools.mini.model.batches import (
    BatchLayout,
    ClipPool,
    MixRecipe,
    PretrainClip,
    Questions,
    audio_token,
    lay_out,
)
from tools.mini.model.features import FEATURES
from tools.mini.model.forward import hear, think
from tools.mini.model.gap import INSTRUCTION, GapProbe, fine_tune, lessons_of, target
from tools.mini.model.instructions import Instructed
from tools.mini.model.materials import draw, from_row, surroundings
from tools.mini.model.objective import Listening, answer_logits, compare
from tools.mini.model.state import resume


def inputs(
    model: Any, listening: Listening, questions: Questions, audio: int, pad: int
) -> Iterator[tuple[str, Tensor, BatchLayout]]:
    """Give each way of putting the input together: its name, embeddings and layout.

    Text as it is; speech as it is heard; speech whose frames of tokens, of blanks, or all are replaced by
    what they stand for; and the frames of tokens alone, as heard and replaced.
    """
    embed = model.model.language_model.embed_tokens
    spelling = (listening.aligned != losses.NO_TOKEN) & listening.inside
    at = spelling[:, :, None]
    heard, wanted = listening.embeddings, listening.wanted

    def spoken(audible: Tensor, frames: Tensor) -> tuple[Tensor, BatchLayout]:
        layout = lay_out(questions, frames.sum(1).tolist(), audio, pad)
        places = (layout.ids == audio)[:, :, None]
        return embed(layout.ids).masked_scatter(places, audible[frames]), layout

    written = lay_out(questions, None, audio, pad)
    yield "text", embed(written.ids), written
    yield "speech", *spoken(heard, listening.inside)
    yield "speech, tokens replaced", *spoken(torch.where(at, wanted, heard), listening.inside)
    yield "speech, blanks replaced", *spoken(torch.where(at, heard, wanted), listening.inside)
    yield "speech, all replaced", *spoken(wanted, listening.inside)
    yield "tokens alone", *spoken(heard, spelling)
    yield "tokens alone, replaced", *spoken(wanted, spelling)


def right(
    model: Any, embeddings: Tensor, layout: BatchLayout, questions: Questions, opening: Sequence[int]
) -> list[tuple[bool, bool]]:
    """Say of each sample whether its ``opening`` reply tokens, and whether all, are the likeliest ones."""
    logits, answers = answer_logits(model, think(model, embeddings), layout, questions.turn)
    lengths = layout.inside[:, questions.turn :].sum(1).tolist()
    hits = torch.split(logits.argmax(-1) == answers, lengths)
    return [(bool(hit[:first].all()), bool(hit.all())) for hit, first in zip(hits, opening, strict=True)]


def measure(
    checkpoint: Path, state: Path, clips: Sequence[PretrainClip], plan: GapProbe
) -> Mapping[str, Any]:
    """Train the probe's adapter on text and measure every way, and how near frames are to what is wanted."""
    training = resume(state, 0)
    model, processor = load(checkpoint)
    adapted = fine_tune(model, processor, lessons_of("de", plan), "text", plan)
    inner, tokenizer = adapted.get_base_model(), processor.tokenizer
    recipe = MixRecipe(tokenizer, training.symbols, surroundings(), from_row, draw)
    audio, pad = audio_token(tokenizer), int(tokenizer.pad_token_id)
    found: dict[str, list[tuple[bool, bool]]] = {}
    near: dict[str, list[float]] = {"tokens": [], "blanks": []}
    for start in range(0, len(clips), 30):
        part = clips[start : start + 30]
        wanted = [target(from_row(clip.row)) for clip in part]
        asked = [(str(c.row["text"]), Instructed(INSTRUCTION, t)) for c, t in zip(part, wanted, strict=True)]
        questions = recipe.laid(asked)
        heads = [text.split(',"entities"')[0] for text in wanted]
        opening = [len(ids) for ids in tokenizer(heads, add_special_tokens=False)["input_ids"]]
        sounds = recipe.sounds(part, Random(0), augmented=False)
        with torch.no_grad():
            heard = hear(inner, sounds.mels, sounds.frames)
            listening, _ = compare(inner, training.scaffold, heard, sounds)
            for name, embeddings, layout in inputs(inner, listening, questions, audio, pad):
                found.setdefault(name, []).extend(right(inner, embeddings, layout, questions, opening))
        cosines = F.cosine_similarity(listening.embeddings, listening.wanted, dim=-1)
        spelling = listening.aligned != losses.NO_TOKEN
        near["tokens"] += cosines[listening.inside & spelling].tolist()
        near["blanks"] += cosines[listening.inside & ~spelling].tolist()
    ways = {
        name: {
            kind: round(sum(hit[at] for hit in hits) / len(hits), 3)
            for at, kind in enumerate(("intent", "all"))
        }
        for name, hits in found.items()
    }
    return ways | {"cosine": {name: round(sum(v) / len(v), 3) for name, v in near.items()}}


def main() -> None:
    """Print what was measured, a line a way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--dropout", type=float, default=GapProbe.dropout)
    options = parser.parse_args()
    commands = [c for c in ClipPool(FEATURES, "dev-de-*.parquet").clips() if from_row(c.row).scenario]
    plan = replace(GapProbe(), passes=options.passes, dropout=options.dropout)
    for name, values in measure(options.checkpoint, options.state, commands, plan).items():
        print(json.dumps({name: values}), flush=True)


if __name__ == "__main__":
    main()
