"""The model as it is, told in its prompt which scenarios, actions and types of entities there are.

What a model without training can do that knows the names; without them a zero-shot answer is mostly a guess
at words. A row to refer to, not a method of fine-tuning.
"""

from slubench import Strategy

ZERO_SHOT_ONTOLOGY = Strategy(
    name="zero-shot-ontology",
    summary="The model as it is, with the ontology in its prompt",
    ontology=True,
)
