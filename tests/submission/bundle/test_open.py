"""A folder of a stranger's: links, pipes, paths that lead out, what is listed and what is not."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from slubench.errors import UsageError, shown
from slubench.submission.bundle import layout
from slubench.submission.bundle import open as opening
from slubench.submission.bundle.open import open_bundle
from slubench.submission.bundle.untrusted_files import parse_object
from slubench.submission.problems import Problem, Problems, Refusal
from tests.submission.made_bundles import change_json, sign, the


def findings_of(bundle: Path) -> list[Problem]:
    findings = Problems()
    open_bundle(bundle, findings)
    for line in findings.told():
        assert line.isprintable(), line
        assert len(line) < 700, line
    return findings.found


def test_an_honest_bundle_opens(bundle: Path) -> None:
    findings = Problems()
    opened = open_bundle(bundle, findings)
    assert findings.found == []
    assert opened is not None
    assert len(opened.entries) == 3
    assert [len(entry.weights) for entry in opened.entries] == [1, 1, 0]
    with pytest.raises(UsageError, match="is not a folder"):
        open_bundle(bundle / "nowhere", findings)


def _link(bundle: Path) -> None:
    card = the(bundle, "zero-shot") / "card.json"
    card.unlink()
    card.symlink_to("/etc/passwd")


def _linked_folder(bundle: Path) -> None:
    (bundle / "more").symlink_to(bundle / "runs")


def _pipe(bundle: Path) -> None:
    card = the(bundle, "zero-shot") / "card.json"
    card.unlink()
    os.mkfifo(card)


def _pickle(bundle: Path) -> None:
    next((bundle / "adapters").iterdir()).joinpath("adapter_model.bin").write_bytes(b"\x80\x04.")


def _listed_pickle(bundle: Path) -> None:
    _pickle(bundle)
    sign(bundle)


def _no_manifest(bundle: Path) -> None:
    (bundle / "manifest.json").unlink()


def _changed(bundle: Path) -> None:
    with (the(bundle, "zero-shot") / "replies.parquet").open("ab") as file:
        file.write(b"x")


def _missing(bundle: Path) -> None:
    (the(bundle, "zero-shot") / "report.json").unlink()


def _unlisted(bundle: Path) -> None:
    (bundle / "setup.py").write_text("raise SystemExit", "utf-8")


def _odd_name(bundle: Path) -> None:
    (bundle / "a\x1b[31m\nb").write_text("x", "utf-8")


def _deep(bundle: Path) -> None:
    (bundle / "runs/a/b/c/d/e").mkdir(parents=True)


def _huge_json(bundle: Path) -> None:
    (the(bundle, "zero-shot") / "report.json").write_text(" " * (2 * layout.MEBI), "utf-8")
    sign(bundle)


def _manifest(**changes: Any) -> Callable[[Path], None]:
    return lambda bundle: change_json(bundle / "manifest.json", lambda manifest: manifest.update(changes))


def _path(path: str) -> Callable[[Path], None]:
    def change(manifest: dict[str, Any]) -> None:
        manifest["files"][path] = {"sha256": "0" * 64, "bytes": 1}

    return lambda bundle: change_json(bundle / "manifest.json", change)


@pytest.mark.parametrize(
    ("tamper", "file", "message"),
    [
        (_link, "card.json", "a symbolic link (to '/etc/passwd') is not allowed"),
        (_linked_folder, "more", "a symbolic link"),
        (_pipe, "card.json", "it is not a regular file"),
        (_pickle, "adapter_model.bin", "pickled weights are refused"),
        (_listed_pickle, "manifest.json", "names pickled weights, and reading them can run code"),
        (_no_manifest, "", "manifest.json is missing"),
        (_changed, "replies.parquet", "its content differs from manifest.json"),
        (_missing, "report.json", "manifest.json lists it, but it is missing"),
        (_unlisted, "setup.py", "manifest.json does not list it"),
        (_odd_name, "'a\\x1b[31m\\nb'", "manifest.json does not list it"),
        (_deep, "c", "a bundle has no folders at this depth"),
        (_huge_json, "report.json", "2,097,152 bytes; the maximum is 1,048,576"),
        (_manifest(bundle=2), "manifest.json", "bundle is 2, and this version of slubench reads 1"),
        (_manifest(schema_version=1), "manifest.json", "schema_version is 1"),
        (_manifest(files=[]), "manifest.json", '"files" must be an object'),
        (_manifest(runs=[]), "manifest.json", '"runs" must be a list'),
        (_manifest(runs=[{"folder": "../x"}]), "manifest.json", "run 1 must name its own folder"),
        (
            _manifest(runs=[{"folder": "runs/../../x", "strategy": "strategies/a.py", "weights": []}]),
            "manifest.json",
            "run 1 must name its own folder",
        ),
        (_path("/etc/passwd"), "manifest.json", "the path '/etc/passwd' is absolute"),
        (_path("C:\\x"), "manifest.json", "is absolute"),
        (_path("runs/../../../x"), "manifest.json", "is outside the bundle"),
        (_path("runs//x"), "manifest.json", "is outside the bundle"),
        (_path("x" * 5_000), "manifest.json", "is not part of a bundle"),
        (_path("manifest.json"), "manifest.json", "is not part of a bundle"),
        (_path("strategies/evil.so"), "manifest.json", "is not part of a bundle"),
        (_path("strategies/extra.py"), "extra.py", "manifest.json lists it, but it is missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_file(
    tamper: Callable[[Path], None], file: str, message: str, bundle: Path
) -> None:
    tamper(bundle)
    found = findings_of(bundle)
    assert [one for one in found if message in one.message and one.file.rsplit("/", 1)[-1] == file], found


def test_a_run_that_shares_no_file_is_told(bundle: Path) -> None:
    (bundle / "strategies" / "spare.py").write_text("", "utf-8")
    sign(bundle)
    assert ("strategies/spare.py", "it does not belong to a run") in {
        (o.file, o.message) for o in findings_of(bundle)
    }


def test_a_bundle_of_very_many_files(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "MOST_FILES", 5)
    assert any("more than 5 files" in one.message for one in findings_of(bundle))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "nested more than 20 levels deep"),
        ('{"a": NaN}', "NaN is not valid JSON"),
        ('{"a": 1e999}', "not finite"),
        ('{"a": 1, "a": 2}', "duplicate key"),
        ('{"a": ' + "9" * 10_000 + "}", "it is not valid JSON"),
        ('{"a": 99999999999999999999999}', "more than 63 bits"),
        (json.dumps({"a": "x" * 20_000}), "a text of 20,000 characters"),
        (json.dumps({"a": [0] * 600_000}), "more than 500,000 values"),
        ("[]", "not a JSON object"),
        ("\x00", "it is not valid JSON"),
    ],
)
def test_json_of_an_insane_size(content: str, message: str) -> None:
    with pytest.raises(Refusal, match=message):
        parse_object(content.encode(), "card.json")


def test_a_strangers_value_is_shown_short_and_in_ascii() -> None:
    assert shown("<script>\x1b[0m\u202e") == "'<script>\\x1b[0m\\u202e'"
    assert len(shown("x" * 10_000)) == 80
    assert shown(None) == "None"


def test_of_one_file_a_thousand_things_are_told() -> None:
    findings = Problems()
    for row in range(5_000):
        findings.add("lessons.parquet", "wrong", row)
    findings.add("card.json", "wrong")
    assert len(findings.found) == 1_002
    assert findings.told()[-2:] == ["lessons.parquet: and 991 more (see --json)", "card.json: wrong"]


def test_a_folder_that_is_no_bundle_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er" / "and" / "deeper").mkdir(parents=True)
    (tmp_path / "link").symlink_to("/")
    findings = Problems()
    assert open_bundle(tmp_path, findings) is None
    (one,) = findings.found
    assert "manifest.json is missing" in one.message


def test_a_manifest_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to("/etc/hostname")
    findings = Problems()
    assert open_bundle(tmp_path, findings) is None
    (one,) = findings.found
    assert one.file == "manifest.json"
    assert "a symbolic link" in one.message
