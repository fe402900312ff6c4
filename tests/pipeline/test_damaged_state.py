"""Files of a home that are empty, cut, overwritten, of another type or newer, command by command.

Each command ends well or with a sentence that names a path; never with a traceback, and never by taking what
is damaged for what it was.
"""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from slubench.cli.app import app
from slubench.data.clips import ClipStore
from slubench.errors import SlubenchError
from slubench.pipeline import predict, train
from slubench.runtime.child_process import ProcessError
from slubench.schemas import SCHEMA_VERSION
from tests.massive_mirror import tone
from tests.submission.conftest import mirror, scored_home

__all__ = ["mirror", "scored_home"]

# Where a file lies, and the commands that read it.
KINDS = {
    "scores": (
        "leaderboard/scores/*curriculum*.parquet",
        ("run", "rescore", "build", "leaderboard", "compare", "submit", "publish"),
    ),
    "sums": (
        "leaderboard/scores/sums/*curriculum*.parquet",
        ("run", "rescore", "build", "compare", "publish"),
    ),
    "replicates": (
        "leaderboard/scores/replicates/*curriculum*.parquet",
        ("run", "build", "leaderboard", "compare", "publish"),
    ),
    "record": (
        "leaderboard/scores/records/*curriculum*.parquet",
        ("run", "rescore", "build", "leaderboard", "publish"),
    ),
    "card": (
        "adapters_registry/*curriculum*.json",
        ("run", "run unscored", "rescore", "list", "show", "submit", "publish"),
    ),
    "weights": ("adapters_registry/*curriculum*/adapter_model.safetensors", ("run unscored", "submit")),
    "training report": ("adapters_registry/*curriculum*/training.json", ("run uncarded",)),
    "ledger of ids": ("runs/*curriculum*/consumed.json", ("run unscored", "rescore", "run uncarded")),
    "job": ("runs/*curriculum*/train.json", ("run unscored", "submit")),
    "predictions": ("runs/*curriculum*/answers/*/answers.parquet", ("run unscored", "rescore", "submit")),
    "engine report": ("runs/*curriculum*/answers/*/report.json", ("run unscored", "rescore", "submit")),
    "digests": ("cache/digests.json", ("run", "run unscored", "list", "rescore")),
    "clip": ("cache/clips/*/*/*.npy", ("run unscored", "run uncarded", "submit")),
}
CELL = ("--task", "massive-de", "--strategy", "curriculum", "--speech", "50%", "--model", "tiny")
RUN = ("run", *CELL, "--edition", "full", "--engine", "transformers", "--corpora", "{mirror}")
COMMANDS = {
    "run": RUN,
    "run unscored": RUN,
    "run uncarded": RUN,
    "rescore": ("rescore", "--corpora", "{mirror}"),
    "list": ("list", "runs"),
    "build": ("leaderboard", "build"),
    "leaderboard": ("leaderboard", "show"),
    "compare": ("compare", "curriculum", "short-first"),
    "show": ("show", "{card}"),
    "publish": ("publish", "--all"),
    "submit": ("submit", "curriculum", "--corpora", "{mirror}", "--to", "{out}", "--with-adapters"),
}
# What a command leaves no other way than to read the file.
REMOVED = {"run unscored": ("scores",), "run uncarded": ("scores", "card")}


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def noise(path: Path) -> None:
    path.write_bytes(random.Random(7).randbytes(max(path.stat().st_size, 64)))


def other_type(path: Path) -> None:
    if path.suffix == ".json":
        path.write_text("[1, 2]")
    else:
        pq.write_table(pa.table({"utterance": [1, 2], "run": [None, None]}), path)


def newer(path: Path) -> None:
    if path.suffix == ".json":
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps({**content, "version": 99, "schema_version": 99, "later": 1}))
    elif path.suffix == ".parquet":
        table = pq.read_table(path)
        if "schema_version" in table.column_names:
            place = table.column_names.index("schema_version")
            version = pa.array([SCHEMA_VERSION + 1] * len(table), table.schema.field(place).type)
            table = table.set_column(place, "schema_version", version)
        pq.write_table(table.append_column("later", pa.array([1] * len(table))), path)


FAULTS: dict[str, Callable[[Path], None]] = {
    "empty": empty,
    "cut": cut,
    "noise": noise,
    "other type": other_type,
    "newer": newer,
}


@pytest.fixture
def damaged(scored_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a scored home, in which no process is started."""

    def start(module: str, job: Path, *more: object) -> None:
        raise ProcessError(f"{module} was started with {job}")

    monkeypatch.setattr(predict, "run_module", start)
    monkeypatch.setattr(train.train, "__defaults__", (*(train.train.__defaults__ or ())[:-1], start))
    home = Path(shutil.copytree(scored_home, tmp_path / "home"))
    for job in home.glob(KINDS["job"][0]):
        job.with_name("consumed.json").write_text('{"heard": {"de": []}}', "utf-8")
    # Only a checkout is published from.
    (home / "pyproject.toml").write_text('[project]\nname = "slubench"\n', "utf-8")
    return home


def find(home: Path, kind: str) -> Path:
    return min(home.glob(KINDS[kind][0]))


def rows_known_before(file: Path) -> int:
    """Rows apart from slices by speaker, which the home lacked: it had no list of the clips heard."""
    table = pq.read_table(file)
    if "slice_by" in table.column_names:
        table = table.filter(pc.not_equal(table.column("slice_by"), "speaker"))
    return int(table.num_rows)


def call(command: str, home: Path, mirror: Path, out: Path) -> tuple[int, str]:
    """A command's exit code and all that it says, in this process."""
    cards = [path.stem for path in sorted(home.glob(KINDS["card"][0]))]
    named = {"mirror": mirror, "out": out, "card": cards[0] if cards else "none"}
    arguments = [part.format(**named) for part in COMMANDS[command]]
    ran = CliRunner().invoke(app, [*arguments, "--home", str(home)])
    if isinstance(ran.exception, SlubenchError):
        return ran.exception.exit_code, f"{ran.output}{ran.exception}"
    if ran.exception is not None and not isinstance(ran.exception, SystemExit):
        raise ran.exception
    return ran.exit_code, ran.output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "fault"),
    # Weights and clips have no version.
    [
        (kind, fault)
        for kind in KINDS
        for fault in FAULTS
        if fault != "newer" or kind not in ("weights", "clip")
    ],
)
def test_no_file_makes_a_traceback(
    damaged: Path, mirror: Path, tmp_path: Path, kind: str, fault: str
) -> None:
    wrong = []
    for command in KINDS[kind][1]:
        # What one command mends is broken again for the next.
        home = Path(shutil.copytree(damaged, tmp_path / command))
        file = find(home, kind)
        for other in REMOVED.get(command, ()):
            find(home, other).unlink()
        FAULTS[fault](file)
        code, told = call(command, home, mirror, tmp_path / command / "bundle")
        if code and file.name not in told and str(file.parent) not in told:
            wrong.append(f"{command} does not name {file.name}: {told}")
        shutil.rmtree(home)
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", ["scores", "sums", "replicates", "record"])
@pytest.mark.parametrize("fault", ["empty", "cut", "noise", "other type"])
def test_broken_scores_are_made_again(
    damaged: Path, mirror: Path, tmp_path: Path, kind: str, fault: str
) -> None:
    file = find(damaged, kind)
    before = rows_known_before(file)
    FAULTS[fault](file)
    code, told = call("run", damaged, mirror, tmp_path)
    assert code == 0, told
    assert "already scored" not in told
    assert rows_known_before(file) == before > 0
    assert "already scored" in call("run", damaged, mirror, tmp_path)[1]


def test_newer_scores_are_neither_taken_nor_overwritten(damaged: Path, mirror: Path, tmp_path: Path) -> None:
    file = find(damaged, "scores")
    newer(file)
    content = file.read_bytes()
    code, told = call("run", damaged, mirror, tmp_path)
    assert code == 1
    assert f"{file} is of schema version {SCHEMA_VERSION + 1}" in told
    assert file.read_bytes() == content


def test_other_weights_than_the_card_names_are_refused(damaged: Path, mirror: Path, tmp_path: Path) -> None:
    find(damaged, "scores").unlink()
    weights = find(damaged, "weights")
    weights.write_bytes(weights.read_bytes()[:-1] + b"\1")
    code, told = call("run", damaged, mirror, tmp_path)
    assert code == 1
    assert f"{weights} is damaged or replaced" in told
    assert f"delete {weights.parent} and {weights.parent}.json" in told


@pytest.mark.parametrize("harm", ["some are missing", "one is doubled", "one is of another test"])
def test_predictions_that_are_not_whole_are_not_scored(
    damaged: Path, mirror: Path, tmp_path: Path, harm: str
) -> None:
    find(damaged, "scores").unlink()
    file = find(damaged, "predictions")
    rows = pq.read_table(file)
    if harm == "some are missing":
        rows = rows.slice(0, 11)
    elif harm == "one is doubled":
        rows = pa.concat_tables([rows, rows.slice(0, 1)])
    else:
        keys = rows.column("utterance")
        strange = pc.if_else(pc.equal(keys, keys[0]), "stranger", keys)
        rows = rows.set_column(0, "utterance", strange)
    pq.write_table(rows, file)
    code, told = call("run", damaged, mirror, tmp_path)
    assert code == 1
    assert "predictions are damaged and are made again" in told
    assert "slubench.serve was started" in told


def test_a_damaged_clip_is_decoded_again(tmp_path: Path) -> None:
    store = ClipStore(tmp_path, 16_000, 6.0)
    key = store.add(tone())
    path = store.path(key)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[5_000] ^= 1
    for content in (b"", whole[:300], whole[: len(whole) // 2], bytes(flipped), whole[:-4] + b"oops"):
        path.write_bytes(content)
        assert store.add(tone()) == key
        assert path.read_bytes() == whole
    path.write_bytes(whole[:-10])  # as version 0.1 wrote it
    store.add(tone())
    assert path.read_bytes() == whole[:-10]
