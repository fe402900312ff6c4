"""What is required of a model's architecture, in the words that `slubench check MODEL` shows."""

from __future__ import annotations

from typing import Final

PARTS: Final = "parts exist"
LORA: Final = "LoRA in the language model alone"
TOKENS: Final = "prompt has a placeholder a clip"
LOSS: Final = "loss equals transformers'"
TRAINS: Final = "trains the parts it may"
REPLIES: Final = "replies equal transformers'"
SHAPES: Final = (PARTS, LORA)
NUMBERS: Final = (TOKENS, LOSS, TRAINS, REPLIES)
IN_PROCESS: Final = (*SHAPES, *NUMBERS)

REPORT: Final = "verdicts.json"
"""File of the verdicts, beside the job."""
