"""Checkpoints in a place that several machines share, so that another one resumes a training."""

from __future__ import annotations

import shutil
import tarfile
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from slubench.errors import MissingError, UsageError
from slubench.runtime.child_process import run_module
from slubench.runtime.files import temporary_beside
from slubench.runtime.jobs import TrainJob

KEPT = 2
"""Checkpoints of a training that are kept: should the newest be torn, the one before it serves."""


class CheckpointStore:
    """A folder of checkpoints, wherever fsspec reaches: one folder a training, one archive a checkpoint.

    Args:
        uri: As in `s3://bucket/checkpoints`, or a folder.
        say: Told what was fetched, and what could not be stored.
        every: Seconds between two looks at the training's folder.

    Raises:
        UsageError: fsspec knows no such scheme.
        MissingError: The library of the scheme is not installed.
    """

    def __init__(self, uri: str, say: Callable[[str], None], every: float = 2.0) -> None:
        import fsspec

        try:
            self._files, self._root = fsspec.core.url_to_fs(uri)
        except ValueError as error:
            raise UsageError(f"--checkpoints {uri}: {error}. Give a folder or a URI of fsspec.") from None
        except ImportError as error:
            raise MissingError(f"--checkpoints {uri}: {error}") from None
        self._uri, self._say, self._every = uri, say, every

    def train(self, module: str, job: Path) -> None:
        """Run a training process as `run_module` does: resume from here, and store what it writes."""
        told = TrainJob.load(job)
        name, folder = Path(told.folder).name, Path(told.folder) / "checkpoints"
        if found := self.fetch(name, folder):
            self._say(f"{told.name}: checkpoint {found} fetched from {self._uri}")
        ended = threading.Event()
        keeper = threading.Thread(target=self._keep, args=(name, folder, ended), daemon=True)
        keeper.start()
        try:
            run_module(module, job)
        finally:
            # A training that was told to end has written where it stood.
            ended.set()
            keeper.join()
        if not told.pauses:
            self.remove(name)

    def fetch(self, name: str, folder: Path) -> str:
        """Fetch a training's newest whole checkpoint, unless a newer one is in the folder.

        Returns:
            Its name; empty where nothing was fetched.
        """
        for stored in sorted(self._stored(name), reverse=True):
            number = stored.removesuffix(".tar")
            if any(there >= number for there in _whole(folder)):
                return ""
            folder.mkdir(parents=True, exist_ok=True)
            temporary = temporary_beside(folder / number)
            try:
                with self._files.open(f"{self._root}/{name}/{stored}", "rb") as file:
                    _unpack(file, temporary)
                for beside in (temporary / "beside").glob("*"):
                    beside.replace(folder / beside.name)
                shutil.rmtree(temporary / "beside", ignore_errors=True)
                temporary.rename(folder / number)
                return number
            except (OSError, tarfile.TarError, EOFError):
                continue  # torn or unreachable: the one before it serves, or a fresh start
            finally:
                shutil.rmtree(temporary, ignore_errors=True)
        return ""

    def push(self, name: str, folder: Path) -> str:
        """Store the newest checkpoint of a folder, if it is not there yet.

        Returns:
            Its name; empty where nothing was stored.
        """
        number = max(_whole(folder), default="")
        stored = set(self._stored(name))
        if not number or f"{number}.tar" in stored:
            return ""
        place = f"{self._root}/{name}"
        self._files.makedirs(place, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".checkpoint.") as scratch:
            archive = Path(scratch) / f"{number}.tar"
            with tarfile.open(archive, "w") as tar:
                tar.add(folder / number, arcname=number)
                # Weights of earlier stages, and the best so far, from which the training goes on.
                for beside in (*folder.glob("stage-*"), *folder.glob("best-*")):
                    tar.add(beside, arcname=f"{number}/beside/{beside.name}")
            # Under its name only when it is whole.
            self._files.put_file(str(archive), f"{place}/{number}.part")
        self._files.mv(f"{place}/{number}.part", f"{place}/{number}.tar")
        # Later ones are of another job that had the folder before.
        kept = [one for one in sorted(stored) if one < f"{number}.tar"][-(KEPT - 1) :]
        for one in stored - set(kept):
            with suppress(OSError):
                self._files.rm_file(f"{place}/{one}")
        return number

    def remove(self, name: str) -> None:
        """Remove a training's checkpoints: it is done."""
        with suppress(OSError):
            if self._files.exists(f"{self._root}/{name}"):
                self._files.rm(f"{self._root}/{name}", recursive=True)

    def _stored(self, name: str) -> list[str]:
        self._files.invalidate_cache()
        try:
            listing: list[Any] = self._files.ls(f"{self._root}/{name}", detail=False)
        except OSError:
            return []
        return [part for path in listing if (part := str(path).rpartition("/")[2]).endswith(".tar")]

    def _keep(self, name: str, folder: Path, ended: threading.Event) -> None:
        told = False
        while True:
            last = ended.wait(self._every)
            try:
                self.push(name, folder)
            # A checkpoint that was replaced meanwhile, or a store out of reach: training goes on.
            except Exception as error:
                if not told and not isinstance(error, FileNotFoundError):
                    self._say(f"checkpoints cannot be stored in {self._uri} ({error}); training goes on")
                    told = True
            if last:
                return


def _whole(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("[0-9]*") if path.is_dir()]


def _unpack(file: Any, folder: Path) -> None:
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=file, mode="r|") as tar:
        for member in tar:
            member.name = member.name.partition("/")[2]
            if member.isfile() and member.name:
                tar.extract(member, folder, filter="data")
