"""Alignment: hidden states of a recording are drawn to those of its transcript.

It should help because the reply is learnt mostly from text: where recording and transcript have like
hidden states, what was learnt from the one holds for the other. Speech-text alignment is the idea of
arXiv 2509.14804; TARS (arXiv 2601.05543) aligns layer by layer. The states compared are those at the
first token of the reply, which sum up what was heard or read, over the upper half of the layers.
"""

from typing import Any

from slubench import SPEECH, TEXT, Stage, Strategy

SHARE = 0.3


def like_transcript(model: Any, batch: Any) -> Any:
    """Cross-entropy, and the distance of hidden states where the reply begins."""
    import torch

    loss = batch.cross_entropy()
    pair = batch.pair()
    if pair is None:
        return loss
    with torch.no_grad():
        read = states(pair.written, torch)
    heard = states(pair.heard, torch)
    return loss + SHARE * (1 - torch.nn.functional.cosine_similarity(heard, read, dim=-1)).mean()


def states(batch: Any, torch: Any) -> Any:
    """Hidden states at the place that predicts the reply's first token, (layers, examples, hidden)."""
    hidden = batch.forward(hidden=True).hidden
    first = batch.reply_mask.int().argmax(1)
    rows = torch.arange(len(first), device=first.device)
    return torch.stack([layer[rows, first] for layer in hidden[len(hidden) // 2 :]])


ALIGNMENT = Strategy(
    name="alignment",
    summary="Direct mixing; hidden states of recordings are drawn to their transcripts'",
    source="arXiv 2509.14804",
    stages=(Stage(learns_from=TEXT | SPEECH, objective=like_transcript),),
)
