"""What is required of a model's architecture, in the words that `slubench check MODEL` shows."""

from __future__ import annotations

from typing import Final

PARTS: Final = "parts exist"
LORA: Final = "LoRA only in the language model"
TOKENS: Final = "prompt has one placeholder for each clip"
LOSS: Final = "loss equals transformers'"
TRAINS: Final = "trains only the allowed parts"
REPLIES: Final = "replies equal transformers'"
SHAPES: Final = (PARTS, LORA)
NUMBERS: Final = (TOKENS, LOSS, TRAINS, REPLIES)
IN_PROCESS: Final = (*SHAPES, *NUMBERS)

REPORT: Final = "verdicts.json"
"""The file of verdicts, beside the job."""
