"""Chooses the size of micro-batches from memory and cores, and reduces it when memory runs out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from slubench.train.device import available_threads
from slubench.train.learner import Learner


@dataclass
class MicroBatches:
    """The size of micro-batches, which does not affect results.

    Attributes:
        tokens: Most tokens of a micro-batch, padding included.
        checkpointing: Whether activations are made again in the backward pass rather than kept.
        threads: On a CPU, how many micro-batches go through at once, each on one thread. Threads that share
            every single product wait for one another at each: with matrices as small as the embedded
            model's that costs more than it gains, and far more on a machine that does other things too.
        most: Most examples of a micro-batch; 0 for any number.
    """

    tokens: int
    checkpointing: bool = False
    threads: int = 1
    most: int = 0

    def slow_down(self, learner: Learner, longest: int) -> bool:
        """Use less memory; False if this is not possible.

        Args:
            learner: Whose checkpointing is switched on first.
            longest: Tokens of the longest example of the update, the least a micro-batch can hold.
        """
        if not self.checkpointing:
            self.checkpointing = True
            enable_checkpointing(learner)
            return True
        if self.tokens <= longest:
            return False
        self.tokens = max(longest, self.tokens // 2)
        return True


def choose_pace(learner: Learner) -> MicroBatches:
    """The micro-batches that fit into the free memory of a GPU.

    On a CPU a micro-batch is small enough for its activations to stay in a core's cache: for the embedded
    model 600 tokens take 0.8 of the time of a whole update of 3,000, and there are some for each thread.
    """
    config = learner.base.config
    if not learner.device.is_gpu:
        tokens = max(256, 120_000 // config.get_text_config().hidden_size)
        return MicroBatches(tokens=tokens, threads=available_threads())
    learnt = sum(parameter.numel() for parameter in learner.learnable.values())
    # Gradient and AdamW's two moments, all in float32, are still to come.
    room = max(0, learner.device.free_bytes() - 12 * learnt) * 6 // 10
    kept = room // bytes_a_token(config, checkpointing=False)
    if kept >= 4096:
        return MicroBatches(tokens=min(kept, 32_768))
    return MicroBatches(
        tokens=max(512, room // bytes_a_token(config, checkpointing=True)), checkpointing=True
    )


def enable_checkpointing(learner: Learner) -> None:
    """Turn on gradient checkpointing in every layer with gradients."""
    learner.base.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})


def bytes_a_token(config: Any, *, checkpointing: bool) -> int:
    """A rough upper bound on the GPU memory per token of a micro-batch, in bytes.

    Counted in bfloat16 elements a layer and token: about 16 of the hidden size and 6 of the intermediate
    size are kept for the backward pass; with gradient checkpointing one hidden state a layer and the whole
    of one layer. Half of the tokens are taken to be reply, whose logits are held in bfloat16 and twice in
    float32.
    """
    text = config.get_text_config()
    layer = (16 * text.hidden_size + 6 * text.intermediate_size) * 2
    layers = text.num_hidden_layers
    body = layers * text.hidden_size * 2 + layer if checkpointing else layers * layer
    return int(body + text.vocab_size * 10 // 2)
