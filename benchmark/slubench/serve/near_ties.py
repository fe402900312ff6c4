"""Near ties of a reply: what rounding could have put in place of one of its tokens."""

from __future__ import annotations

from dataclasses import replace

from slubench.serve.engine import Reader
from slubench.serve.replies import Reply
from slubench.serve.scored_reply import ScoredReply


def with_near_ties(reader: Reader, scored: ScoredReply, behind: float) -> Reply:
    """The reply with its near ties, see `Reply.ties`.

    Args:
        reader: What turns tokens into text.
        scored: The reply and its tokens' log-probabilities.
        behind: A token that is behind the best by no more is as good as that, in nats.
    """
    ties = []
    text = scored.reply.reply
    for place, best in enumerate(scored.best):
        least = max(best.values()) - behind
        for token, known in best.items():
            if token == scored.tokens[place] or known < least:
                continue
            # Of a letter whose bytes are several tokens, the first alone is no letter yet.
            other = reader.text([*scored.tokens[:place], token]).rstrip("\N{REPLACEMENT CHARACTER}")
            common = _common(text, other)
            ties.append((common, other[common:], token in reader.stops))
    return replace(scored.reply, ties=tuple(ties))


def _common(text: str, other: str) -> int:
    unlike = (place for place, (a, b) in enumerate(zip(text, other, strict=False)) if a != b)
    return next(unlike, min(len(text), len(other)))
