"""The embedded corpus is what it says it is, and its making needs no more than the synthesiser."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from slubench.data.editions import MINI_CORPUS
from slubench.data.synthesis import SynthesisError, Synthesizer, trim
from tools.mini import corpus
from tools.mini.grammar import LANGUAGES, Sentence, command, part
from tools.mini.grammar.draw_sentences import filler_held_out, template_held_out
from tools.mini.grammar.language import entities_of, language, strip_annotation
from tools.mini.grammar.ontology import INTENTS, LOCALES, SCENARIOS, SLOT_OF_KIND
from tools.mini.parallel import SIZES
from tools.mini.recording import MAX_SECONDS, SAMPLE_RATE, decode, disturb, encode, level
from tools.mini.speech import fit, lines, plan
from tools.mini.voices import Manner, manner, speakers

SHIPPED = MINI_CORPUS
FILES = [(code, name) for code, sizes in SIZES.items() for name in sizes]


@pytest.fixture
def massive_ontology(real_text: Path) -> dict[str, list[str]]:
    file = real_text / "massive" / "ontology.json"
    content: dict[str, list[str]] = json.loads(file.read_text(encoding="utf-8"))
    return content


def path(code: str, partition: str) -> Path:
    return SHIPPED / corpus.Split(code, partition, ()).path


@cache
def rows(code: str, partition: str) -> list[dict[str, Any]]:
    columns = [name for name in corpus.SCHEMA.names if name != "audio"]
    found: list[dict[str, Any]] = pq.read_table(path(code, partition), columns=columns).to_pylist()
    return found


def of(code: str, partitions: Sequence[str]) -> list[dict[str, Any]]:
    return [row for name in partitions if name in SIZES[code] for row in rows(code, name)]


def held_fillers(code: str) -> set[tuple[str | None, str]]:
    return {
        (SLOT_OF_KIND[kind], filler.words)
        for kind, fillers in language(code).fillers.items()
        for position, filler in enumerate(fillers)
        if filler_held_out(kind, position)
    }


def test_lies_in_the_hubs_own_layout_and_is_small_enough() -> None:
    found = {str(file.relative_to(SHIPPED)) for file in SHIPPED.rglob("*.parquet")}
    assert found == {str(path(code, name).relative_to(SHIPPED)) for code, name in FILES}
    assert "FBK-MT/Speech-MASSIVE/de-DE/train-00000-of-00001.parquet" in found
    assert "FBK-MT/Speech-MASSIVE-test/fr-FR/test-00000-of-00001.parquet" in found
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*.parquet")) <= 27 * 2**20


@pytest.mark.parametrize(("code", "name"), FILES)
def test_every_row_has_its_columns_and_agrees_with_itself(code: str, name: str) -> None:
    file = pq.ParquetFile(path(code, name))
    assert file.schema_arrow.equals(corpus.SCHEMA)
    assert max(file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)) <= corpus.ROW_GROUP
    found = rows(code, name)
    assert len(found) == SIZES[code][name]
    for row in found:
        assert row["utt"] == strip_annotation(row["annot_utt"]) == " ".join(row["tokens"])
        assert SCENARIOS[row["scenario"]] == row["scenario_str"]
        assert INTENTS[row["intent_idx"]] == row["intent_str"]
        assert row["intent_str"].startswith(f"{row['scenario_str']}_")
        assert len(row["labels"]) == len(row["tokens"])
        spoken: Counter[tuple[str, str]] = Counter()
        for slot, filler in entities_of(row["annot_utt"]):
            spoken.update((slot, word) for word in filler.split())
        labelled = zip(row["labels"], row["tokens"], strict=True)
        assert Counter(pair for pair in labelled if pair[0] != "Other") == spoken
        assert (row["partition"], row["locale"]) == (name, LOCALES[code])
        assert row["condition"] in ("clean", "noisy")


def decodes_to_speech(clips: list[dict[str, Any]]) -> None:
    for clip in clips:
        signal = decode(clip["bytes"])
        assert 0.2 < signal.size / SAMPLE_RATE <= MAX_SECONDS + 0.1
        assert np.isfinite(signal).all()
        assert 0.005 < float(np.sqrt(np.mean(signal**2))) < 0.5


@pytest.mark.parametrize(("code", "name"), FILES)
def test_some_clips_decode_to_speech_that_fits(code: str, name: str) -> None:
    decodes_to_speech(pq.read_table(path(code, name), columns=["audio"])["audio"][::25].to_pylist())


@pytest.mark.slow
@pytest.mark.parametrize(("code", "name"), FILES)
def test_every_clip_decodes_to_speech_that_fits(code: str, name: str) -> None:
    decodes_to_speech(pq.read_table(path(code, name), columns=["audio"])["audio"].to_pylist())


def test_the_cast() -> None:
    for code in LANGUAGES:
        known, unseen = ({s.speaker_id for s in speakers(code, unseen=which)} for which in (False, True))
        assert {row["speaker_id"] for row in of(code, ("train", "train_115", "validation"))} == known
        said = [row["speaker_id"] for row in rows(code, "test")]
        assert set(said) == known | unseen
        assert 0.25 <= sum(name in unseen for name in said) / len(said) <= 0.42
        noisy = [row["condition"] == "noisy" for row in of(code, ("train", "test"))]
        assert 0.17 <= sum(noisy) / len(noisy) <= 0.28


def test_splits_are_disjoint_in_ids_and_sentences() -> None:
    for code in LANGUAGES:
        every = of(code, tuple(SIZES[code]))
        assert len({row["id"] for row in every}) == len(every)
        assert len({row["utt"] for row in every}) == len(every)


def test_an_id_is_one_meaning_in_one_partition_in_every_language() -> None:
    by_id: dict[str, dict[str, dict[str, Any]]] = {}
    for code, name in FILES:
        for row in rows(code, name):
            by_id.setdefault(row["id"], {})[code] = row
    for versions in by_id.values():
        assert len({row["partition"] for row in versions.values()}) == 1
        assert len({row["intent_str"] for row in versions.values()}) == 1
        slots = {tuple(sorted(s for s, _ in entities_of(row["annot_utt"]))) for row in versions.values()}
        assert len(slots) == 1
    shared = [ids for ids, versions in by_id.items() if len(versions) == 3]
    assert len(shared) == 1000 + 150 + 500
    assert {row["id"] for row in rows("de", "test")} == {row["id"] for row in rows("fr", "test")}


def test_no_sentence_is_pretrainings() -> None:
    for code, name in FILES:
        assert {part(row["utt"]) for row in rows(code, name)} == {"benchmark"}


def test_held_out_material_is_in_the_test_alone() -> None:
    for code in LANGUAGES:
        held = held_fillers(code)
        learnt = of(code, ("train", "train_115", "validation"))
        assert not held & {pair for row in learnt for pair in entities_of(row["annot_utt"])}
        with_held = [row for row in rows(code, "test") if held & set(entities_of(row["annot_utt"]))]
        assert len(with_held) >= 100


@pytest.mark.slow
def test_shipped_rows_are_the_plans_and_forty_five_in_a_hundred_tests_are_held_out() -> None:
    planned = [(split, row) for split in corpus.splits() for row in split.rows]
    for split, row in planned:
        assert split.partition == "test" or not row.meaning.held_out
    for code in LANGUAGES:
        tests = [row for split, row in planned if (split.language, split.partition) == (code, "test")]
        assert sum(row.meaning.held_out for row in tests) == 225
        assert sum(template_held_out(row.meaning.template) for row in tests) >= 60
        expected = {(str(row.number), row.sentences[code].annotated) for row in tests}
        assert {(row["id"], row["annot_utt"]) for row in rows(code, "test")} == expected


def test_the_few_hold_every_intent_and_slot() -> None:
    slots = {slot for slot in SLOT_OF_KIND.values() if slot}
    for code in ("de", "fr"):
        few = rows(code, "train_115")
        assert {row["intent_str"] for row in few} == set(language(code).templates)
        assert {slot for row in few for slot, _ in entities_of(row["annot_utt"])} == slots
        assert {row["intent_str"] for row in rows(code, "train")} == set(language(code).templates)


def test_label_orders_are_massives(massive_ontology: dict[str, list[str]]) -> None:
    assert list(SCENARIOS) == massive_ontology["scenarios_hf_order"]
    assert list(INTENTS) == massive_ontology["intents_hf_order"]
    assert {slot for slot in SLOT_OF_KIND.values() if slot} <= set(massive_ontology["slot_types_sorted"])


def test_labels_follow_the_annotation() -> None:
    sentence = Sentence("de", "lies [person : anna lea] am [date : montag] vor", "email", "x", "x.0", False)
    assert corpus.labels(sentence) == ["Other", "person", "person", "Other", "date", "Other"]


def test_pretraining_speech_is_planned_in_turns_and_keeps_its_dev_sets_apart() -> None:
    shards = plan(1200)
    assert [shard.name for shard in shards[:4]] == ["de-0000", "fr-0000", "en-0000", "de-0001"]
    assert [shard for shard in shards if shard.unseen] == [s for s in shards if "unseen" in s.name]
    for code in LANGUAGES:
        texts = [line.text for shard in shards if shard.language == code for line in shard.lines]
        assert len(set(texts)) == len(texts) == 1200 + 300 + 150
        assert {part(text) for text in texts} == {"pretraining"}


def test_a_longer_plan_begins_like_a_shorter_one() -> None:
    short = {shard.name: shard for shard in plan(1000)}
    long = {shard.name: shard for shard in plan(1500)}
    assert all(long[name] == shard for name, shard in short.items())
    assert next(lines("de")) == next(lines("de"))


def test_known_and_unseen_speakers_share_no_voice() -> None:
    for code in LANGUAGES:
        known, unseen = speakers(code, unseen=False), speakers(code, unseen=True)
        assert len(known) >= 16
        assert len(unseen) >= 6
        variants = [{s.voice.partition("+")[2] for s in cast} for cast in (known, unseen)]
        assert not variants[0] & variants[1]
        rng = random.Random(1)
        for speaker in known:
            for _ in range(20):
                how = manner(speaker, rng)
                assert 145 <= how.rate <= 215
                assert 28 <= how.pitch <= 72


def test_trim_leaves_a_small_margin() -> None:
    samples = np.zeros(22_050, dtype=np.int16)
    samples[8_000:12_000] = 5_000
    trimmed = trim(samples)
    assert 4_000 < trimmed.size < 4_000 + 2 * 22_050 // 20
    assert trim(np.zeros(100, dtype=np.int16)).size == 100


def test_noise_has_the_level_it_should() -> None:
    tone = (0.3 * np.sin(np.arange(32_000) * 0.2)).astype(np.float32)
    voices = [np.random.default_rng(n).standard_normal(9_000).astype(np.float32) for n in range(5)]
    ratios = []
    for seed in range(40):
        noisy = disturb(tone, random.Random(seed), voices)
        assert noisy.shape == tone.shape
        gain = float(noisy @ tone / (tone @ tone))
        rest = noisy - gain * tone
        ratios.append(20 * np.log10(gain * np.linalg.norm(tone) / np.linalg.norm(rest)))
    assert max(ratios) < 30
    assert min(ratios) > 3
    assert np.std(ratios) > 2


def test_the_codec_keeps_length_and_shape() -> None:
    rng = random.Random(0)
    wave = (8_000 * np.sin(np.cumsum(0.05 + 0.03 * np.sin(np.arange(30_000) / 4_000)))).astype(np.int16)
    signal = level(wave, rng)
    again = decode(encode(signal))
    assert again.size == signal.size
    assert float(np.corrcoef(again, signal)[0, 1]) > 0.9


def test_espeak_says_the_same_in_any_order() -> None:
    requests = [
        (command(code, random.Random(2)).text, speaker.voice, speaker.rate, speaker.pitch)
        for code in LANGUAGES
        for speaker in speakers(code, unseen=False)[3:4]
    ]
    with Synthesizer() as synthesizer:
        forth = {request: synthesizer.speak(*request) for request in requests}
        back = {request: synthesizer.speak(*request) for request in reversed(requests)}
        for request in requests:
            assert forth[request].samples.tobytes() == back[request].samples.tobytes()
            assert forth[request].phonemes == back[request].phonemes
            assert forth[request].samples.size > 10_000
        slow = fit(synthesizer, requests[0][0], speakers("de", unseen=False)[0], Manner(150, 50), limit=1.6)
        assert slow is None or slow[1].rate > 150
        with pytest.raises(SynthesisError, match="no voice 'xx-nowhere'"):
            synthesizer.speak("hallo", "xx-nowhere", 150, 50)
