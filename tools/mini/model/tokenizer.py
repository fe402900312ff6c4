"""The tiny model's tokenizer: byte-level BPE over three languages, with Qwen2-Audio's special tokens.

Pieces are split as GPT-2 splits them, so that the marks of JSON (``":"``, ``"},{"``) become tokens of their
own and a word inside quotes is the same piece wherever it stands.
"""

from collections.abc import Iterable
from typing import Any, Final

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

END_OF_TEXT: Final = "<|endoftext|>"
TURN_START: Final = "<|im_start|>"
TURN_END: Final = "<|im_end|>"
AUDIO: Final = "<|AUDIO|>"
AUDIO_START: Final = "<|audio_bos|>"
AUDIO_END: Final = "<|audio_eos|>"
SPECIAL_TOKENS: Final = (END_OF_TEXT, TURN_START, TURN_END, AUDIO, AUDIO_START, AUDIO_END)

VOCABULARY_SIZE: Final = 2560
"""256 bytes, the special tokens and about 2,300 merges for German, French and English together.

Smaller vocabularies need more than two tokens a word, and quick French then has more tokens than the encoder
gives it frames (12.5 a second).
"""

CHAT_TEMPLATE: Final = (
    "{% for message in messages %}"
    "<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'audio' or 'audio' in part or 'audio_url' in part %}"
    "<|audio_bos|><|AUDIO|><|audio_eos|>"
    "{% elif 'text' in part %}{{ part['text'] }}"
    "{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Qwen2-Audio's chat format without its default system turn and without ``Audio 1:``: half the tokens."""


def train_tokenizer(texts: Iterable[str], vocabulary_size: int = VOCABULARY_SIZE) -> PreTrainedTokenizerFast:
    """Learn the merges from ``texts`` and give the tokenizer that the processor carries.

    Args:
        texts: Sentences, JSON replies and prompts, each as often as its merges matter.
        vocabulary_size: Tokens in all, special ones and the 256 bytes included.

    Returns:
        A tokenizer that pads on the left, as generation wants it.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=2,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    made: Any = PreTrainedTokenizerFast
    finished: PreTrainedTokenizerFast = made(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=END_OF_TEXT,
        additional_special_tokens=[TURN_START, AUDIO, AUDIO_START, AUDIO_END],
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=512,
    )
    return finished
