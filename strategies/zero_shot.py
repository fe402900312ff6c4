"""The model as it is: nothing is learnt. The floor of every table."""

from slubench import Strategy

ZERO_SHOT = Strategy(name="zero-shot", summary="The model as it is, asked without training")
