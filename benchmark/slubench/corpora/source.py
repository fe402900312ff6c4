"""Where a corpus's files are: a local mirror in the Hub's layout, the Hub's cache, or the Hub."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from slubench.corpus import Corpus
from slubench.digest import Digests
from slubench.errors import DataError, MissingError

SHARD = re.compile(r"-(\d+)-of-(\d+)\.parquet$")


@dataclass(frozen=True)
class Shards:
    """The Parquet files of one language and split of a corpus.

    Attributes:
        corpus: Whose they are.
        language: ISO 639-1 code.
        split: As in `train`.
        files: In order of their numbers.
        revision: The Hub's commit, or the digest of a mirror's files.
    """

    corpus: Corpus
    language: str
    split: str
    files: tuple[Path, ...]
    revision: str

    def __str__(self) -> str:
        return f"{self.corpus.name}/{self.language}/{self.split}"


@dataclass(frozen=True)
class Source:
    """Where corpora are looked for.

    Attributes:
        digests: Digests of local files.
        mirror: A folder in the Hub's own layout, read first.
        hub: Whether the Hub (and its cache) is asked for what the mirror lacks.
        name: For messages, as in "the mini edition".
    """

    digests: Digests
    mirror: Path | None = None
    hub: bool = True
    name: str = "the full edition"

    def has(self, corpus: Corpus, language: str, split: str) -> bool:
        """Whether the mirror holds that language and split."""
        return bool(self._mirrored(corpus, language, split))

    def find(self, corpus: Corpus, language: str, split: str) -> Shards:
        """The files of one language and split, fetched from the Hub if need be.

        Raises:
            MissingError: They are nowhere; the message says where they were looked for, how to get
                them, and what to do meanwhile.
            DataError: A shard of the mirror is missing.
        """
        files = self._mirrored(corpus, language, split)
        if files:
            _complete(files)
            return Shards(corpus, language, split, files, self.digests.of_files(files))
        if not self.hub:
            raise MissingError(f"{self.name} has no {split} split of {corpus.name} in {language!r}.")
        return self._from_hub(corpus, language, split)

    def _mirrored(self, corpus: Corpus, language: str, split: str) -> tuple[Path, ...]:
        if self.mirror is None:
            return ()
        folder = self.mirror / corpus.place(split).repository
        pattern = corpus.files.format(locale=corpus.locales[language], split=split)
        return tuple(sorted(folder.glob(pattern)))

    def _from_hub(self, corpus: Corpus, language: str, split: str) -> Shards:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

        place = corpus.place(split)
        pattern = corpus.files.format(locale=corpus.locales[language], split=split)
        terms = f" Its terms must be accepted first, at {corpus.home_page}." if place.gated else ""
        command = f"hf download --repo-type dataset {place.repository} --include '{pattern}'"
        looked = [f"the mirror {self.mirror}"] if self.mirror else []
        looked.append("the Hub's cache" if os.environ.get("HF_HUB_OFFLINE") else "the Hub and its cache")
        try:
            snapshot = Path(
                snapshot_download(
                    place.repository, repo_type="dataset", revision=place.revision, allow_patterns=[pattern]
                )
            )
        except GatedRepoError as error:
            raise MissingError(
                f"The Hub does not let you read {place.repository}.{terms} Then log in with `hf auth login`."
            ) from error
        except (LocalEntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
            raise MissingError(_nowhere(place.repository, pattern, looked, command, terms)) from error
        files = tuple(sorted(snapshot.glob(pattern)))
        if not files:
            raise MissingError(_nowhere(place.repository, pattern, looked, command, terms))
        _complete(files)
        return Shards(corpus, language, split, files, f"{place.repository}@{snapshot.name}")


def _nowhere(repository: str, pattern: str, looked: list[str], command: str, terms: str) -> str:
    return (
        f"{repository}/{pattern} is not there. Looked in {' and '.join(looked)}.{terms}"
        f" Fetch it with: {command}"
        " or name a folder in the Hub's layout with --corpora DIR."
        " Meanwhile `--edition mini` runs everywhere."
    )


def _complete(files: tuple[Path, ...]) -> None:
    numbers = [match for file in files if (match := SHARD.search(file.name))]
    totals = {int(match.group(2)) for match in numbers}
    found = {int(match.group(1)) for match in numbers}
    if len(totals) == 1 and (missing := set(range(totals.pop())) - found):
        raise DataError(
            f"{files[0].parent}: shard {min(missing)} of {files[0].name.rsplit('-of-')[-1]} is missing"
            f" ({len(found)} are there). Fetch it again."
        )
