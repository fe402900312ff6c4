"""A small checkpoint's numbers: our loss, training and replies beside those of transformers' own forward."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import soundfile
import torch
from safetensors import safe_open

from slubench.conformance.model_requirements import LOSS, NUMBERS, REPLIES, TOKENS, TRAINS
from slubench.conformance.verdict import FAIL, NOT_CHECKED, Verdict, judged, told
from slubench.data.clips import ClipStore
from slubench.domain.family import Family
from slubench.domain.model import Model
from slubench.domain.prompt import SPEECH_INPUT, TEXT_INPUT, ClipRef, to_rows
from slubench.runtime.jobs import StageJob, TrainJob
from slubench.schemas import TRAIN_EXAMPLES
from slubench.serve.requests import Request
from slubench.serve.transformers_engine import TransformersEngine
from slubench.train.batches import IGNORED, EncodedExample
from slubench.train.device import choose_device
from slubench.train.learner import Learner, open_learner
from slubench.train.micro_batches import MicroBatches
from slubench.train.read_examples import TrainExample
from slubench.train.train import train
from slubench.train.updates import gather

SECONDS = (1.0, 4.0, 12.0, 29.0, 35.0)
TARGET = '{"intent": "alarm_set"}'
TOLERANCE = 1e-5
REPLY_TOKENS = 12


@dataclass(frozen=True)
class Bench:
    """What is tried, and where.

    Attributes:
        model: The model, on a CPU, with a short recipe.
        family: Its family.
        folder: What is written lies in it.
        examples: A spoken one of each length, and a written one.
    """

    model: Model
    family: Family
    folder: Path
    examples: tuple[TrainExample, ...]

    @property
    def store(self) -> ClipStore:
        """The clips."""
        return ClipStore(self.folder / "clips", self.model.sampling_rate, self.model.max_seconds)

    def job(self) -> TrainJob:
        """Two updates on all examples."""
        path, count = self.folder / "lessons.parquet", len(self.examples)
        rows = [
            {
                "stage": 0,
                "position": position,
                "utterance": example.utterance,
                "language": example.language,
                "modality": example.modality,
                "parts": to_rows(example.parts),
                "target": example.target,
                "weight": example.weight,
            }
            for position, example in enumerate([*self.examples, *self.examples])
        ]
        pq.write_table(pa.Table.from_pylist(rows, schema=TRAIN_EXAMPLES), path)
        track = next(iter(self.model.recipes))
        recipe = replace(self.model.recipe(track), batch=count, warmup=0.0, dropout=0.0)
        return TrainJob(
            name="check",
            model=replace(self.model, recipes={track: recipe}),
            track=track,
            seed=0,
            stages=(StageJob(updates=2, rate=recipe.rate),),
            examples=str(path),
            clips=str(self.store.folder),
            folder=str(self.folder / "training"),
            adapter=str(self.folder / "adapter"),
            strategy="",
            home=str(self.folder),
        )


def numbers(model: Model, family: Family, folder: Path) -> list[Verdict]:
    """Check what a checkpoint computes; what can't be looked at after an earlier failure is `not checked`."""
    bench = make_bench(replace(model, needs_gpu=False, reply_tokens=REPLY_TOKENS), family, folder)
    verdicts: list[Verdict] = []
    for requirement, look in zip(NUMBERS, (_tokens, _loss, _trains, _replies), strict=True):
        if any(verdict.state == FAIL for verdict in verdicts):
            verdicts.append(Verdict(requirement, NOT_CHECKED, "fix the failures above first"))
            continue
        try:
            verdicts.append(look(bench))
        except Exception as error:
            remedy = f"Fix the family {family.name}, or the checkpoint."
            verdicts.append(Verdict(requirement, FAIL, told(error, Path(model.family_file)), remedy))
    return verdicts


def make_bench(model: Model, family: Family, folder: Path) -> Bench:
    """Examples whose clips are tones with noise, cut to what the model takes."""
    store = ClipStore(folder / "clips", model.sampling_rate, model.max_seconds)
    rng = np.random.default_rng(0)
    examples = []
    for seconds in SECONDS:
        time = np.arange(int(seconds * model.sampling_rate)) / model.sampling_rate
        sound = 0.3 * np.sin(2 * np.pi * 220 * time) + rng.normal(0, 0.02, len(time))
        file = io.BytesIO()
        soundfile.write(file, sound, model.sampling_rate, format="WAV")
        clip = ClipRef(store.add(file.getvalue()))
        examples.append(TrainExample(f"{seconds:g}s", "en", "speech", (clip,), TARGET, 1.0))
    examples.append(TrainExample("text", "en", "text", ("wake me up at seven",), TARGET, 1.0))
    return Bench(model, family, folder, tuple(examples))


def _learner(bench: Bench) -> Learner:
    learner = open_learner(bench.job(), [bench.examples], choose_device(bench.model))
    learner.model.eval()
    return learner


def _tokens(bench: Bench) -> Verdict:
    learner = _learner(bench)
    wrong, found = [], []
    for example, encoded in zip(bench.examples, learner.encode(bench.examples), strict=True):
        count = encoded.prompt.count(learner.audio_token)
        expected = sum(learner.hearing.count(clip) for clip in example.clips)
        if count != expected or (example.clips and not count):
            wrong.append(f"{example.utterance}: {count} placeholders for {expected} audio tokens")
        if learner.processor.tokenizer.unk_token_id in encoded.reply:
            wrong.append(f"{example.utterance}: the reply has a token unknown to the tokenizer")
        found.append(f"{example.utterance}: {count}")
    ending = bench.family.tokenize_reply(learner.processor, [bench.model.prompt.end])[0]
    if len(ending) != 1:
        wrong.append(f"the end of a reply, {bench.model.prompt.end!r}, must be one token, not {len(ending)}")
    return judged(TOKENS, wrong, "Fix `prompt` of the model or `tokenize` of its family.", ", ".join(found))


def own_loss(learner: Learner, features: Sequence[Any], encoded: EncodedExample) -> float:
    """Summed cross-entropy of a reply by the architecture's own forward, its labels masked."""
    ids = torch.tensor([[*encoded.prompt, *encoded.reply]])
    labels = ids.clone()
    labels[:, : len(encoded.prompt)] = IGNORED
    inputs = learner.family.inputs(features)
    with torch.no_grad():
        out = learner.base(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, **inputs)
        # Averaged by each architecture in its own way, so it is summed here.
        logits = out.logits[:, :-1].float().flatten(0, 1)
        borne = torch.nn.functional.cross_entropy(
            logits, labels[:, 1:].flatten(), ignore_index=IGNORED, reduction="sum"
        )
    return float(borne)


def _loss(bench: Bench) -> Verdict:
    learner = _learner(bench)
    extractor = getattr(learner.processor, bench.family.extractor)
    rate = bench.model.sampling_rate
    wrong, total, tokens = [], 0.0, 0
    for example, encoded in zip(bench.examples, learner.encode(bench.examples), strict=True):
        clips = [bench.family.features(extractor, bench.store.load(key), rate) for key in example.clips]
        ours = gather(learner, [example], MicroBatches(100_000), nullcontext).loss
        own = own_loss(learner, clips, encoded) / len(encoded.reply)
        if not math.isclose(own, ours, rel_tol=TOLERANCE):
            wrong.append(f"{example.utterance}: {ours:.6f}, transformers {own:.6f}")
        total, tokens = total + own * len(encoded.reply), tokens + len(encoded.reply)
    mixed = gather(learner, bench.examples, MicroBatches(100_000), nullcontext).loss
    if not math.isclose(mixed, total / tokens, rel_tol=TOLERANCE):
        wrong.append(f"together: {mixed:.6f}, transformers one by one {total / tokens:.6f}")
    return judged(LOSS, wrong, "Fix `encode`, `project`, `more_inputs` or `logits`.", f"{mixed:.4f}, to 1e-5")


def _trains(bench: Bench) -> Verdict:
    job = bench.job()
    adapter = train(job)
    losses = [round(point["loss"], 4) for point in _report(adapter)["curve"]]
    wrong = [] if all(map(math.isfinite, losses)) else [f"its losses are {losses}"]
    with safe_open(adapter / "adapter_model.safetensors", framework="pt") as file:
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    within = bench.family.parts.language_model + "."
    wrong += [
        f"{name} is learnt"
        for name in weights
        if within not in name and not (job.track != "lora-lm" and job.model.projector in name)
    ][:3]
    still = [name for name, weight in weights.items() if "lora_B" in name and not weight.any()]
    if still:
        wrong.append(f"{len(still)} LoRA matrices did not change, such as {still[0]}")
    found = f"{job.track}, loss {losses[0]} -> {losses[-1]}"
    return judged(TRAINS, wrong, "Fix `lora_modules` or `parts`.", found)


def _report(adapter: Path) -> Any:
    return json.loads((adapter / "training.json").read_text("utf-8"))


def _replies(bench: Bench) -> Verdict:
    """Ask all together by our engine, and one by one by the architecture's own `generate`."""
    engine = TransformersEngine(bench.model, Path(bench.model.repository), bench.store)
    requests = [
        Request(example.utterance, SPEECH_INPUT if example.clips else TEXT_INPUT, example.parts)
        for example in bench.examples
    ]
    wrong = []
    for adapter in ("", str(bench.folder / "adapter")):
        ours = {reply.utterance: reply.reply for some in engine.ask(adapter, requests) for reply in some}
        for request in requests:
            own = engine.own_reply(adapter, request).reply
            if own != ours[request.utterance]:
                which = "with the adapter" if adapter else "as it is"
                wrong.append(
                    f"{request.utterance}, {which}: {ours[request.utterance]!r}, transformers {own!r}"
                )
    engine.close()
    return judged(
        REPLIES, wrong, "Fix `inputs` or `batches`.", f"{len(requests)} requests, with and without LoRA"
    )
