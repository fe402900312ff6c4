"""Tokenizer, export and resumption of the tiny model."""

import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from safetensors import safe_open
from transformers import AutoProcessor, PreTrainedTokenizerFast, Qwen2AudioForConditionalGeneration

from tools.mini.model.architecture import MEL_BINS
from tools.mini.model.batches import ClipPool, MixRecipe
from tools.mini.model.features import LOOKAHEAD
from tools.mini.model.materials import draw, from_row, surroundings
from tools.mini.model.pretrain import move, take
from tools.mini.model.schedule import Schedule
from tools.mini.model.state import export, prepare, resume, store
from tools.mini.model.tokenizer import train_tokenizer

TEXTS = [
    "turn off the light in the kitchen",
    "schalte das licht in der küche aus",
    "éteins la lumière à huit heures",
]
SYMBOLS = "abc"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS * 4, 360)


@pytest.fixture
def pool(tmp_path: Path) -> ClipPool:
    rng = np.random.default_rng(0)
    rows, blocks, start = [], [], 0
    for number in range(8):
        frames = 60 + 4 * number
        blocks.append(rng.standard_normal((frames + LOOKAHEAD, MEL_BINS)).astype(np.float16))
        row = {
            "id": str(number),
            "language": ("de", "fr", "en")[number % 3],
            "text": "an aus",
            "kind": "generic",
        }
        rows.append(row | {"phonemes": "abcab", "start": start, "frames": frames})
        start += len(blocks[-1])
    np.save(tmp_path / "de-0000.npy", np.concatenate(blocks))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "de-0000.parquet")
    return ClipPool(tmp_path)


@pytest.mark.parametrize("text", [*TEXTS, '{"scenario":"iot","entities":[{"time":"fünf uhr"}]}', "日本 x\ny"])
def test_tokens_give_their_text_again(tokenizer: PreTrainedTokenizerFast, text: str) -> None:
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_special_tokens_are_one_token_each(tokenizer: PreTrainedTokenizerFast) -> None:
    ids = tokenizer("<|im_start|><|audio_bos|><|AUDIO|><|audio_eos|><|im_end|><|endoftext|>")["input_ids"]
    assert sorted(ids) == list(range(6))


def test_an_export_loads_plainly_and_answers(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> None:
    prepare(tmp_path / "run", tokenizer, SYMBOLS)
    training = resume(tmp_path / "run", seed=3)
    store(training, tmp_path / "run")
    export(tmp_path / "run", tmp_path / "tiny")
    with safe_open(tmp_path / "tiny" / "model.safetensors", framework="numpy") as file:
        assert not [key for key in file.keys() if key.startswith("language_model.model.model.")]  # noqa: SIM118
    loaded: Any = Qwen2AudioForConditionalGeneration.from_pretrained(
        tmp_path / "tiny", output_loading_info=True
    )
    model, report = loaded
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert model.dtype == torch.float32
    assert sorted(model.generation_config.eos_token_id) == [0, 2]
    weights = training.model.model.language_model.layers[0].mlp.up_proj.weight
    torch.testing.assert_close(
        model.model.language_model.layers[0].mlp.up_proj.weight, weights.half().float()
    )
    processor = AutoProcessor.from_pretrained(tmp_path / "tiny")
    turns = [{"role": "user", "content": [{"type": "text", "text": "Repeat.\n"}, {"type": "audio"}]}]
    prompt = processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    assert prompt == (
        "<|im_start|>user\nRepeat.\n<|audio_bos|><|AUDIO|><|audio_eos|><|im_end|>\n<|im_start|>assistant\n"
    )
    clip = np.random.default_rng(0).standard_normal(16_000).astype(np.float32)
    inputs = processor(text=[prompt], audio=[clip], sampling_rate=16_000, return_tensors="pt")
    assert int((inputs["input_ids"] == model.config.audio_token_id).sum()) == 12
    assert model.generate(**inputs, max_new_tokens=3).shape[1] > inputs["input_ids"].shape[1]


def test_an_export_without_a_state_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no state is stored yet"):
        export(tmp_path, tmp_path / "tiny")


def test_a_resumed_training_takes_the_same_steps(
    tokenizer: PreTrainedTokenizerFast, pool: ClipPool, tmp_path: Path
) -> None:
    schedule = Schedule(steps=8, warmup=2, joins=0.25, settles=0.25)
    recipe = MixRecipe(tokenizer, SYMBOLS, surroundings(), from_row, draw)
    prepare(tmp_path, tokenizer, SYMBOLS)

    def walk(steps: int) -> list[dict[str, float]]:
        training = resume(tmp_path, seed=0)
        found = []
        for _ in range(steps):
            parts = take(training, recipe, pool, schedule, rank=0, batch=3)
            found.append({name: float(value) for name, value in parts.items()})
            move(training, schedule, processes=1)
        if steps == 3:
            store(training, tmp_path)
        return found

    through = walk(5)
    assert walk(3) == through[:3]
    assert walk(2) == through[3:]
    assert "bpe" in through[0]
    assert "spoken" not in through[0]
    assert {"spoken", "tail", "utterance", "divergence", "cosine"} <= set(through[4])


def test_pretraining_never_asks_the_benchmark_s_question() -> None:
    from tools.mini.model.gap import INSTRUCTION
    from tools.mini.model.instructions import IN_BOTH_MODES, WRITTEN_ONLY, ask, copy

    rng, around = Random(0), surroundings()
    asked = [
        ask(draw(rng), around, rng, tasks) for tasks in (IN_BOTH_MODES, WRITTEN_ONLY) for _ in range(600)
    ]
    assert all(question.instruction != INSTRUCTION for question in asked)
    with_keys = [question for question in asked if '"scenario":' in question.answer]
    assert with_keys, "copies keep the benchmark's tokens alive"
    assert all(question.instruction == f"Copy: {question.answer}" for question in with_keys)
    assert json.loads(copy(draw(rng), around, rng).answer)
