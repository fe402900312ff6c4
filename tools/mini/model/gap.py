"""How much of what fine-tuning on text teaches is there on speech: the figure on which the model is frozen.

Adapters learn the benchmark's task from written commands alone, from the same commands spoken, or not at all,
and are asked spoken and written commands of the dev set. All sentences are of the pretraining part.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final, Literal

import torch
from peft import LoraConfig, get_peft_model
from torch.nn import functional as F
from transformers import Qwen2AudioProcessor

from tools.mini.model.answers import KNOWN, answer, recordings
from tools.mini.model.architecture import load
from tools.mini.model.batches import ClipPool, MixRecipe, PretrainClip, Questions, audio_token, lay_out
from tools.mini.model.features import FEATURES
from tools.mini.model.forward import hear, think
from tools.mini.model.instructions import Instructed, Material
from tools.mini.model.materials import draw, from_row, surroundings

INSTRUCTION: Final = "Give scenario, action and entities as JSON."
"""The benchmark's instruction: pretraining never sees it."""
LANGUAGE_MODEL: Final = r".*language_model\.layers\.\d+\.(self_attn\.(q|k|v|o)_proj|mlp\.(gate|up|down)_proj)"
Learns = Literal["nothing", "text", "speech"]


@dataclass(frozen=True)
class GapProbe:
    """How the probe fine-tunes."""

    train_set: int = 1500
    passes: int = 6
    batch: int = 16
    rate: float = 5e-3
    rank: int = 16
    alpha: int = 32
    dropout: float = 0.2
    warmup: float = 0.05
    seed: int = 0


def target(material: Material) -> str:
    """Give the benchmark's reply for a command."""
    entities = [{slot: filler} for slot, filler in material.entities]
    reply = {"scenario": material.scenario, "action": material.action, "entities": entities}
    return json.dumps(reply, ensure_ascii=False, separators=(",", ":"))


def probe(checkpoint: Path, speech: Path, language: str, plan: GapProbe) -> Iterator[dict[str, str | float]]:
    """Fine-tune on nothing, text and speech; give each one's scores on spoken and written dev commands."""
    heard = [r for r in recordings(speech, KNOWN, language) if from_row(r.row).scenario]
    wanted = [from_row(r.row) for r in heard]
    train_set = lessons_of(language, plan)
    for learns in ("nothing", "text", "speech"):
        model, processor = load(checkpoint)
        if learns != "nothing":
            model = fine_tune(model, processor, train_set, learns, plan)
        for asked in ("speech", "text"):
            contents = [r.samples for r in heard] if asked == "speech" else [m.text for m in wanted]
            replies = answer(model, processor, INSTRUCTION, contents)
            yield {"language": language, "learns": learns, "asked": asked, "commands": len(wanted)} | scores(
                replies, wanted
            )


def scores(replies: Sequence[str], wanted: Sequence[Material]) -> dict[str, float]:
    """Give the shares of replies with the right intent, and of those that are right altogether."""
    intents = exact = 0
    for reply, material in zip(replies, wanted, strict=True):
        try:
            found = json.loads(reply)
            intents += (found["scenario"], found["action"]) == (material.scenario, material.action)
        except (ValueError, TypeError, KeyError):
            continue
        exact += reply == target(material)
    return {"intent": round(intents / len(wanted), 3), "exact": round(exact / len(wanted), 3)}


def fine_tune(
    model: Any,
    processor: Qwen2AudioProcessor,
    train_set: Sequence[PretrainClip],
    learns: Learns,
    plan: GapProbe,
) -> Any:
    """Teach LoRA adapters on the language model's linear layers from one kind of examples."""
    tokenizer = processor.tokenizer
    torch.manual_seed(plan.seed)
    settings = LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, target_modules=LANGUAGE_MODEL, lora_dropout=plan.dropout
    )
    adapted = get_peft_model(model, settings).train()
    inner = adapted.get_base_model()
    recipe = MixRecipe(tokenizer, "", surroundings(), from_row, draw)
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], weight_decay=0.0)
    steps = plan.passes * len(train_set) // plan.batch
    rng = Random(plan.seed)
    order: list[PretrainClip] = []
    for step in range(steps):
        if len(order) < plan.batch:
            order = rng.sample(list(train_set), len(train_set))
        batch, order = order[: plan.batch], order[plan.batch :]
        materials = [from_row(clip.row) for clip in batch]
        questions = recipe.laid([(m.text, Instructed(INSTRUCTION, target(m))) for m in materials])
        done = (step + 1) / steps
        optimizer.param_groups[0]["lr"] = plan.rate * min(done / plan.warmup, (1 - done) / (1 - plan.warmup))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = _loss(inner, questions, batch if learns == "speech" else None, recipe, rng)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    return adapted.eval()


def _loss(
    model: Any,
    questions: Questions,
    clips: Sequence[PretrainClip] | None,
    recipe: MixRecipe,
    rng: Random,
) -> torch.Tensor:
    audio, pad = audio_token(recipe.tokenizer), int(recipe.tokenizer.pad_token_id)
    embed = model.model.language_model.embed_tokens
    if clips is None:
        layout = lay_out(questions, None, audio, pad)
        embedded = embed(layout.ids)
    else:
        sounds = recipe.sounds(clips, rng, augmented=False)
        with torch.no_grad():
            heard = hear(model, sounds.mels, sounds.frames)
        layout = lay_out(questions, heard.tokens.tolist(), audio, pad)
        inside = torch.arange(heard.embeddings.shape[1])[None, :] < heard.tokens[:, None]
        embedded = embed(layout.ids).masked_scatter(
            (layout.ids == audio)[:, :, None], heard.embeddings[inside].float()
        )
    rows, places = torch.nonzero(layout.inside[:, questions.turn :], as_tuple=True)
    states = think(model, embedded).last[rows, layout.tail[rows, places + questions.turn - 1]]
    answers = layout.ids[rows, layout.tail[rows, places + questions.turn]]
    return F.cross_entropy(model.lm_head(states).float(), answers)


def lessons_of(language: str, plan: GapProbe) -> list[PretrainClip]:
    """Draw the probe's train_set: spoken commands of the pretraining."""
    pool = ClipPool(FEATURES, f"{language}-*.parquet")
    commands = [clip for clip in pool.clips() if from_row(clip.row).scenario]
    return Random(plan.seed).sample(commands, plan.train_set)
