"""Zero-shot with the ontology: the prompt lists all scenarios, actions and slot types.

It shows what the base model can do when it knows the labels. Without them, zero-shot replies are mostly
guesses at label names. This is a reference row, not a fine-tuning strategy.
"""

from slubench import Strategy

ZERO_SHOT_ONTOLOGY = Strategy(
    name="zero-shot-ontology",
    summary="The base model with the ontology in its prompt",
    ontology=True,
)
