"""What a bundle says of itself is believed within bounds, and what is published tells of no machine."""

from __future__ import annotations

import getpass
import json
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slubench.domain.lookalike import looks_like
from slubench.registry.adapters import Adapter
from slubench.runtime import redaction
from slubench.runtime.redaction import public_line, redacted, without_paths
from slubench.submission.publish.public_records import shown_reply
from slubench.submission.published_fields import card_faults, public_content
from tests.submission.conftest import Verify
from tests.submission.made_bundles import change_json, change_rows, set_all, sign, the

PUBLISHED = Path(__file__).resolve().parents[2] / "adapters_registry" / "published"


@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("*.json")), ids=lambda path: path.stem)
def test_what_was_published_before_may_be_published_now(path: Path) -> None:
    assert list(card_faults(public_content(Adapter.load(path)))) == []


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "card",
            lambda card: card["training"].update(seconds=-1),
            "training.seconds is -1, expected a number",
        ),
        ("card", lambda card: card["training"].update(seconds=1e12), "training.seconds is 1000000000000.0"),
        ("card", lambda card: card["training"].update(flops=True), "training.flops is True"),
        (
            "card",
            lambda card: card["training"].update(device="\u202egpu"),
            "a character that can't be printed",
        ),
        (
            "card",
            lambda card: card["training"].update(device="\x1b[31m"),
            "a character that can't be printed",
        ),
        ("card", lambda card: card["training"].update(device="x" * 501), "expected a line of at most 500"),
        (
            "card",
            lambda card: card["training"].update(curve=[{"update": 1}]),
            "training.curve, item 1,.loss is missing",
        ),
        ("card", lambda card: card["training"].update(curve=3), "training.curve is 3, expected a list"),
        ("card", lambda card: card["ledger"].update(minutes_bought=-3.0), "ledger.minutes_bought is -3.0"),
        ("card", lambda card: card["ledger"]["clips_unique"].update({"../x": 1}), "has the key '../x'"),
        ("card", lambda card: card.update(base="evil.py"), "There is no model 'evil.py'"),
        (
            "card",
            lambda card: card.update(base="../models/evil.py"),
            "base is '../models/evil.py', expected at most",
        ),
        ("card", lambda card: card.update(fingerprint="../" * 8), "fingerprint is '../../"),
        (
            "card",
            lambda card: card.update(sha256={"../x.safetensors": "0" * 64}),
            "has the key '../x.safetensors'",
        ),
        ("card", lambda card: card.update(sha256={"\x00.safetensors": "0" * 64}), "can't be printed"),
        ("card", lambda card: card.update(data_seed=-1), "data_seed is -1, expected an integer from 0"),
        ("report", lambda report: report.update(seconds=-0.5), "seconds is -0.5, expected a number from 0"),
        ("report", lambda report: report.update(device="a\u200bb"), "a character that can't be printed"),
        (
            "report",
            lambda report: report.update(version="1; rm -rf"),
            "version is '1; rm -rf', expected a version",
        ),
    ],
)
def test_a_field_that_may_not_be_published_is_told(
    file: str, change: Change, message: str, one: Path, held: Verify
) -> None:
    change_json(the(one, "curriculum") / f"{file}.json", change)
    sign(one)
    told = held(one).findings.told()
    assert any(message in line for line in told), told


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("scores", set_all(created=-62_135_596_800_000), "a time outside of the calendar"),
        ("scores", set_all(created=0), "created is 1970-01-01 00:00:00+00:00, expected a time from 2025"),
        ("scores", set_all(minutes_bought=-1.0), "minutes_bought is -1.0, expected a number from 0"),
        ("scores", set_all(flops=float("nan")), "'flops' holds a number that is not finite"),
        ("scores", set_all(run="a\u202eb"), "run is 'a\\u202eb', expected a name"),
        ("scores", set_all(task="evil.py"), "There is no task 'evil.py'"),
        ("replies", set_all(reply_tokens=-1), "reply_tokens is -1, expected 0 to"),
        (
            "replies",
            set_all(reply=json.dumps({"scenario": "a", "action": "b", "entities": [{"t": "f"}] * 900})),
            "a reply of 900 slots; the maximum is 400",
        ),
        (
            "replies",
            set_all(
                reply=json.dumps(
                    {"scenario": "a", "action": "b", "entities": [{f"t{n}": "f" for n in range(300)}]}
                )
            ),
            "a reply of 300 types of slots; the maximum is 200",
        ),
        ("lessons", set_all(weight=float("inf")), "'weight' holds a number that is not finite"),
    ],
)
def test_a_value_that_may_not_be_published_is_told(
    file: str, change: Callable[[list[dict[str, Any]]], object], message: str, one: Path, held: Verify
) -> None:
    change_rows(the(one, "curriculum") / f"{file}.parquet", change)
    sign(one)
    told = held(one).findings.told()
    assert any(message in line for line in told), told


def test_no_name_of_a_bundle_is_a_file_that_is_imported(
    one: Path, held: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mark = tmp_path / "imported"
    (tmp_path / "evil.py").write_text(f"open({str(mark)!r}, 'w')\n", "utf-8")
    change_json(the(one, "curriculum") / "card.json", lambda card: card.update(base="evil.py"))
    sign(one)
    assert held(one).tier is None
    change_rows(the(one, "curriculum") / "scores.parquet", set_all(task="evil.py"))
    sign(one)
    assert held(one).tier is None
    assert not mark.exists()


def test_what_is_found_keeps_a_run_from_being_rescored(one: Path, held: Verify) -> None:
    change_json(the(one, "curriculum") / "card.json", lambda card: card.update(licence="mine"))
    sign(one)
    verification = held(one)
    assert verification.cases[0].scores is not None
    assert [case.tier for case in verification.cases] == ["claimed"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe" + "X = 1\n".encode("utf-16-le"), "byte 1 is not UTF-8"),
        ("# \u202e\n".encode(), "it holds the character '\\u202e', which a reader would not see"),
        ("X = 'a\u200bb'\n".encode(), "it holds the character '\\u200b'"),
        (b"# \x1b[31m\n", "it holds the character '\\x1b'"),
        (b"import os\nx = (" * 500, "it is not valid Python"),
    ],
)
def test_a_strategy_that_does_not_read_as_it_is_written(
    content: bytes, message: str, one: Path, held: Verify
) -> None:
    (file,) = (one / "strategies").iterdir()
    file.write_bytes(content + file.read_bytes())
    sign(one)
    told = held(one).findings.told()
    assert any(message in line for line in told), told


@pytest.mark.parametrize(
    "name", ["direct.mix", "directmix", "d1rect-mix", "dlrect-mix", "curricu1um", "curricuiurn", "text-0nly"]
)
def test_a_name_that_looks_like_a_taken_one(name: str) -> None:
    taken = ("curriculum", "direct-mix", "text-only")
    assert looks_like(name, taken) in taken
    assert looks_like("curriculum", taken) == ""


@pytest.mark.parametrize(
    "name", ["curr\u0456culum", "CURRICULUM", "\uff43urriculum", "curriculu\u0301m", "\u0441urriculum"]
)
def test_other_scripts_look_alike_too(name: str) -> None:
    assert looks_like(name, ("curriculum",)) == "curriculum"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/me/x/run.json", "run.json"),
        ("merged /home/me/x/run.json, as told", "merged run.json, as told"),
        ("a=/data/me/b c", "a=b c"),
        ("file:///home/me/x.json", "x.json"),
        ("~/slu/x.json is missing", "x.json is missing"),
        ("~me/slu/x.json", "x.json"),
        (r"C:\Users\me\x.json", "x.json"),
        (r"at C:\Users\me\x.json: no", "at x.json: no"),
        (r"\\host\share\x.json", "x.json"),
        ("https://huggingface.co/a/b", "https://huggingface.co/a/b"),
        (
            "speech-massive/de/train, id 7 (a.parquet, row 3)",
            "speech-massive/de/train, id 7 (a.parquet, row 3)",
        ),
        ("Qwen/Qwen2-Audio@abc", "Qwen/Qwen2-Audio@abc"),
        ("12 clips/s and/or 1/2", "12 clips/s and/or 1/2"),
    ],
)
def test_paths_are_left_out_of_what_is_published(text: str, left: str) -> None:
    assert without_paths(text) == left
    assert without_paths({"a": [text], text: 1}) == {"a": [left], left: 1}


def test_user_and_host_are_left_out_of_what_is_published(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "jdoe")
    monkeypatch.setattr(platform, "node", lambda: "lab-17.example.org")
    text = {"device": "H100 of jdoe@lab-17.example.org", "why": "lab-17 is slow, jdoes it", "n": 3}
    assert redacted(text) == {"device": "H100 of [user]@[host]", "why": "[host] is slow, jdoes it", "n": 3}
    monkeypatch.setattr(getpass, "getuser", lambda: "root")
    assert redacted("root of all") == "root of all"


def test_a_home_whose_name_holds_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_own_folders", lambda: ("/home/Jane Doe",))
    assert without_paths("lies in /home/Jane Doe/slu/a.json now") == "lies in a.json now"


def test_lines_and_replies_are_shown_as_they_are_read() -> None:
    assert public_line("a\nb\u202e /home/me/c") == "a\\nb\\u202e c"
    assert len(public_line("x" * 9_000)) == 500
    assert shown_reply("a\u202eb\x1b") == "a\\u202eb\\x1b"
    assert shown_reply("x" * 2_000) == "x" * 1_000 + "..."
    assert shown_reply(None) is None
