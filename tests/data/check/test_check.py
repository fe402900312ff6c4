"""`slubench data`: what is here, what is wrong with it (all at once), and every clip decoded once."""

from __future__ import annotations

import http.server
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from slubench.data.check.holdings import holdings
from slubench.data.check.issues import CheckReport
from slubench.data.check.rows import inspect
from slubench.data.check.task_splits import parts_of
from slubench.data.clips import ClipStore
from slubench.data.download import download, fetch_downloads
from slubench.data.prepare import find_or_fetch, prepare
from slubench.data.source import Source
from slubench.domain.corpus import Download
from slubench.errors import MissingError
from slubench.registry import Registry
from slubench.runtime.digest import Digests
from tests.massive_mirror import make_mirror, row, tone, wav, write_split
from tests.slurp_mirror import make_authors, names

REGISTRY = Registry()
PARTS = parts_of([REGISTRY.task("massive-de")])


def source(mirror: Path) -> Source:
    return Source(Digests(mirror / "digests.json"), mirror, hub=False)


def checked(mirror: Path, task: str = "massive-de") -> CheckReport:
    return inspect(parts_of([REGISTRY.task(task)]), source(mirror), 16_000, 30.0)


def test_a_whole_mirror_has_no_problem(tmp_path: Path) -> None:
    report = checked(make_mirror(tmp_path))
    assert report.problems == 0
    assert [(part.rows, part.clips) for part in report.parts] == [(20, 20), (8, 8)]
    assert report.parts[0].minutes == pytest.approx(20 * 0.5 / 60)
    assert report.counts() == {"remark: repeat": 1, "remark: size": 2, **report.counts()}


def test_everything_that_is_wrong_is_counted_at_once(tmp_path: Path) -> None:
    """One mirror with every fault: nothing stops at the first."""
    stereo = wav(0.1 * np.ones((8_000, 2)), 16_000)
    clips = [tone(), b"", stereo, tone(0.5, 8_000), tone(40.0, 16_000), wav(np.zeros(9_000), 16_000), None]
    rows = [
        row(number, "alarm_set", f"satz {number}", "de-DE", "train", clip, "1")
        for number, clip in enumerate(clips)
    ]
    rows.append(row(20, "alarm_fly", "flieg", "de-DE", "train", tone(), "1"))
    rows.append(row(21, "alarm_set", "wort", "de-DE", "train", tone(), "1") | {"tokens": ["anderes"]})
    rows.append(row(22, "alarm_set", "[colour : rot]", "de-DE", "train", tone(), "1"))
    rows.append(row(23, "alarm_set", "satz", "fr-FR", "train", tone(), "1"))
    rows.append(row(24, "alarm_set", "satz", "de-DE", "train", tone(), "1") | {"intent_idx": 3})
    rows.append(row(10_000, "alarm_set", "satz", "de-DE", "train", tone(), "1"))
    make_mirror(tmp_path, test=3)
    write_split(tmp_path, "train", rows)
    test = tmp_path / "FBK-MT/Speech-MASSIVE-test/de-DE/test-00000-of-00001.parquet"
    cut = test.with_name("test-00001-of-00002.parquet")
    test.rename(test.with_name("test-00000-of-00002.parquet"))
    cut.write_bytes(test.with_name("test-00000-of-00002.parquet").read_bytes()[:-50])
    report = checked(tmp_path)
    counts = report.counts()
    assert counts["problem: row"] == 4
    assert counts["problem: clip"] == 2
    assert counts["problem: file"] == 1
    assert counts["problem: leak"] == 1
    for remark in ("channels", "rate", "length", "silence", "utt does not match its tokens"):
        assert counts[f"remark: {remark}"] == 1, remark
    assert report.problems == 8
    text = report.to_text()
    for told in (
        "speech-massive/de/train, id 1 (train-00000-of-00001.parquet, row 1): the audio is empty",
        "It is cut off after 30 s",
        "test-00001-of-00002.parquet is not a complete Parquet file",
        "unknown intent 'alarm_fly'",
        "unknown slot type colour",
        "the row's locale is 'fr-FR'",
        "intent_idx 3 means",
        "test ids of speech-massive/de/test are in it: 10000",
    ):
        assert told in text, told
    assert json.loads(json.dumps(report.to_json()))["problems"] == 8


def test_a_missing_shard_and_a_missing_part_are_counted_too(tmp_path: Path) -> None:
    rows = [row(n, "alarm_set", f"satz {n}", "de-DE", "train", tone(), "1") for n in range(4)]
    write_split(tmp_path, "train", rows, shards=2)[1].unlink()
    counts = checked(tmp_path).counts()
    assert counts == {"problem: file": 1, "problem: missing": 1}
    states = {holding.part: holding for holding in holdings(PARTS, source(tmp_path))}
    assert states["speech-massive/de/train"].state == "broken"
    assert "shard 1" in states["speech-massive/de/train"].remedy
    assert states["speech-massive/de/test"].state == "missing"


def test_columns_that_differ_are_remarked(tmp_path: Path) -> None:
    report = checked(make_mirror(tmp_path))
    told = {finding.what for finding in report.findings if finding.kind == "column"}
    assert "the column judgments is not declared and is ignored" in told
    assert "the column condition is missing" in told


def test_what_is_here_is_listed_with_its_terms(tmp_path: Path) -> None:
    (train, test) = holdings(PARTS, source(make_mirror(tmp_path)))
    assert (train.state, train.rows, train.published, test.rows) == ("here", 20, 11_514, 8)
    assert (train.licence, test.purpose) == ("CC-BY-NC-SA-4.0", "ask")
    assert train.size > 0
    assert not (tmp_path / "digests.json").exists()


def test_slurps_faults_are_counted(tmp_path: Path) -> None:
    root = make_authors(tmp_path)
    audio = root / "slurp/audio/slurp_real"
    (audio / names(1000, 1)[0]).unlink()
    (audio / names(0, 1)[0]).write_bytes(b"")
    counts = checked(root, "slurp").counts()
    assert counts["problem: clip"] == 2


@pytest.mark.parametrize("workers", [0, 2])
def test_every_clip_is_decoded_once(tmp_path: Path, workers: int) -> None:
    make_mirror(tmp_path / "mirror", audio=lambda n: b"" if n == 7 else tone(pitch=200.0 + n))
    store = ClipStore(tmp_path / "clips", 16_000, 6.0)
    shards = find_or_fetch(PARTS[0], source(tmp_path / "mirror"))
    prepared = prepare(shards, store, workers)
    assert (prepared.rows, prepared.clips, len(prepared.rejected)) == (20, 19, 1)
    assert "zero bytes" in prepared.rejected[0].reason
    files = {path: path.stat().st_mtime_ns for path in store.folder.rglob("*.npy")}
    assert len(files) == 19
    assert prepare(shards, store, 0) == prepared
    assert {
        path: path.stat().st_mtime_ns for path in store.folder.rglob("*") if path.suffix == ".npy"
    } == files
    assert not list(store.folder.rglob("*.tmp"))


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves one file, ranges included, and breaks off when told to."""

    content = b""
    stop_after: int | None = None
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        start = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").removesuffix("-")
        rest = self.content[int(start) :]
        Handler.asked.append(start)
        self.send_response(206 if int(start) else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest[: self.stop_after])

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[str]:
    Handler.asked, Handler.stop_after = [], None
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        thread = threading.Thread(target=serving.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_port}/audio.tar.gz"
        serving.shutdown()
        thread.join()


def test_a_fetch_that_broke_off_goes_on(server: str, tmp_path: Path) -> None:
    Handler.content, Handler.stop_after = bytes(range(256)) * 8_000, 1_000_000
    path = tmp_path / "deep" / "file"
    with pytest.raises(MissingError, match=r"Run the command again to resume|broke off"):
        download(server, path)
    assert not path.exists()
    Handler.stop_after = None
    download(server, path)
    assert path.read_bytes() == Handler.content
    assert Handler.asked == ["0", "1000000"]
    download(server, path)
    assert len(Handler.asked) == 2


def test_an_archive_is_unpacked_where_it_belongs(server: str, tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("slurp_real/a.flac")
        member.size = 3
        tar.addfile(member, io.BytesIO(b"abc"))
    Handler.content = buffer.getvalue()
    downloads = (Download(server, "slurp/audio", ("test",), archive=True),)
    assert fetch_downloads(downloads, "train_synthetic", tmp_path) == []
    assert fetch_downloads(downloads, "test", tmp_path) == [tmp_path / "slurp/audio"]
    assert (tmp_path / "slurp/audio/slurp_real/a.flac").read_bytes() == b"abc"
    assert fetch_downloads(downloads, "test", tmp_path) == []
    assert len(Handler.asked) == 1
