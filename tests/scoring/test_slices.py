"""Slices of scores, the prompt that tells the ontology, and the prompt of transcription."""

from __future__ import annotations

import dataclasses

import pytest

from slubench import Entity, Meaning, Utterance
from slubench.domain.prompt import TRANSCRIPT_WANTED, ClipRef, render, with_ontology
from slubench.errors import UsageError
from slubench.registry import Registry
from slubench.scoring.slices import columns_of, gathered, length_of

REGISTRY = Registry()


@pytest.mark.parametrize(
    ("seconds", "name"),
    [
        (0.0, "under 2 s"),
        (1.99, "under 2 s"),
        (2.0, "2-3 s"),
        (3.5, "3-4 s"),
        (5.9, "4-6 s"),
        (6.0, "6 s and longer"),
        (40.0, "6 s and longer"),
    ],
)
def test_lengths(seconds: float, name: str) -> None:
    assert length_of(seconds) == name


def test_the_columns_of_an_utterance() -> None:
    meaning = Meaning("alarm", "set", (Entity("time", "noon"),))
    utterance = Utterance("1", "de", "mittags", meaning, slices={"condition": "noisy"})
    assert columns_of(utterance) == {
        "condition": "noisy",
        "language": "de",
        "intent": "alarm_set",
        "entities": "some",
    }
    assert columns_of(utterance, 2.5)["length"] == "2-3 s"
    silent = dataclasses.replace(utterance, meaning=Meaning("news", "query"))
    assert columns_of(silent)["entities"] == "none"


def test_places_of_slices() -> None:
    found = gathered([{"sex": "f"}, {}, {"sex": "m"}, {"sex": "f"}])
    assert next(iter(found)) == ("all", "all")
    assert {key: places.tolist() for key, places in found.items()} == {
        ("all", "all"): [0, 1, 2, 3],
        ("sex", "f"): [0, 3],
        ("sex", "m"): [2],
    }


@pytest.mark.parametrize("name", list(REGISTRY.models))
def test_the_ontology_stands_before_what_varies(name: str) -> None:
    declared = REGISTRY.model(name)
    alarms = [Meaning("alarm", "set", (Entity("day", "x"),)), Meaning("alarm", "query")]
    meanings = [Meaning("news", "query"), *alarms]
    told = with_ontology(declared, meanings)
    prompt = render(told, ["wake me"])
    assert "alarm: query, set; news: query" in prompt
    assert "Types of entities: day." in prompt
    assert prompt.index("Scenarios") < prompt.index("wake me")
    assert declared.prompt.before in prompt
    assert told.prompt.after == declared.prompt.after


@pytest.mark.parametrize("name", list(REGISTRY.models))
def test_a_transcript_is_asked_by_a_prompt_of_its_own(name: str) -> None:
    model = REGISTRY.model(name)
    spoken = render(model, [ClipRef("key")], TRANSCRIPT_WANTED)
    assert spoken.count(model.prompt.audio) == 1
    assert "JSON" not in spoken
    mute = dataclasses.replace(model, transcription=None)
    with pytest.raises(UsageError, match="declares no prompt for transcription"):
        render(mute, [ClipRef("key")], TRANSCRIPT_WANTED)
    assert type(model).from_json(mute.to_json()) == mute
