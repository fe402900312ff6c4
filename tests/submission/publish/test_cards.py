"""A published card says all that identifies what was trained, in few lines and without a path."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from slubench.domain.ledger import Ledger
from slubench.registry.adapters import Adapter
from slubench.runtime.home import Home
from slubench.submission.publish.cards import POINTS, write_public_card

ROOT = Path(__file__).resolve().parents[3]
PUBLISHED = sorted((ROOT / "adapters_registry" / "published").glob("*.json"))


def a_card(folder: Path, updates: int) -> Adapter:
    training = {
        "name": "one",
        "repository": str(folder / "weights"),
        "revision": None,
        "seconds": 1.5,
        "flops": 2.0,
        "curve": [{"update": n, "loss": 1 / n, "rate": 0.1} for n in range(1, updates + 1)],
        "watched": [{"update": 1, "loss": 2.0}, {"update": 2, "loss": 1.0}],
        "kept": 2,
    }
    return Adapter(
        name="one",
        fingerprint="f" * 64,
        base="tiny",
        weights="w",
        track="lora-lm",
        strategy="curriculum",
        strategy_digest="d" * 64,
        corpus="speech-massive",
        pools={"speech-massive/de/train": "a"},
        budget="5%",
        data_seed=0,
        train_seed=0,
        edition="mini",
        ruleset="fixed",
        recipe={"rate": 0.1},
        ledger=Ledger(clips_there=9, updates=(3, 4), rejected=("a row",)),
        training=training,
        sha256={"adapter_model.safetensors": "a" * 64},
    )


def test_a_card_of_home_keeps_all_and_takes_few_lines(tmp_path: Path) -> None:
    card = a_card(tmp_path, 500)
    path = card.save(Home(tmp_path))
    assert Adapter.load(path) == card
    assert len(path.read_text("utf-8").splitlines()) < 70


def test_a_card_with_a_line_a_number_is_read(tmp_path: Path) -> None:
    card = a_card(tmp_path, 5)
    path = tmp_path / "old.json"
    path.write_text(json.dumps(dataclasses.asdict(card), indent=1), "utf-8")
    assert Adapter.load(path) == card


@pytest.mark.parametrize("updates", [0, 3, 500])
def test_a_public_card_has_no_path_and_a_thin_curve(tmp_path: Path, updates: int) -> None:
    card, path = a_card(tmp_path, updates), tmp_path / "public.json"
    write_public_card(card, path)
    assert str(tmp_path) not in path.read_text("utf-8")
    public = Adapter.load(path)
    assert dataclasses.replace(public, training=card.training) == card
    curve = public.training["curve"]
    assert len(curve) <= POINTS
    assert [point["update"] for point in curve][-1:] == [updates][: len(curve)]
    assert (public.training["watched"], public.training["kept"]) == (card.training["watched"], 2)
    assert "repository" not in public.training


def test_a_hub_revision_stays(tmp_path: Path) -> None:
    card = a_card(tmp_path, 3)
    card.training.update(repository="owner/model", revision="abc")
    write_public_card(card, tmp_path / "public.json")
    told = Adapter.load(tmp_path / "public.json").training
    assert (told["repository"], told["revision"]) == ("owner/model", "abc")


def test_there_are_published_cards() -> None:
    assert len(PUBLISHED) > 30


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_published_card_is_compact_and_found_by_its_name(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 60
    card = Adapter.load(path)
    assert path.stem == card.stem
    assert not Path(card.training.get("repository", "")).parts
