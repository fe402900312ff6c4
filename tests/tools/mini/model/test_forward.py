"""The trimmed forward passes give what transformers' own modules give on padded input."""

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast, Qwen2AudioForConditionalGeneration

from tools.mini.model.architecture import HOP, MAX_FRAMES, build, feature_extractor
from tools.mini.model.features import LOOKAHEAD
from tools.mini.model.forward import audio_positions, hear, think
from tools.mini.model.tokenizer import train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(["turn off the light", "schalte das licht aus", "éteins la lumière"] * 4, 320)


@pytest.fixture(scope="module")
def model(tokenizer: PreTrainedTokenizerFast) -> Qwen2AudioForConditionalGeneration:
    return build(tokenizer).eval()


def test_hearing_cut_clips_equals_hearing_padded_windows(model: Qwen2AudioForConditionalGeneration) -> None:
    rng = np.random.default_rng(0)
    lengths = [HOP * 51 + 7, HOP * 98, HOP * 75 - 1]
    clips = [rng.standard_normal(length).astype(np.float32) * 0.1 for length in lengths]
    padded = feature_extractor()(clips, sampling_rate=16_000, return_tensors="pt", return_attention_mask=True)
    frames = padded["attention_mask"].sum(-1)
    longest = int(frames.max()) + LOOKAHEAD
    with torch.no_grad():
        heard = hear(model, padded["input_features"][:, :, :longest], frames)
        positions, tokens = audio_positions(frames)
        inside = torch.arange(MAX_FRAMES // 2)[None, :] < positions[:, None]
        mask = torch.zeros(3, 1, 1, MAX_FRAMES // 2).masked_fill(~inside[:, None, None, :], -1e9)
        mask = mask.expand(-1, -1, MAX_FRAMES // 2, -1)
        full = model.model.audio_tower(padded["input_features"], attention_mask=mask).last_hidden_state
        full = model.model.multi_modal_projector(full)
    assert heard.tokens.tolist() == tokens.tolist() == [13, 24, 19]
    for row, count in enumerate(tokens.tolist()):
        torch.testing.assert_close(heard.embeddings[row, :count], full[row, :count], atol=1e-4, rtol=1e-4)


def test_thinking_without_a_mask_equals_the_language_model(model: Qwen2AudioForConditionalGeneration) -> None:
    ids = torch.randint(0, 300, (2, 17), generator=torch.Generator().manual_seed(0))
    ids[1, 9:] = 0
    mask = torch.ones_like(ids)
    mask[1, 9:] = 0
    with torch.no_grad():
        thought = think(model, model.model.language_model.embed_tokens(ids))
        expected = model.model.language_model(ids, attention_mask=mask, output_hidden_states=True)
    torch.testing.assert_close(thought.last[0], expected.last_hidden_state[0], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(thought.last[1, :9], expected.last_hidden_state[1, :9], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(thought.layers[0][0], expected.hidden_states[1][0], atol=1e-4, rtol=1e-4)
