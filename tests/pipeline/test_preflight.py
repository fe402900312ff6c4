"""What cannot be done is refused before anything is fetched, the test split first."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from slubench.data import hub, source
from slubench.data.editions import FULL
from slubench.data.hub_files import HubFile, HubListing, accept, no_access
from slubench.domain.budget import Budget
from slubench.errors import DataError, MissingError
from slubench.pipeline import preflight
from slubench.pipeline.context import Context, open_context
from slubench.pipeline.preflight import check_before_fetching
from tests.massive_mirror import row, write_split

TEST, TRAIN = "FBK-MT/Speech-MASSIVE-test", "FBK-MT/Speech-MASSIVE"
MODEL = "Qwen/Qwen2-Audio-7B-Instruct"
FILES = {
    TEST: [HubFile("de-DE/test-00000-of-00001.parquet", 10**9)],
    TRAIN: [HubFile("de-DE/train-00000-of-00001.parquet", 4 * 10**9), HubFile("fr-FR/x.parquet", 10**12)],
    MODEL: [HubFile("model-00001.safetensors", 16 * 10**9), HubFile("notes.bin", 10**12)],
}


class FakeHub:
    """A Hub with some files; notes what it is asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, gated: str = "") -> None:
        self.asked: list[str] = []
        self.gated = gated
        for module in (hub, preflight):
            monkeypatch.setattr(module, "listing", self.listing)
        monkeypatch.setattr(source, "fetch", self.fetch)

    def listing(self, repository: str, revision: str | None, kind: str = "dataset") -> HubListing:
        self.asked.append(repository)
        if repository == self.gated:
            raise no_access(repository, kind)
        return HubListing(repository, kind, "0" * 40, tuple(FILES[repository]))

    def fetch(self, *_: Any) -> Any:
        self.asked.append("fetch")
        raise MissingError("fetched")


def check(context: Context, track: str = "lora-lm", strategy: str = "text-only") -> None:
    registry = context.registry
    check_before_fetching(
        registry.model(FULL.model),
        track,
        [registry.task("massive-de")],
        [registry.strategy(strategy)],
        [Budget.parse("5%")],
        "full",
        context,
    )


@pytest.fixture
def context(home: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A context on a machine with a large GPU and an empty cache of the Hub."""
    monkeypatch.setattr(preflight, "require_gpu", lambda model: None)
    monkeypatch.setattr(preflight, "require_memory", lambda *_, **__: None)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr("huggingface_hub._snapshot_download.constants.HF_HUB_CACHE", str(home / "hub"))
    return open_context(home=home)


def test_a_gated_test_split_is_told_first_with_its_own_page(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = FakeHub(monkeypatch, gated=TEST)
    monkeypatch.setattr(preflight, "require_gpu", lambda model: pytest.fail("the GPU came first"))
    with pytest.raises(MissingError, match=f"accept its terms at https://huggingface.co/datasets/{TEST}\\."):
        check(context)
    assert served.asked == [TEST]


def test_memory_that_is_too_small_is_told_before_anything_is_fetched(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = FakeHub(monkeypatch)

    def too_small(*_: object, **__: object) -> None:
        raise MissingError("too small")

    monkeypatch.setattr(preflight, "require_memory", too_small)
    with pytest.raises(MissingError, match="too small"):
        check(context)
    assert served.asked == [TEST]


def test_disk_is_counted_from_the_hubs_sizes(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    served = FakeHub(monkeypatch)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 20 * 10**9}))
    with pytest.raises(
        MissingError,
        match=r"Not enough disk space: 22\.1 GB are needed, 20\.0 GB are free\. speech-massive/de/test: 1\.0"
        r" GB in .*; speech-massive/de/train: 4\.0 GB in .*; the weights of qwen2-audio-7b-instruct: 16\.0 GB"
        r" in .*HF_HOME",
    ):
        check(context)
    assert "fetch" not in served.asked


def test_full_tuning_and_merged_weights_count_on_the_disk(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    FakeHub(monkeypatch)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 20 * 10**9}))
    with pytest.raises(MissingError, match=r"checkpoints and weights of the track full: 319\.1 GB"):
        check(context, "full")


def test_with_room_the_test_is_fetched_first(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    served = FakeHub(monkeypatch)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10**12}))
    with pytest.raises(MissingError, match="fetched"):
        check(context)
    assert served.asked == [TEST, TRAIN, MODEL, "fetch"]


def test_a_missing_test_split_is_told_before_weights(context: Context) -> None:
    with pytest.raises(MissingError, match=f"{TEST}/de-DE/test.* was not found"):
        check(context)


def test_a_broken_clip_of_the_test_is_told_before_weights_are_fetched(
    tmp_path: Path, home: Path, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = FakeHub(monkeypatch)
    rows = [row(0, "alarm_set", "wake me", "de-DE", "test", b"no sound", "s")]
    write_split(tmp_path / "corpora", "test", rows, shards=1)
    mirrored = open_context(home=home, corpora=tmp_path / "corpora")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10**12}))
    with pytest.raises(DataError, match="cannot be decoded"):
        check(mirrored)
    assert "fetch" not in served.asked


def test_the_terms_of_a_model_are_on_its_own_page() -> None:
    assert accept("org/model", "model") == "First accept its terms at https://huggingface.co/org/model."
