"""Pretraining of the tiny model: hear, read, and bring both together.

``python -m tools.mini.model.pretrain --steps N --out DIR`` goes on where DIR stands; killed at any moment,
it loses three minutes at most. Steps, not the clock, drive the schedule.
"""

import argparse
import json
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Final

import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn
from transformers import PreTrainedTokenizerFast

from tools.mini.model.batches import LANGUAGE_SWITCH, ClipPool, MixRecipe, audio_token, clips_at
from tools.mini.model.features import FEATURES
from tools.mini.model.forward import hear
from tools.mini.model.instructions import IN_BOTH_MODES, WRITTEN_ONLY, alike, ask, copy
from tools.mini.model.materials import draw, from_row, surroundings
from tools.mini.model.objective import Parts, compare, hear_and_read, listen, read
from tools.mini.model.schedule import HEARING, JOINING, READING, SURROGATE, Schedule
from tools.mini.model.state import STATE, TOKENIZER, Training, grow_from, prepare, resume, store
from tools.mini.model.surrogates import Surrogate, teach
from tools.mini.model.tokenizer import train_tokenizer

BATCH: Final = 24
"""Clips a process and step, and written sentences likewise."""
SEED: Final = 1
STORED_EVERY: Final = 180.0
"""Seconds between two stored states."""
LOGGED_EVERY: Final = 50
SEEN_OFTEN: Final = 20
"""Clips that must hold a phonetic symbol for the temporary head to learn it."""


def take(
    training: Training,
    recipe: MixRecipe,
    pool: ClipPool,
    schedule: Schedule,
    rank: int,
    batch: int,
    surrogate: Surrogate | None = None,
) -> Parts:
    """Take one step's gradients on this rank's batch, without moving a weight, and give its losses."""
    step, model = training.step, training.model
    rng = Random(f"{SEED} {rank} step {step}")
    audio, pad = audio_token(training.tokenizer), int(training.tokenizer.pad_token_id)
    training.gradients.zero_()
    # Ranks wait for one another, so they draw questions of the same length.
    shared = Random(f"{SEED} tasks {step}")
    both, written = alike(IN_BOTH_MODES, shared), alike(WRITTEN_ONLY, shared)
    clips = clips_at(pool, step, batch, SEED, rank)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        listening, parts = listen(model, training.scaffold, recipe.sounds(clips, rng))
        materials = [recipe.material(clip.row) for clip in clips]
        weights = HEARING
        if surrogate is not None:
            questions = recipe.laid([(m.text, surrogate.ask(m)) for m in materials])
            matched = hear_and_read(model, listening, questions, rng, audio, pad, surrogate.adapters)
            parts |= matched
            weights = SURROGATE
        elif schedule.joined(step):
            questions = recipe.questions(materials, both, rng)
            parts |= hear_and_read(model, listening, questions, rng, audio, pad)
            weights = JOINING
        torch.autograd.backward(weights.total(parts))
        if surrogate is not None:
            parts = {f"{name}_surrogate" if name in matched else name: v for name, v in parts.items()}
        if schedule.reads(step):
            questions = recipe.questions([recipe.sentence(rng) for _ in range(batch)], written, rng)
            alone = read(model, questions, audio, pad)
            torch.autograd.backward(READING.total(alone))
            parts |= {f"{name}_alone": value for name, value in alone.items()}
    return {name: value.detach() for name, value in parts.items()}


def move(training: Training, schedule: Schedule, processes: int) -> float:
    """Move the weights by the mean gradient of all ranks and give its length before clipping at 1."""
    if processes > 1:
        distributed.all_reduce(training.gradients)
        training.gradients /= processes
    length = float(training.gradients.norm())
    if length == length and length < float("inf"):
        training.gradients *= min(1.0, 1.0 / (length + 1e-6))
        for group in training.optimizer.param_groups:
            group["lr"] = schedule.rate_at(training.step)
        training.optimizer.step()
    training.step += 1
    return length


def corpus(sentences: int, seed: int) -> Iterator[str]:
    """Give what the tokenizer learns from: sentences, prompts, replies, and the benchmark's own form."""
    rng, around = Random(seed), surroundings()
    for _ in range(sentences):
        material = draw(rng)
        yield material.text
        asked = ask(material, around, rng, WRITTEN_ONLY)
        yield f"{asked.instruction}\nuser\nassistant\n"
        yield asked.answer
        if rng.random() < 0.3:
            yield f"Give scenario, action and entities as JSON.\n{copy(material, around, rng).answer}"


def set_up(folder: Path, pool: ClipPool, start: Path | None = None) -> None:
    """Train the tokenizer, or take that of ``start``, and collect phonetic symbols, unless they are there."""
    if (folder / TOKENIZER).exists():
        return
    seen = Counter(
        symbol for row in pool.rows() for symbol in set(LANGUAGE_SWITCH.sub("", str(row["phonemes"])))
    )
    ignored = set(" ˈˌ_|.,-\n()")
    symbols = "".join(sorted(s for s, count in seen.items() if count >= SEEN_OFTEN and s not in ignored))
    if start is not None:
        prepare(folder, PreTrainedTokenizerFast.from_pretrained(start), symbols)
    else:
        prepare(folder, train_tokenizer(corpus(40_000, SEED)), symbols)


def settle(training: Training, recipe: MixRecipe, pool: ClipPool, batch: int, steps: int = 120) -> None:
    """Fit the scaffold to a model that is there already, before both learn on together."""
    rng = Random(f"{SEED} settle")
    scaffold = training.scaffold
    with torch.no_grad():
        sounds = recipe.sounds(pool.draw(batch, rng), rng, augmented=False)
        heard = hear(training.model, sounds.mels, sounds.frames)
        # Most frames are blank, so their mean points the blank's way.
        scaffold.blank.copy_(heard.embeddings.float().mean(dim=(0, 1)))
    learnt = list(scaffold.parameters())
    optimizer = torch.optim.AdamW(learnt, lr=1e-2, weight_decay=0.0)
    for _ in range(steps):
        clips = pool.draw(batch, rng)
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            sounds = recipe.sounds(clips, rng)
            heard = hear(training.model, sounds.mels, sounds.frames)
        _, parts = compare(training.model, scaffold, heard, sounds)
        found = torch.autograd.grad(HEARING.total(parts), learnt)
        for parameter, gradient in zip(learnt, found, strict=True):
            assert parameter.grad is not None
            parameter.grad.copy_(gradient)
        optimizer.step()


def run(
    rank: int,
    processes: int,
    folder: Path,
    features: Path,
    schedule: Schedule,
    batch: int,
    port: int,
    start: Path | None,
) -> None:
    """Train on one rank until the schedule ends."""
    torch.set_num_threads(1)
    if processes > 1:
        distributed.init_process_group(
            "gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=processes
        )
    training = resume(folder, SEED)
    training.model.train()
    recipe = MixRecipe(training.tokenizer, training.symbols, surroundings(), from_row, draw)
    pool = ClipPool(features)
    if start is not None and not (folder / STATE).exists():
        grow_from(training, start)
        settle(training, recipe, pool, batch)
    surrogates: dict[int, Surrogate] = {}
    sums: defaultdict[str, float] = defaultdict(float)
    counts: Counter[str] = Counter()
    stored = since = time.monotonic()
    while training.step < schedule.steps:
        number = schedule.surrogate(training.step)
        if number is not None and number not in surrogates:
            rng = Random(f"{SEED} {rank} surrogate {number}")
            audio, pad = audio_token(training.tokenizer), int(training.tokenizer.pad_token_id)
            surrogates = {number: teach(training.model, recipe, rng, audio, pad)}
        surrogate = None if number is None else surrogates[number]
        parts = take(training, recipe, pool, schedule, rank, batch, surrogate)
        length = move(training, schedule, processes)
        for name, value in (parts | {"gradient": torch.tensor(length)}).items():
            sums[name] += float(value)
            counts[name] += 1
        if training.step % LOGGED_EVERY == 0:
            if rank == 0:
                means = {name: round(sums[name] / counts[name], 4) for name in sums}
                took = (time.monotonic() - since) / LOGGED_EVERY
                clips = sum(pool.sizes.values())
                rate = schedule.rate_at(training.step - 1)
                line = {"step": training.step, "rate": round(rate, 6), "seconds": round(took, 3)}
                _log(folder, line | {"clips": clips} | means)
            since = time.monotonic()
            sums.clear()
            counts.clear()
            pool.refresh()
        if rank == 0 and (time.monotonic() - stored > STORED_EVERY or training.step == schedule.steps):
            store(training, folder)
            stored = time.monotonic()
    if processes > 1:
        distributed.barrier()
        distributed.destroy_process_group()


def _log(folder: Path, line: Mapping[str, float | int]) -> None:
    text = json.dumps(line)
    print(text, flush=True)
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(text + "\n")


def main() -> None:
    """Pretrain, or go on pretraining."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--features", type=Path, default=FEATURES)
    parser.add_argument("--processes", type=int, default=2, help="one thread each; gradients are averaged")
    parser.add_argument("--batch", type=int, default=BATCH)
    parser.add_argument("--rate", type=float, default=Schedule.rate)
    parser.add_argument("--start", type=Path, help="exported checkpoint to start from (docs/history/mini.md)")
    parser.add_argument("--joins", type=float, default=Schedule.joins)
    parser.add_argument("--settles", type=float, default=Schedule.settles)
    parser.add_argument("--yields", type=float, default=Schedule.yields)
    parser.add_argument("--warmup", type=int, default=Schedule.warmup)
    parser.add_argument("--falls", type=float, default=Schedule.falls)
    parser.add_argument("--port", type=int, default=29_511)
    options = parser.parse_args()
    set_up(options.out, ClipPool(options.features), options.start)
    schedule = Schedule(
        options.steps,
        options.rate,
        joins=options.joins,
        settles=options.settles,
        yields=options.yields,
        falls=options.falls,
        warmup=options.warmup,
    )
    arguments = (
        options.processes,
        options.out,
        options.features,
        schedule,
        options.batch,
        options.port,
        options.start,
    )
    spawn(run, args=arguments, nprocs=options.processes)  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
