"""Zero-shot: the base model without any training. The lower baseline of every table."""

from slubench import Strategy

ZERO_SHOT = Strategy(name="zero-shot", summary="The base model without training")
