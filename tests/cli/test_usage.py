"""What is given wrongly is met with the near name, the reason and the exit code of DESIGN."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import slubench
from tests.massive_mirror import make_mirror, tone

RUN = ("run", "--task", "massive-de", "--strategy", "curriculum", "--edition", "mini")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "--task", "masive-de", "--strategy", "curriculum"), "Did you mean massive-de"),
        (("run", "--task", "massive-de", "--strategy", "curiculum"), "Did you mean curriculum"),
        ((*RUN, "--model", "tinny"), "Did you mean tiny"),
        ((*RUN, "--edition", "minni"), "Did you mean mini"),
        ((*RUN, "--engine", "vlm"), "Did you mean vllm"),
        ((*RUN, "--track", "lora"), "Did you mean lora-lm"),
        ((*RUN, "--serving", "merge"), "Did you mean merged"),
        ((*RUN, "--speech", "-5%"), "negative"),
        ((*RUN, "--speech", "105%"), "at most 100%"),
        ((*RUN, "--speech", "0"), "curriculum needs speech, but the budget 0 buys none"),
        ((*RUN, "--corpora", "."), "--corpora only applies to the full edition"),
        ((*RUN, "--target", "txt"), "Did you mean text"),
        ((*RUN, "--target", "text"), "massive-de has no target data 'text'"),
        (("data", "check", "massive-dee"), "Did you mean massive-de"),
        (("run", "--task", "massive-de"), "Missing option '--strategy'"),
        (
            ("sweep", "--task", "massive-de", "--strategy", "curriculum", "--seeds", "a"),
            "expected whole numbers",
        ),
        (("list", "taks"), "Did you mean tasks"),
        (("show", "curriculm"), "Did you mean curriculum"),
        (("publish",), "checkout"),
        (("rnu",), "run"),
    ],
)
def test_usage(arguments: tuple[str, ...], message: str, home: Path) -> None:
    ran = slubench(*arguments, code=2)
    assert message in " ".join(ran.stderr.split())
    assert ran.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "messages"),
    [
        (
            (*RUN[:2], "massive-es", *RUN[3:]),
            ["the mini edition lacks massive-es", "massive-de", "massive-fr"],
        ),
        # The test comes first of all: it may be gated.
        ((*RUN[:-1], "full"), ["FBK-MT/Speech-MASSIVE-test/de-DE/test", "--edition mini"]),
        ((*RUN, "--model", "./nowhere"), ["config.json does not exist"]),
        ((*RUN[:-1], "full", "--model", "tiny", "--corpora", "./nowhere"), ["./nowhere".removeprefix("./")]),
    ],
)
def test_what_is_missing(arguments: tuple[str, ...], messages: list[str]) -> None:
    ran = slubench(*arguments, code=1, CUDA_VISIBLE_DEVICES="")
    for message in messages:
        assert message in ran.stderr


def test_a_corpus_that_is_nowhere(tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror")
    options = ("--edition", "full", "--model", "tiny", "--corpora", mirror)
    ran = slubench("run", "--task", "massive-fr", "--strategy", "text-only", *options, code=1)
    assert "FBK-MT/Speech-MASSIVE-test/fr-FR/test" in ran.stderr
    assert str(mirror) in ran.stderr
    assert "https://huggingface.co/datasets/FBK-MT/Speech-MASSIVE-test." in ran.stderr
    assert "hf download --repo-type dataset FBK-MT/Speech-MASSIVE-test" in ran.stderr


def test_options_are_set_by_the_environment() -> None:
    ran = slubench("run", code=2, SLUBENCH_TASK="massive-de", SLUBENCH_STRATEGY="no-such")
    assert "no strategy 'no-such'" in ran.stderr


def test_auto_says_in_a_line_what_it_took() -> None:
    ran = slubench("run", "--task", "massive-es", "--strategy", "curriculum", code=1, CUDA_VISIBLE_DEVICES="")
    assert "no CUDA GPU found: using the mini edition" in ran.stderr
    assert "lacks massive-es" in ran.stderr


def test_data_is_listed_checked_and_prepared(tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror", audio=lambda number: b"" if number == 3 else tone())
    options = ("massive-de", "--edition", "full", "--model", "tiny", "--corpora", mirror)
    ran = slubench("data", "list", *options[:3], *options[5:], "--json")
    assert [(part["part"], part["state"]) for part in json.loads(ran.stdout)] == [
        ("speech-massive/de/train", "here"),
        ("speech-massive/de/test", "here"),
    ]
    checked = slubench("data", "check", *options, code=3)
    assert "the audio is empty (zero bytes)" in checked.stdout
    report = tmp_path / "home/cache/reports/massive-de-full.json"
    assert json.loads(report.read_text("utf-8"))["problems"] == 1
    assert "zero bytes" in report.with_suffix(".txt").read_text("utf-8")
    prepared = slubench("data", "prepare", *options, "--workers", "0", "--json")
    assert [part["clips"] for part in json.loads(prepared.stdout)["prepared"]] == [19, 8]


def test_the_miniature_is_listed_under_its_own_terms() -> None:
    parts = json.loads(slubench("data", "list", "--edition", "mini", "--json").stdout)
    assert {part["state"] for part in parts} == {"here"}
    assert {part["licence"] for part in parts} == {"Apache-2.0"}
    ran = slubench("data", "list", "slurp", "--edition", "mini")
    assert "NC" not in ran.stdout
    assert "spoken by espeak-ng" in ran.stdout


def test_help_and_lists() -> None:
    assert "leaderboard" in slubench("--help").stdout
    assert slubench("--version").stdout.startswith("slubench ")
    assert "massive-fr-to-vi" in slubench("list", "tasks").stdout
    assert "Text first" in slubench("show", "curriculum").stdout
    assert "FBK-MT/Speech-MASSIVE-test" in slubench("show", "massive-de").stdout
    assert "decodes WAV, FLAC, OGG/VORBIS, OGG/OPUS" in slubench("doctor").stdout
