"""Word error rate by jiwer, as sums over utterances.

jiwer 4 aligns (`process_words`); what is kept are its edits and the words of the reference, so that the rate
of any set is a ratio of sums, as jiwer's own.
"""

from __future__ import annotations

from collections.abc import Sequence

import jiwer
import numpy as np

from slubench.domain.metric import Counting, Metric
from slubench.metrics.measures import Values, ratio
from slubench.metrics.tally import Counts


def tally_words(reference: Sequence[str], hypothesis: Sequence[str | None]) -> Counts:
    """Edits and reference words of each utterance, shape (n, 2).

    Args:
        reference: What was said.
        hypothesis: What was understood; None counts as no word.
    """
    if not reference:
        return np.zeros((0, 2))
    aligned = jiwer.process_words(reference=list(reference), hypothesis=[text or "" for text in hypothesis])
    rows = [
        (
            sum(
                max(part.ref_end_idx - part.ref_start_idx, part.hyp_end_idx - part.hyp_start_idx)
                for part in parts
                if part.type != "equal"
            ),
            len(words),
        )
        for parts, words in zip(aligned.alignments, aligned.references, strict=True)
    ]
    return np.array(rows, dtype=np.float64)


WORDS = Counting("words", ("edits", "words"), tally_words, of="transcripts")
WER = Metric(
    name="wer",
    title="WER",
    counting=WORDS,
    measure=lambda sums: ratio(sums[..., 0], sums[..., 1]),
    about="word error rate of the transcript; may exceed 100 %",
    needs_slots=False,
    more_is_better=False,
    form="percent",
    order=40,
)


def measure_words(counts: Counts) -> dict[str, Values]:
    """Word error rate: edits over reference words, which may exceed 1.

    Args:
        counts: Shape (..., 2), summed over utterances.
    """
    return {WER.name: WER.measure(counts)}
