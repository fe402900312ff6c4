"""Downloads files from the web and resumes interrupted downloads."""

from __future__ import annotations

import tarfile
import urllib.error
import urllib.request
from pathlib import Path

from slubench.data.recordings import Progress, no_progress
from slubench.domain.corpus import Download
from slubench.errors import DataError, MissingError

CHUNK = 1 << 20
NOT_SATISFIABLE = 416


def fetch_downloads(
    downloads: tuple[Download, ...], split: str, root: Path, watch: Progress = no_progress
) -> list[Path]:
    """Download the missing files of a split into a mirror.

    Args:
        downloads: What the corpus's form declares.
        split: The split.
        root: The mirror's root.
        watch: Opens a progress bar in bytes.

    Returns:
        What was fetched now.

    Raises:
        MissingError: The web does not give it.
        DataError: An archive is broken.
    """
    fetched = []
    for one in downloads:
        if one.splits and split not in one.splits:
            continue
        place = root / one.path
        if one.archive:
            name = one.url.rsplit("/", 1)[-1]
            done = place / f".{name}.unpacked"
            if not done.exists():
                archive = place / name
                download(one.url, archive, watch)
                unpack(archive, place, watch)
                done.touch()
                archive.unlink()
                fetched.append(place)
        elif not place.exists():
            download(one.url, place, watch)
            fetched.append(place)
    return fetched


def download(url: str, path: Path, watch: Progress = no_progress) -> None:
    """Download a file, resuming from `<path>.part` if there is one.

    Raises:
        MissingError: The web does not give it.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            # A server that knows no ranges sends all of it again.
            resumed = have if answer.status == 206 else 0
            length = resumed + int(answer.headers.get("Content-Length") or 0)
            with (
                part.open("ab" if resumed else "wb") as file,
                watch(f"downloading {path.name}", length) as done,
            ):
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    done(file.tell())
            if length and part.stat().st_size < length:
                raise MissingError(
                    f"{url} broke off after {part.stat().st_size:,} bytes; run the command again to resume."
                )
    except urllib.error.HTTPError as error:
        if error.code != NOT_SATISFIABLE or not have:
            raise MissingError(
                f"{url} cannot be downloaded ({error}); download it manually to {path}."
            ) from None
    except OSError as error:
        raise MissingError(
            f"{url} cannot be downloaded ({error}). Run the command again to resume, or download "
            f"it manually to {path}."
        ) from None
    part.replace(path)


def unpack(archive: Path, folder: Path, watch: Progress = no_progress) -> None:
    """Unpack a tar archive; files that exist with their full size are skipped.

    Raises:
        DataError: The archive is broken.
    """
    try:
        size = archive.stat().st_size
        with (
            archive.open("rb") as raw,
            watch(f"unpacking {archive.name}", size) as done,
            tarfile.open(fileobj=raw) as tar,
        ):
            for member in tar:
                there = folder / member.name
                if not (there.is_file() and there.stat().st_size == member.size):
                    tar.extract(member, folder, filter="data")
                done(raw.tell())
    except (tarfile.TarError, EOFError, OSError) as error:
        raise DataError(
            f"{archive} cannot be unpacked ({error}). Delete it and run the command again."
        ) from None
