"""Distillation: what the model says of a transcript is the target of what it says of the recording.

It should help because the model reads better than it hears: its distribution over the reply, given the
transcript, tells more than the one right token. Cross-modal distillation is the idea of arXiv 2509.14930.
The loss is the cross-entropy plus the divergence of the reply's tokens from transcript to recording, on
the recordings of each batch; the transcript's side gets no gradient.
"""

from typing import Any

from slubench import SPEECH, TEXT, Stage, Strategy

SHARE = 0.5


def from_transcript(model: Any, batch: Any) -> Any:
    """Cross-entropy, and the divergence of the heard reply from the read one."""
    import torch

    loss = batch.cross_entropy()
    pair = batch.pair()
    if pair is None:
        return loss
    with torch.no_grad():
        read = reply_logits(pair.written)
    heard = reply_logits(pair.heard)
    divergence = torch.nn.functional.kl_div(
        heard.log_softmax(-1), read.log_softmax(-1), log_target=True, reduction="batchmean"
    )
    return loss + SHARE * divergence


def reply_logits(batch: Any) -> Any:
    """The logits at all tokens of the replies, (tokens, vocabulary): the same for both modalities."""
    return batch.forward().logits[:, :-1][batch.reply_mask]


DISTILLATION = Strategy(
    name="distillation",
    summary="Direct mixing; replies to recordings follow replies to their transcripts",
    source="arXiv 2509.14930",
    stages=(Stage(learns_from=TEXT | SPEECH, objective=from_transcript),),
)
