"""Downloads a split's files from the Hub, or finds them in its cache."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from slubench.data.hub_files import HubFile, accept, listing, no_access, page
from slubench.data.mirror import check_complete, first_match
from slubench.domain.corpus import Corpus, HubRepo, Layout
from slubench.errors import DataError, MissingError


class Fetched(NamedTuple):
    """Files in the Hub's cache, and their commit."""

    files: tuple[Path, ...]
    revision: str


def fetch(
    corpus: Corpus,
    layout: Layout,
    place: HubRepo,
    language: str,
    split: str,
    looked: list[str],
    cached: bool = False,
) -> Fetched:
    """Download the files of one language and split; cached files are not downloaded again.

    Args:
        corpus: Whose files.
        layout: The form they come in.
        place: The repository.
        language: ISO 639-1 code.
        split: As in `train`.
        looked: Where they were looked for before, for the message.
        cached: Whether only the cache is read.

    Raises:
        MissingError: They cannot be had; the message says why and how to get them.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    patterns = list(layout.patterns(corpus.locales[language], split))
    terms = f" {accept(place.repository)}" if place.gated else ""
    cache = "Hub cache" if cached or constants.HF_HUB_OFFLINE else "the Hub and its cache"
    missing = _nowhere(place, patterns[0], [*looked, cache], terms)
    if layout.assumed:
        missing += f" (The file names in {place.repository} are assumptions.)"
    try:
        snapshot = Path(
            snapshot_download(
                place.repository,
                repo_type="dataset",
                revision=place.revision,
                allow_patterns=patterns,
                local_files_only=cached,
            )
        )
    except GatedRepoError as error:
        raise no_access(place.repository) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise MissingError(missing) from error
    for pattern in patterns:
        if files := tuple(sorted(snapshot.glob(pattern))):
            return Fetched(files, snapshot.name)
    raise MissingError(missing)


def upcoming(
    corpus: Corpus, layout: Layout, place: HubRepo, language: str, split: str, looked: list[str]
) -> list[HubFile]:
    """The files that `fetch` would download; empty where the Hub cannot be asked.

    Raises:
        MissingError: The repository is gated and not opened, or holds no such files.
    """
    patterns = list(layout.patterns(corpus.locales[language], split))
    if _cached(place, patterns):
        return []
    found = listing(place.repository, place.revision)
    if found is None:
        return []
    for pattern in patterns:
        if files := found.matching(pattern):
            return found.missing(files)
    raise MissingError(_nowhere(place, patterns[0], [*looked, page(place.repository)], ""))


def _cached(place: HubRepo, patterns: list[str]) -> bool:
    """Whether `fetch` would find the files without asking the Hub, at the commit that is pinned."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        folder = snapshot_download(
            place.repository, repo_type="dataset", revision=place.revision, local_files_only=True
        )
    except (LocalEntryNotFoundError, OSError, ValueError):
        return False
    files = first_match(Path(folder), patterns)
    try:
        check_complete(files)
    except DataError:
        return False
    return bool(files)


def _nowhere(place: HubRepo, pattern: str, looked: list[str], terms: str) -> str:
    revision = f" --revision {place.revision}" if place.revision else ""
    command = f"hf download --repo-type dataset {place.repository}{revision} --include '{pattern}'"
    return (
        f"{place.repository}/{pattern} was not found. Looked in {' and '.join(looked)}.{terms}"
        f" Download it with: {command} or give a folder in the Hub's layout with --corpora DIR. `--edition"
        " mini` runs without it."
    )
