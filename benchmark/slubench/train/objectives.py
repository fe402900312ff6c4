"""Finds, calls and checks a strategy's own loss.

`objective(model, batch) -> loss` takes the place of the cross-entropy on the reply in its stage.

`model` is the `PeftModel` (on the track `full` the model itself), in training mode and under autocast on a
GPU; `model(inputs_embeds=..., attention_mask=..., labels=...)` gives logits, and inside
`model.disable_adapter()` those of the model as it was. `batch` is a micro-batch:

- `input_ids`, `attention_mask`, `labels`: (examples, longest), padded on the right; `labels` is -100 on all
  but the reply, which ends with the token that closes it.
- `inputs_embeds`: (examples, longest, hidden), with the projected audio in its place.
- `weights`: (examples,), each example's weight in the loss.
- `examples`: the examples themselves (`slubench.train.read_examples.TrainExample`: utterance, language,
  modality, parts, target, weight).
- `make(examples) -> dict`: the tensors above for other examples, such as
  `dataclasses.replace(example, parts=(text,))`, the written view of what is heard.

The loss must be a scalar: a mean over the micro-batch's reply tokens, weighted, as the cross-entropy is. An
update weighs its micro-batches by their reply tokens, so that for such a mean nothing depends on their size.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from slubench.errors import DeclarationError
from slubench.runtime.jobs import TrainJob
from slubench.train.batches import EncodedExample
from slubench.train.learner import Learner

Objective = Callable[[Any, dict[str, Any]], Tensor]


def find_objectives(job: TrainJob) -> tuple[Objective | None, ...]:
    """Each stage's own loss, or None.

    Raises:
        DeclarationError: The strategy's stage has no objective though the job says so.
    """
    if not any(stage.objective for stage in job.stages):
        return tuple(None for _ in job.stages)
    from slubench.registry import Registry, strategy_in

    file = Path(job.strategy)
    strategy = strategy_in(file) if file.is_file() else Registry(Path(job.home)).strategy(job.strategy)
    found: list[Objective | None] = []
    for number, stage in enumerate(job.stages):
        own = strategy.stages[number].objective if number < len(strategy.stages) else None
        if stage.objective and own is None:
            raise DeclarationError(
                f"Stage {number} of {job.strategy} has no objective, but the run was planned with one. The"
                " strategy has changed; run it again."
            )
        found.append(own if stage.objective else None)
    return tuple(found)


def own_loss(
    learner: Learner, batch: dict[str, Tensor], micro: Sequence[EncodedExample], objective: Objective
) -> Tensor:
    """Call a strategy's own loss on a micro-batch.

    Raises:
        DeclarationError: It does not return a scalar tensor that depends on what learns.
    """
    given: dict[str, Any] = {
        **batch,
        "examples": [example.source for example in micro],
        "make": lambda examples: learner.batch(learner.encode(examples)),
    }
    loss = objective(learner.model, given)
    if not (isinstance(loss, Tensor) and loss.ndim == 0 and loss.requires_grad):
        shape = f" of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else ""
        raise DeclarationError(
            f"The objective {getattr(objective, '__name__', objective)} must return a scalar tensor that"
            f" depends on the model, not {type(loss).__name__}{shape}."
        )
    return loss
