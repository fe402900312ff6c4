"""A model in training: its parts, its input from examples, and its loss on the reply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from slubench.data.clips import ClipStore
from slubench.domain.family import Family
from slubench.domain.model import Model, parts_of
from slubench.errors import DeclarationError, MissingError
from slubench.registry.families import family_of
from slubench.runtime.jobs import TrainJob
from slubench.train.batches import IGNORED, EncodedExample, collate, encode
from slubench.train.device import Device
from slubench.train.encoder_cache import AudioEncoder, CachedEncoder, TrainedEncoder, tower_identity
from slubench.train.features import ClipFeatures, memory_budget
from slubench.train.read_examples import TrainExample
from slubench.train.tracks import learning, open_track


@dataclass(frozen=True)
class Learner:
    """A model in training on a track.

    Attributes:
        model: What `open_track` gave.
        declared: The model's declaration.
        processor: Tokenizer and feature extractor.
        hearing: What the audio tower makes of clips.
        device: Where it learns.
        learnable: All that learns on the track, by parameter name; a stage may train some of it.
    """

    model: Any
    declared: Model
    processor: Any
    hearing: AudioEncoder
    device: Device
    learnable: Mapping[str, nn.Parameter]

    @property
    def base(self) -> Any:
        """The conditional-generation model, with LoRA layers if the track has them."""
        return self.model.get_base_model() if hasattr(self.model, "get_base_model") else self.model

    @property
    def family(self) -> Family:
        """The model's family."""
        return family_of(self.declared.family, self.declared.family_file)

    def part(self, name: str) -> Any:
        """One of the parts that `slubench.domain.family.Parts` names; None if it has no name."""
        return self.family.part(self.base, name)

    @property
    def draws(self) -> bool:
        """Whether its forward pass draws random numbers: LoRA's dropout, or the architecture's own."""
        names = ("attention_dropout", "activation_dropout", "dropout", "encoder_layerdrop")
        parts = (self.part("tower"), self.part("language_model"))
        own = (getattr(part.config, name, 0.0) for part in parts for name in names)
        added = (module.p for module in self.model.modules() if isinstance(module, nn.Dropout))
        return any(own) or any(added)

    @property
    def audio_token(self) -> int:
        """Id of the token that stands for audio."""
        return int(getattr(self.base.config, self.family.audio_token))

    def encode(self, examples: Sequence[TrainExample]) -> list[EncodedExample]:
        """Examples as token ids."""
        return encode(examples, self.declared, self.family, self.processor, self.audio_token, self.hearing)

    def batch(self, encoded: Sequence[EncodedExample]) -> dict[str, Tensor]:
        """A micro-batch as tensors.

        Returns:
            What `collate` gives, and `inputs_embeds`, (examples, longest, hidden): the embeddings of
            `input_ids` with the projected audio in its place.
        """
        batch = collate(encoded, int(self.processor.tokenizer.pad_token_id or 0), self.device.where)
        clips = [clip for example in encoded for clip in example.source.clips]
        count = sum(self.hearing.count(clip) for clip in clips)
        embeddings = self.family.embed(self.base, batch["input_ids"], self.hearing.hear(clips), count)
        return {**batch, "inputs_embeds": embeddings}

    def reply_loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The weighted sum of cross-entropy over reply tokens, a scalar.

        Padding stands on the right and needs no mask; logits are made at the reply's positions alone, which
        spares most of the head's work and memory.
        """
        more = self.family.more_inputs(self.base, batch)
        hidden = self.part("language_model")(
            inputs_embeds=batch["inputs_embeds"], use_cache=False, **more
        ).last_hidden_state
        targets = functional.pad(batch["labels"][:, 1:], (0, 1), value=IGNORED)
        places = (targets != IGNORED).flatten().nonzero()[:, 0]
        borne = hidden.flatten(0, 1).index_select(0, places)
        logits = self.family.logits(self.base, self.part("head"), borne).float()
        losses = functional.cross_entropy(logits, targets.flatten()[places], reduction="none")
        weights = batch["weights"][:, None].expand_as(targets).flatten()[places]
        return (losses * weights).sum()


def open_learner(job: TrainJob, stages: Sequence[Sequence[TrainExample]], device: Device) -> Learner:
    """Load a job's model and set up its track, with new weights drawn from the job's seed.

    Raises:
        MissingError: The checkpoint is not there, or does not load.
        DeclarationError: The declaration does not fit the checkpoint.
    """
    # On `full` the weights themselves take the small steps, and are held in float32 on a GPU too.
    dtype = torch.float32 if job.track == "full" else device.dtype
    family = family_of(job.model.family, job.model.family_file)
    model, processor = load_model(job.model, dtype, device)
    tower: Any = family.part(model, "tower")
    extractor = getattr(processor, family.extractor)
    track = open_track(model, job.model, job.track)
    track.train()
    store = ClipStore(Path(job.clips), job.model.sampling_rate, job.model.max_seconds)
    learnable = learning(track)
    if "encoder" in parts_of(job.track):
        features = ClipFeatures(store, family, extractor, memory_budget() // 2)
        return Learner(track, job.model, processor, TrainedEncoder(tower, features), device, learnable)
    order = dict.fromkeys(clip for examples in stages for example in examples for clip in example.clips)
    kept = store.folder / f"heard-{tower_identity(tower, extractor, store, device)}"
    if order:
        kept.mkdir(parents=True, exist_ok=True)
    # A frozen encoder wants the features of a clip once: they are not kept, its outputs are.
    features = ClipFeatures(store, family, extractor, 0)
    hearing = CachedEncoder(tower, features, device, tuple(order), kept, memory_budget())
    return Learner(track, job.model, processor, hearing, device, learnable)


def auto_processor(place: str, revision: str | None) -> Any:
    """The processor in a folder or repository, loaded by transformers."""
    from transformers import AutoProcessor

    return AutoProcessor.from_pretrained(place, revision=revision)  # type: ignore[no-untyped-call]


def load_model(declared: Model, dtype: torch.dtype, device: Device) -> tuple[Any, Any]:
    """A declared model and its processor, with weights converted to `dtype`.

    Raises:
        MissingError: The checkpoint is not there, or does not load.
        DeclarationError: The checkpoint is of another architecture than declared.
    """
    import transformers

    family = family_of(declared.family, declared.family_file)
    try:
        load_processor = family.processor or auto_processor
        processor = load_processor(declared.repository, declared.revision)
        model = getattr(transformers, family.loader).from_pretrained(
            declared.repository, revision=declared.revision, dtype=dtype, device_map={"": device.where}
        )
    except (OSError, ValueError) as error:
        raise MissingError(
            f"The weights of {declared.name} cannot be loaded from {declared.repository}: {error} Download"
            " them with `hf download`, or give a checkpoint's folder with --model DIR."
        ) from error
    if model.config.model_type not in family.model_types:
        raise DeclarationError(
            f"{declared.name} is declared as {declared.family}, but {declared.repository} contains "
            f"a {model.config.model_type}."
        )
    return model, processor
