"""Checks that predictions are complete: every test utterance once from each input."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from slubench.scoring.predictions import Prediction


def incomplete(rows: Sequence[Prediction], test: Iterable[str], inputs: Iterable[str]) -> str:
    """The problem with the predictions of a test set, or an empty string.

    Args:
        rows: The predictions.
        test: Keys of the test's utterances.
        inputs: What each is predicted from.
    """
    keys = tuple(test)
    found = Counter((row.input, row.utterance) for row in rows)
    expected = {(one, key) for one in inputs for key in keys}
    missing, extra = expected - found.keys(), found.keys() - expected
    doubled = {question for question, times in found.items() if times > 1}
    kinds = (("missing", missing), ("not in the test set", extra), ("there twice", doubled))
    told = [f"{len(some)} {what} (as {min(some)[1]}, {min(some)[0]})" for what, some in kinds if some]
    return f"of {len(expected)} predictions {', '.join(told)}" if told else ""
