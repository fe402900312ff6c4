"""A fast tokenizer of bytes, without merges, with the special tokens that a family wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

# Much of transformers bears no types.
HF: Any = transformers


def byte_tokenizer(special: Sequence[str], **named: Any) -> Any:
    """A tokenizer whose first ids are the special tokens, in order; `named` as in `eos_token="</s>"`."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({token: place for place, token in enumerate([*special, *letters])}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(special))
    return HF.PreTrainedTokenizerFast(tokenizer_object=backend, padding_side="left", **named)
