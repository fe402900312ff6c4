"""What a Hub repository holds, how large it is and whether it may be read, asked without downloading."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from slubench.errors import MissingError

DATASET, MODEL = "dataset", "model"


class HubFile(NamedTuple):
    """A file of a repository.

    Attributes:
        path: Its path there.
        size: Its bytes; 0 where the Hub does not tell.
    """

    path: str
    size: int


class HubListing(NamedTuple):
    """The files of a repository at a commit."""

    repository: str
    kind: str
    commit: str
    files: tuple[HubFile, ...]

    def matching(self, *patterns: str) -> list[HubFile]:
        """The files that match any of some patterns, in `fnmatch` terms."""
        return [file for file in self.files if any(fnmatchcase(file.path, one) for one in patterns)]

    def missing(self, files: Iterable[HubFile]) -> list[HubFile]:
        """Those of some files that are not in the cache, and are to be fetched."""
        from huggingface_hub import try_to_load_from_cache

        def cached(file: HubFile) -> bool:
            found = try_to_load_from_cache(
                self.repository, file.path, revision=self.commit, repo_type=self.kind
            )
            return isinstance(found, str)

        return [file for file in files if not cached(file)]


def page(repository: str, kind: str = DATASET) -> str:
    """The page of a repository, where its terms are accepted."""
    return f"https://huggingface.co/{'datasets/' if kind == DATASET else ''}{repository}"


def accept(repository: str, kind: str = DATASET) -> str:
    """How access to a gated repository is got, in a sentence."""
    return f"First accept its terms at {page(repository, kind)}."


def no_access(repository: str, kind: str = DATASET) -> MissingError:
    """The error for a gated repository that may not be read."""
    return MissingError(
        f"No access to {repository} on the Hub. {accept(repository, kind)} Then log in with `hf auth login`,"
        " or set HF_TOKEN."
    )


@cache
def listing(repository: str, revision: str | None, kind: str = DATASET) -> HubListing | None:
    """The files of a repository; None where the Hub cannot be asked.

    Raises:
        MissingError: It is gated and not opened, or does not exist.
    """
    from httpx import HTTPError
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if constants.HF_HUB_OFFLINE:
        return None
    api = HfApi()
    try:
        # The files of a gated repository are listed for everybody; whether they may be read is asked apart.
        info: Any = api.repo_info(
            repository, repo_type=kind, revision=revision, files_metadata=True, timeout=20
        )
        api.auth_check(repository, repo_type=kind)
    except GatedRepoError as error:
        raise no_access(repository, kind) from error
    except RepositoryNotFoundError as error:
        raise MissingError(
            f"{repository} is not on the Hub, or is private and may not be read ({page(repository, kind)})."
            " Log in with `hf auth login`, or set HF_TOKEN."
        ) from error
    except (HfHubHTTPError, HTTPError, OSError, ValueError):
        return None
    files = (HubFile(one.rfilename, one.size or 0) for one in info.siblings or ())
    return HubListing(repository, kind, info.sha or revision or "main", tuple(files))


def cache_folder() -> Path:
    """Where the Hub's files are kept."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)
