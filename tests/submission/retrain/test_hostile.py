"""Strategies that mean harm are findings, cost a bounded amount and leave nothing behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from slubench.errors import VerificationError
from slubench.pipeline.context import Context
from slubench.runtime.limits import Limits
from slubench.runtime.sandbox import SandboxError
from slubench.submission.retrain.left_files import check_left, check_sealed
from slubench.submission.retrain.retrain import retrain
from slubench.submission.retrain.sandbox_folder import Allowance
from tests.submission.made_bundles import a_run
from tests.submission.retrain.conftest import read

MEBI = 2**20
LIMITS = Limits(memory=1_024 * MEBI, processes=64, disk=64 * MEBI, files=500, output=MEBI)

COMPOSES = '''
"""Does as it likes while it composes."""

import atexit
import os
import pathlib
import signal
import time

from slubench import TEXT, Example, Stage, Strategy


def own(pool, rng):
    result = next(pathlib.Path(line.split()[4]) for line in open("/proc/self/mountinfo")
                  if line.split()[4].endswith("/composed"))
    train_set = result / "runs/retrained/lessons.parquet"
    BODY
    yield from map(Example.written, pool.text())


OWN = Strategy(name="own", stages=(Stage(learns_from=TEXT, compose=own),))
'''

TRAINS = '''
"""Does as it likes while it trains."""

import atexit
import os
import pathlib

from slubench import TEXT, Stage, Strategy


def loss(model, batch):
    made = next(pathlib.Path(line.split()[4]) for line in open("/proc/self/mountinfo")
                if line.split()[4].endswith("/made"))
    BODY
    return model(**{name: batch[name] for name in ("inputs_embeds", "attention_mask", "labels")}).loss


OWN = Strategy(name="own", stages=(Stage(learns_from=TEXT, objective=loss),))
'''

HARM = {
    "fork bomb": (
        """
        while True:
            try: os.fork()
            except OSError: pass
        """,
        "started more than 64 processes and threads",
    ),
    "memory": (
        """
        kept = []
        while True: kept.append(bytearray(10_000_000))
        """,
        "used more than 1 GiB of memory|memory is limited",
    ),
    "a compose without end": ("while True: time.sleep(1)", "took longer than 6 s"),
    "examples without end, each of a new pass": (
        """
        for n in range(10**12): pool.text()
        """,
        "took longer than 6 s",
    ),
    "output without end": ("while True: print('x' * 10_000)", "printed more than 1 MiB"),
    "files without end": (
        """
        for n in range(100_000): (result / f"{n}").touch()
        time.sleep(60)
        """,
        "made more than 500 files and folders",
    ),
    "folders 10,000 deep": (
        """
        os.chdir(result)
        for n in range(10_000):
            os.mkdir("d")
            os.chdir("d")
        time.sleep(60)
        """,
        "made folders more than 32 levels deep|made more than 500 files",
    ),
    "a few deep folders at the end": (
        """
        (result / "/".join("d" * 40)).mkdir(parents=True, exist_ok=True)
        """,
        "made folders more than 32 levels deep",
    ),
    "a sparse file": (
        """
        with open(result / "sparse", "wb") as file: file.truncate(2**40)
        """,
        "File too large",
    ),
    "a daemon": (
        """
        if not os.fork():
            os.setsid()
            if not os.fork():
                for number in range(3): os.close(number)
                time.sleep(600)
            os._exit(0)
        """,
        "left processes running when it had ended",
    ),
    "signals ignored": (
        """
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        while True: time.sleep(60)
        """,
        "took longer than 6 s",
    ),
    "a part rewritten at exit": (
        """
        atexit.register(lambda: train_set.write_bytes(train_set.read_bytes() + b"x"))
        """,
        "lessons.parquet' was changed after the composing had finished",
    ),
    "its own train set, told to be finished, and again": (
        """
        from slubench.runtime.seal import seal
        def again():
            train_set.write_bytes(b"mine")
            seal([train_set])
        atexit.unregister(again)
        atexit.register(again)
        """,
        "told more than once that its files are finished",
    ),
    "an early end": ("os._exit(0)", "ended before it had finished"),
    "an early end with a train set of its own": (
        """
        train_set.write_bytes(b"mine")
        os._exit(0)
        """,
        "ended before it had finished",
    ),
    "a file left behind": ("(result / 'runs' / 'for later').touch()", "left 'runs/for later' behind"),
    "a link left behind": (
        "(result / 'link').is_symlink() or (result / 'link').symlink_to('/etc')",
        "left 'link' behind",
    ),
    "a pipe for a train set": (
        """
        atexit.register(lambda: (train_set.unlink(), os.mkfifo(train_set)))
        """,
        "left 'runs/retrained/lessons.parquet' behind",
    ),
    "its supervisor ended": (
        """
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
        """,
        "ended with SIGKILL",
    ),
    "standard streams closed, and on": (
        """
        for number in range(3): os.close(number)
        while True: time.sleep(1)
        """,
        "took longer than 6 s",
    ),
}


def written(template: str, body: str) -> str:
    return template.replace("    BODY\n", indent(dedent(body).strip(), "    ") + "\n")


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path) -> Iterator[None]:
    """Neither processes nor files of the room."""
    yield
    own = os.readlink("/proc/self/ns/pid")
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{name}/ns/pid") != own:
                assert str(tmp_path) not in Path(f"/proc/{name}/cmdline").read_bytes().decode()
        except OSError:
            continue
    assert not (tmp_path / "retraining" / "room").exists()


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize("harm", HARM)
def test_a_compose_that_means_harm_is_found(harm: str, context: Context, folder: Path) -> None:
    body, message = HARM[harm]
    text = written(COMPOSES, body)
    allowed = Allowance(LIMITS, 6.0 if "6 s" in message else 60.0)
    with pytest.raises((SandboxError, VerificationError), match=message):
        retrain(a_run(context, read(text), "0"), text, context, folder, allowed)


@pytest.mark.sandbox
def test_a_compose_within_its_limits_composes(context: Context, folder: Path) -> None:
    """What the tests above change is what is found."""
    text = written(COMPOSES, "pass")
    allowed = Allowance(LIMITS, 60.0, 0.1)
    with pytest.raises(SandboxError, match=r"python -P -m slubench\.train took longer than 0\.1 s"):
        retrain(a_run(context, read(text), "0"), text, context, folder, allowed)


@pytest.mark.slow
@pytest.mark.sandbox
@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            """
            def change():
                (report,) = made.rglob("training.json")
                report.write_text(report.read_text().replace("seconds", "hours"))
            atexit.unregister(change)
            atexit.register(change)
            """,
            "'training.json' was changed after the training had finished",
        ),
        (
            """
            def change():
                (weights,) = made.rglob("adapter_model.safetensors")
                weights.write_bytes(bytes(9))
            atexit.register(change)
            """,
            "'adapter_model.safetensors' was changed after the training had finished",
        ),
        ("(made / 'for later').touch()", "left 'for later' behind"),
        ("(made / 'clips').is_symlink() or (made / 'clips').symlink_to('/etc')", "left 'clips' behind"),
        ("os._exit(0)", "training ended before it had finished"),
    ],
)
def test_a_loss_that_means_harm_is_found(body: str, message: str, context: Context, folder: Path) -> None:
    text = written(TRAINS, body)
    with pytest.raises((SandboxError, VerificationError), match=message):
        retrain(a_run(context, read(text), "0"), text, context, folder)


def test_files_that_were_changed_or_are_not_theirs_are_refused(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text("x")
    (tmp_path / "other").write_text("x")
    with pytest.raises(VerificationError, match="ended before it had finished"):
        check_sealed({}, [kept], "training")
    with pytest.raises(VerificationError, match="'kept' was changed"):
        check_sealed({str(kept): "0"}, [kept], "training")
    check_sealed({str(kept): "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}, [kept], "x")
    with pytest.raises(VerificationError, match="left 'other' behind"):
        check_left(tmp_path, [kept], LIMITS, "training")
    check_left(tmp_path, [tmp_path], LIMITS, "training")
    with pytest.raises(VerificationError, match="The training made more than 1 files"):
        check_left(tmp_path, [tmp_path], Limits(files=1), "training")
