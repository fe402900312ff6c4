"""Word error rate by jiwer, as a module of `evaluate` that needs no network."""

import datasets
import evaluate

from slubench.metrics.tally import normalise_text
from slubench.metrics.words import measure_words, tally_words

_DESCRIPTION = """Word error rate: word edits over reference words, aligned by jiwer 4."""
_CITATION = (
    """@misc{jiwer, title = {jiwer: similarity measures for automatic speech recognition evaluation}}"""
)
_INPUTS = """
Args:
    predictions: Hypotheses.
    references: Reference transcripts.
    normalised: Whether both sides are compared in NFC, lower case and with white space folded.
Returns:
    wer, which may exceed 1."""


class WordErrors(evaluate.Metric):  # type: ignore[misc]
    """Word error rate of transcripts."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
            reference_urls=["https://github.com/jitsi/jiwer"],
            license="Apache-2.0 (slubench)",
        )

    def _compute(
        self, predictions: list[str], references: list[str], normalised: bool = True
    ) -> dict[str, float]:
        if normalised:
            predictions = [normalise_text(text) for text in predictions]
            references = [normalise_text(text) for text in references]
        values = measure_words(tally_words(references, predictions).sum(axis=0))
        return {name: float(value) for name, value in values.items()}
