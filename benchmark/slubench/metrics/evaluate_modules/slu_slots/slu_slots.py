"""Slot-type F1 and slot-value CER, as Speech-MASSIVE and SUPERB report them, as a module of `evaluate`."""

import datasets
import evaluate

from slubench.domain.meaning import from_reply, meaning_of
from slubench.metrics.slots import measure_slots, tally_slots

_DESCRIPTION = """F1 of the set of slot types, mean over utterances, and character error rate of slot values
(Yang et al. 2021, arXiv 2105.01051; Lee et al. 2024, arXiv 2408.03900)."""
_CITATION = """@inproceedings{yang21c_interspeech,
  title = {{SUPERB}: Speech Processing Universal PERformance Benchmark},
  author = {Yang, Shu-wen and others}, booktitle = {Proceedings of Interspeech}, year = {2021}}"""
_INPUTS = """
Args:
    predictions: Replies as strings; an invalid reply has no slots and a type F1 of 0.
    references: Gold in the same form.
Returns:
    slot_type_f1 in [0, 1], and slot_value_cer, which may exceed 1."""


class SluSlots(evaluate.Metric):  # type: ignore[misc]
    """The two slot measures of replies against gold replies."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
            reference_urls=["https://arxiv.org/abs/2105.01051", "https://arxiv.org/abs/2408.03900"],
            license="Apache-2.0 (slubench)",
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        read = [meaning_of(reply) for reply in predictions]
        counts = tally_slots([from_reply(reference) for reference in references], read)
        return {name: float(value) for name, value in measure_slots(counts.sum(axis=0)).items()}
