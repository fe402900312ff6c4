"""Opens an untrusted bundle: lists its files and compares them with the manifest."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from slubench.errors import UsageError, shown, shown_path
from slubench.schemas import OLDEST_READ, RULES, SCHEMA_VERSION
from slubench.submission.bundle.layout import (
    BUNDLE_VERSION,
    CARD,
    DEEPEST,
    ENVIRONMENT,
    MANIFEST,
    MOST_FILES,
    MOST_RUNS,
    OF_A_RUN,
    kind_of,
)
from slubench.submission.bundle.untrusted_files import digest_plain, parse_object, read_plain
from slubench.submission.problems import Problem, Problems, Refusal
from slubench.submission.published_fields import environment_faults, manifest_faults

PICKLED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".npy", ".npz", ".joblib")


@dataclass(frozen=True)
class BundleRun:
    """One run of a bundle.

    Attributes:
        folder: Its folder below the bundle, as in `runs/<name>`.
        strategy: Its strategy's file.
        weights: Files of its adapter's weights; empty where they do not come along.
    """

    folder: str
    strategy: str
    weights: tuple[str, ...] = ()

    def file(self, name: str) -> str:
        """The path of one of its files below the bundle."""
        return f"{self.folder}/{name}"


@dataclass(frozen=True)
class Bundle:
    """A bundle whose files match its manifest.

    Attributes:
        folder: Where it lies.
        sha256: Digest of each file, by its path below the folder.
        entries: Its runs.
    """

    folder: Path
    sha256: Mapping[str, str]
    entries: tuple[BundleRun, ...]

    def read(self, path: str) -> bytes:
        """A file's content, checked against the manifest.

        Raises:
            Refusal: It is not there, is no plain file, is too large, or is not what the manifest says.
        """
        if path not in self.sha256:
            raise Refusal(Problem(path, f"the file is missing; {MANIFEST} does not list it"))
        content = read_plain(self.folder, path)
        if hashlib.sha256(content).hexdigest() != self.sha256[path]:
            raise Refusal(Problem(path, f"its content differs from {MANIFEST} (SHA-256)"))
        return content

    def json(self, path: str) -> dict[str, Any]:
        """A JSON object.

        Raises:
            Refusal: As `read`, or it is no JSON object of a sane size.
        """
        return parse_object(self.read(path), path)


def open_bundle(folder: Path, findings: Problems) -> Bundle | None:
    """List a bundle and compare it with its manifest; None if the manifest is unusable.

    Raises:
        UsageError: There is no such folder.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name the folder created by `slubench submit --to`.")
    # First: what is no bundle at all is told in a line, and not walked through.
    if not os.path.lexists(folder / MANIFEST):
        findings.add(
            "", f"{MANIFEST} is missing, so the bundle is incomplete; create it with `slubench submit`"
        )
        return None
    there = dict(_listed(folder, findings))
    if MANIFEST not in there:
        if not findings:
            findings.add(MANIFEST, "it is not a regular file")
        return None
    try:
        manifest = parse_object(read_plain(folder, MANIFEST), MANIFEST)
    except Refusal as refusal:
        findings.take([refusal.finding])
        return None
    findings.take(Problem(MANIFEST, f"{name} {fault}") for name, fault in manifest_faults(manifest))
    _check_versions(manifest, findings)
    sha256 = _check_files(folder, manifest.get("files"), there, findings)
    bundle = Bundle(folder, sha256, tuple(_entries(manifest.get("runs"), sha256, findings)))
    if ENVIRONMENT in sha256:
        try:
            faults = environment_faults(bundle.json(ENVIRONMENT))
            findings.take(Problem(ENVIRONMENT, f"{name} {fault}") for name, fault in faults)
        except Refusal as refusal:
            findings.take([refusal.finding])
    return bundle


def _listed(folder: Path, findings: Problems) -> Iterator[tuple[str, int]]:
    """Every regular file below the folder with its size; everything else is a problem."""
    left, count = [("", 0)], 0
    while left:
        below, depth = left.pop()
        try:
            with os.scandir(folder / below) as entries:
                inside = sorted(islice(entries, MOST_FILES + 1), key=lambda entry: entry.name)
        except OSError as error:
            findings.add(shown_path(below), f"the folder can't be read ({error.strerror})")
            continue
        for entry in inside:
            path = f"{below}/{entry.name}" if below else entry.name
            count += 1
            if count > MOST_FILES:
                findings.add("", f"it contains more than {MOST_FILES:,} files and folders")
                return
            try:
                size = entry.stat(follow_symlinks=False).st_size
                target = os.readlink(entry.path) if entry.is_symlink() else ""
            except OSError as error:
                findings.add(shown_path(path), f"it can't be read ({error.strerror})")
                continue
            if target:
                findings.add(shown_path(path), f"a symbolic link (to {shown(target)}) is not allowed")
            elif entry.is_dir(follow_symlinks=False):
                if depth + 1 < DEEPEST:
                    left.append((path, depth + 1))
                else:
                    findings.add(shown_path(path), "a bundle has no folders at this depth")
            elif not entry.is_file(follow_symlinks=False):
                findings.add(shown_path(path), "it is not a regular file")
            else:
                yield path, size


def _check_versions(manifest: Mapping[str, Any], findings: Problems) -> None:
    schemas = range(OLDEST_READ, SCHEMA_VERSION + 1)
    expected = {"bundle": (BUNDLE_VERSION,), "rules": (RULES,), "schema_version": tuple(schemas)}
    for name, versions in expected.items():
        if manifest.get(name) not in versions:
            found, reads = shown(manifest.get(name)), " and ".join(map(str, versions))
            findings.add(MANIFEST, f"{name} is {found}, and this version of slubench reads {reads}")


def _check_files(
    folder: Path, listed: object, there: Mapping[str, int], findings: Problems
) -> dict[str, str]:
    """The digests of the files that match the manifest."""
    if not isinstance(listed, dict):
        findings.add(MANIFEST, '"files" must be an object with paths as keys')
        return {}
    if len(listed) > MOST_FILES:
        findings.add(MANIFEST, f'"files" lists more than {MOST_FILES:,} files')
        return {}
    good: dict[str, str] = {}
    for path, told in listed.items():
        if fault := _path_fault(path):
            findings.add(MANIFEST, f"the path {shown(path)} {fault}")
        elif path not in there:
            findings.add(path, f"{MANIFEST} lists it, but it is missing")
        else:
            try:
                digest = digest_plain(folder, path)
            except Refusal as refusal:
                findings.take([refusal.finding])
                continue
            if not isinstance(told, dict) or (told.get("sha256"), told.get("bytes")) != (digest, there[path]):
                findings.add(path, f"its content differs from {MANIFEST} (size or SHA-256)")
            else:
                good[path] = digest
    for path in there.keys() - listed.keys() - {MANIFEST}:
        if path.endswith(PICKLED):
            why = "pickled weights are refused, since reading them can run code; save them as safetensors"
        else:
            why = f"{MANIFEST} does not list it"
        findings.add(shown_path(path), why)
    return good


def _path_fault(path: str) -> str:
    parts = path.split("/")
    if path.startswith(("/", "~")) or "\\" in path or (len(path) > 1 and path[1] == ":"):
        return "is absolute; paths must be inside the bundle"
    if ".." in parts or "." in parts or "" in parts:
        return "is outside the bundle"
    if path.endswith(PICKLED):
        return "names pickled weights, and reading them can run code; save them as safetensors"
    if kind_of(path) is None or path == MANIFEST:
        return "is not part of a bundle"
    return ""


def _entries(listed: object, sha256: Mapping[str, str], findings: Problems) -> Iterator[BundleRun]:
    if not isinstance(listed, list) or not listed or len(listed) > MOST_RUNS:
        findings.add(MANIFEST, f'"runs" must be a list of 1 to {MOST_RUNS:,} runs')
        return
    used, folders = {ENVIRONMENT}, set[str]()
    for number, one in enumerate(listed, 1):
        entry = _entry(one)
        if entry is None or entry.folder in folders:
            findings.add(MANIFEST, f"run {number} must name its own folder, a strategy and weights")
            continue
        folders.add(entry.folder)
        needed = [*map(entry.file, OF_A_RUN), entry.strategy, *entry.weights]
        used.update(needed)
        for path in needed:
            if path not in sha256:
                findings.add(path, f"run {number} of {MANIFEST} needs it, but it is missing or differs")
        yield entry
    for path in sha256.keys() - used:
        findings.add(path, "it does not belong to a run")


def _entry(listed: object) -> BundleRun | None:
    """A run in the manifest; None if it is malformed."""
    if not isinstance(listed, dict) or listed.keys() != {"folder", "strategy", "weights"}:
        return None
    folder, strategy, weights = listed["folder"], listed["strategy"], listed["weights"]
    if not isinstance(weights, list) or not all(isinstance(one, str) for one in (folder, strategy, *weights)):
        return None
    placed = (
        (f"{folder}/{CARD}", "runs/"),
        (strategy, "strategies/"),
        *((one, "adapters/") for one in weights),
    )
    if all(path.startswith(place) and kind_of(path) for path, place in placed):
        return BundleRun(folder, strategy, tuple(weights))
    return None
