"""SLURP's measures of scenario, action, intent and entities, as a module of `evaluate`."""

import datasets
import evaluate

from slubench.domain.meaning import from_reply, meaning_of
from slubench.metrics import SCORER_VERSION, measure, normalise, tally_all

_DESCRIPTION = """SLU-F1 and the other measures of SLURP's scorer (Bastianelli et al. 2020, arXiv 2011.13205)
for replies of one line of JSON: {"scenario":"alarm","action":"set","entities":[{"time":"eight o'clock"}]}"""
_CITATION = """@inproceedings{bastianelli-etal-2020-slurp,
  title = {{SLURP}: A Spoken Language Understanding Resource Package},
  author = {Bastianelli, Emanuele and Vanzo, Andrea and Swietojanski, Pawel and Rieser, Verena},
  booktitle = {Proceedings of EMNLP}, year = {2020}}"""
_INPUTS = """
Args:
    predictions: Replies as they came; one that does not parse is wrong and counted in `parse_failures`.
    references: Gold in the same form.
    normalised: Whether both sides are compared in NFC, lower case and with white space folded (ranked), or
        gold lower-cased and the prediction as it is (official).
Returns:
    A float by name, in [0, 1]: slu_f1, slu_precision, slu_recall, intent_accuracy, scenario_accuracy,
    action_accuracy, entity_f1, word_f1, char_f1, exact_match, parse_failures."""


class SlurpSlu(evaluate.Metric):  # type: ignore[misc]
    """The measures of replies against gold replies."""

    def _info(self) -> evaluate.MetricInfo:
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features(
                {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
            ),
            reference_urls=["https://arxiv.org/abs/2011.13205"],
            license=f"Apache-2.0 (slubench, scorer version {SCORER_VERSION})",
        )

    def _compute(
        self, predictions: list[str], references: list[str], normalised: bool = True
    ) -> dict[str, float]:
        gold = [from_reply(reference) for reference in references]
        read = [meaning_of(reply) for reply in predictions]
        if normalised:
            gold = [normalise(meaning) for meaning in gold]
            read = [normalise(meaning) if meaning else None for meaning in read]
        values = measure(tally_all(gold, read).sum(axis=0))
        return {name: float(value) for name, value in values.items()}
