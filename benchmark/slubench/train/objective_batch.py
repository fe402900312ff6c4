"""What a strategy's own loss gets: a micro-batch with its tensors, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from slubench.errors import DeclarationError
from slubench.train.batches import IGNORED, EncodedExample
from slubench.train.learner import Learner
from slubench.train.read_examples import TrainExample


class Pass(NamedTuple):
    """What a forward pass gives.

    Attributes:
        logits: (examples, longest, vocabulary), in float32.
        hidden: (examples, longest, hidden) after each layer of the language model, the embeddings first;
            empty where they were not asked for.
    """

    logits: Tensor
    hidden: tuple[Tensor, ...] = ()


class PairedBatch(NamedTuple):
    """The two modalities of the same utterances, aligned row by row; both with the same targets.

    Attributes:
        heard: As they are heard.
        written: Their transcripts.
    """

    heard: ObjectiveBatch
    written: ObjectiveBatch


@dataclass
class PassCounts:
    """The positions that passes of an objective computed.

    Attributes:
        body: Of the language model, with and without gradient.
        head: Of the output layer, likewise.
    """

    body: list[int] = field(default_factory=lambda: [0, 0])
    head: list[int] = field(default_factory=lambda: [0, 0])


@contextmanager
def counted(learner: Learner) -> Iterator[PassCounts]:
    """Count what is computed within the block, whoever calls the model."""
    counts = PassCounts()

    def count(places: list[int]) -> Any:
        def hook(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
            tensor = named.get("inputs_embeds", named.get("input_ids", given[0] if given else None))
            if isinstance(tensor, Tensor):
                rows = tensor.shape[:-1] if tensor.is_floating_point() else tensor.shape
                places[0 if torch.is_grad_enabled() else 1] += rows.numel()

        return hook

    parts = (learner.part("language_model"), learner.part("head"))
    hooks = [
        part.register_forward_pre_hook(count(places), with_kwargs=True)
        for part, places in zip(parts, (counts.body, counts.head), strict=True)
    ]
    try:
        yield counts
    finally:
        for hook in hooks:
            hook.remove()


class ObjectiveBatch(dict[str, Any]):
    """A micro-batch: its tensors by name, and the passes that a loss is made of.

    Keys: `input_ids`, `attention_mask`, `labels` (examples, longest), padded on the right, `labels` being
    -100 on all but the reply, which ends with the token that closes it; `inputs_embeds` (examples, longest,
    hidden), with the projected audio in its place; `weights` (examples,), each example's weight in the
    loss; `examples`, the examples themselves; `make`, the same as `view`.

    Attributes:
        learner: The model and its parts.
    """

    def __init__(
        self, learner: Learner, encoded: Sequence[EncodedExample], tensors: dict[str, Tensor]
    ) -> None:
        super().__init__(tensors)
        self.learner, self._encoded = learner, tuple(encoded)
        self["examples"] = [one.source for one in encoded]
        self["make"] = self.view

    @classmethod
    def of(cls, learner: Learner, encoded: Sequence[EncodedExample]) -> ObjectiveBatch:
        """The batch of encoded examples."""
        return cls(learner, encoded, learner.batch(encoded))

    @property
    def examples(self) -> list[TrainExample]:
        """The examples, a row each."""
        return [one.source for one in self._encoded]

    @property
    def tokenizer(self) -> Any:
        """The model's own tokenizer."""
        return self.learner.processor.tokenizer

    def view(self, examples: Sequence[TrainExample]) -> ObjectiveBatch:
        """A batch of other examples, such as these with other parts or targets."""
        if not examples:
            raise DeclarationError("a batch needs at least one example")
        return ObjectiveBatch.of(self.learner, self.learner.encode(list(examples)))

    def pair(self) -> PairedBatch | None:
        """Both modalities of what is heard in this batch; None where nothing is.

        An example belongs to it if its parts are one recording whose transcript is known.
        """
        heard = [
            one for one in self.examples if one.transcript and len(one.parts) == 1 and len(one.clips) == 1
        ]
        if not heard:
            return None
        written = [replace(one, parts=(one.transcript,), modality="text") for one in heard]
        same = len(heard) == len(self.examples)
        return PairedBatch(self if same else self.view(heard), self.view(written))

    def forward(self, *, hidden: bool = False, base: bool = False) -> Pass:
        """One pass of the model over this batch.

        Args:
            hidden: Whether hidden states are given.
            base: Whether the model as it was before training is asked (LoRA off; not on the track `full`).
        """
        learner = self.learner
        with self._as_it_was() if base else nullcontext():
            more = learner.family.more_inputs(learner.base, self)
            output = learner.part("language_model")(
                inputs_embeds=self["inputs_embeds"],
                attention_mask=self["attention_mask"],
                use_cache=False,
                output_hidden_states=hidden,
                **more,
            )
            logits = learner.family.logits(learner.base, learner.part("head"), output.last_hidden_state)
        return Pass(logits.float(), tuple(output.hidden_states) if hidden else ())

    def reply_log_probs(self, logits: Tensor | None = None) -> Tensor:
        """The log-probability of each token of the replies, (examples, longest - 1); 0 elsewhere.

        Args:
            logits: Of `forward`; None for a pass of its own.
        """
        every = (self.forward().logits if logits is None else logits)[:, :-1].log_softmax(-1)
        targets, within = self["labels"][:, 1:], self.reply_mask
        told: Tensor = every.gather(-1, targets.masked_fill(~within, 0)[..., None])[..., 0] * within
        return told

    @property
    def reply_mask(self) -> Tensor:
        """Where `reply_log_probs` and `logits[:, :-1]` are of the reply, (examples, longest - 1), boolean."""
        mask: Tensor = self["labels"][:, 1:] != IGNORED
        return mask

    def cross_entropy(self) -> Tensor:
        """The usual loss: the weighted mean over the reply's tokens, a scalar."""
        total: Tensor = (self.reply_mask.sum(1) * self["weights"]).sum()
        return self.learner.reply_loss(self) / total

    @torch.no_grad()
    def generate(
        self, samples: int = 1, *, temperature: float = 1.0, max_new_tokens: int | None = None
    ) -> list[list[str]]:
        """Replies of the model as it stands, `samples` for each example, in their order.

        Args:
            samples: How many for each.
            temperature: 0 for the likeliest reply.
            max_new_tokens: The longest reply; None for the model's own limit.
        """
        learner = self.learner
        prompts = [replace(one, reply=()) for one in self._encoded]
        longest = max(map(len, prompts))
        most = max_new_tokens or learner.declared.reply_tokens
        given = learner.batch(prompts)
        # Replies begin where prompts end, so that prompts are padded on the left.
        shifts = [longest - len(one) for one in prompts]
        turned = {
            name: torch.stack([row.roll(shift, 0) for row, shift in zip(given[name], shifts, strict=True)])
            for name in ("input_ids", "attention_mask", "inputs_embeds")
        }
        end = self.tokenizer.convert_tokens_to_ids(learner.declared.prompt.end.strip())
        ends = [end] if isinstance(end, int) else []
        if self.tokenizer.eos_token_id is not None:
            ends.append(int(self.tokenizer.eos_token_id))
        was_training = learner.model.training
        learner.model.eval()
        try:
            made = learner.base.generate(
                inputs_embeds=turned["inputs_embeds"],
                attention_mask=turned["attention_mask"],
                **learner.family.more_inputs(learner.base, turned),
                do_sample=temperature > 0,
                **({"temperature": temperature, "top_k": 0} if temperature > 0 else {}),
                num_return_sequences=samples,
                max_new_tokens=most,
                eos_token_id=ends,
                pad_token_id=int(self.tokenizer.pad_token_id or 0),
            )
        finally:
            learner.model.train(was_training)
        replies = self.tokenizer.batch_decode(made, skip_special_tokens=True)
        return [replies[place : place + samples] for place in range(0, len(replies), samples)]

    @contextmanager
    def _as_it_was(self) -> Iterator[None]:
        model = self.learner.model
        if not hasattr(model, "disable_adapter"):
            raise DeclarationError(
                "forward(base=True) switches LoRA off; on the track full there is none, and the model as it"
                " was is gone. Use another track."
            )
        with model.disable_adapter():
            yield
