"""MASSIVE's intent accuracy, slot micro F1 on tokens and exact match, as a module of `evaluate`."""

import datasets
import evaluate

from slubench.metrics.tokens import as_counts, measure_tokens, tally_tokens

_DESCRIPTION = """Intent accuracy, micro F1 of labelled spans of tokens and exact match as MASSIVE has them
(FitzGerald et al. 2022, arXiv 2204.08582); spans are counted as seqeval does by default."""
_CITATION = """@article{fitzgerald2022massive,
  title = {{MASSIVE}: A 1M-Example Multilingual Natural Language Understanding Dataset with 51
    Typologically-Diverse Languages},
  author = {FitzGerald, Jack and others}, journal = {arXiv:2204.08582}, year = {2022}}"""
_INPUTS = """
Args:
    predictions: Objects with `intent` and `labels`, one label for each gold token: BIO tags, or plain types
        and `Other`.
    references: Gold in the same form.
Returns:
    intent_accuracy, token_slot_f1 and token_exact_match, each in [0, 1]."""


class MassiveSlots(evaluate.Metric):  # type: ignore[misc]
    """MASSIVE's three measures of a tagger of the gold tokens."""

    def _info(self) -> evaluate.MetricInfo:
        row = {"intent": datasets.Value("string"), "labels": datasets.List(datasets.Value("string"))}
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation=_CITATION,
            inputs_description=_INPUTS,
            features=datasets.Features({"predictions": row, "references": row}),
            reference_urls=["https://arxiv.org/abs/2204.08582"],
            license="Apache-2.0 (slubench)",
        )

    def _compute(self, predictions: list[dict], references: list[dict]) -> dict[str, float]:  # type: ignore[type-arg]
        pairs = list(zip(references, predictions, strict=True))
        same = [gold["intent"] == said["intent"] for gold, said in pairs]
        rows = [
            tally_tokens(gold["labels"], said["labels"], right)
            for (gold, said), right in zip(pairs, same, strict=True)
        ]
        values = measure_tokens(as_counts(rows).sum(axis=0))
        return {"intent_accuracy": sum(same) / len(same)} | {
            name: float(value) for name, value in values.items()
        }
