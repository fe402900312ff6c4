"""Finds a corpus's files: in a local mirror (in the Hub's or the authors' layout), or on the Hub."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from slubench.data.hub import Fetched, fetch, upcoming
from slubench.data.hub_files import HubFile
from slubench.data.mirror import check_complete, first_match, mirrored
from slubench.data.streamed import stream_first, streams
from slubench.domain.corpus import Corpus, HubRepo, Layout, Terms
from slubench.domain.run import LIMIT
from slubench.errors import DataError, MissingError
from slubench.runtime.digest import Digests


@dataclass(frozen=True)
class SplitFiles:
    """The files of one language and split of a corpus.

    Attributes:
        corpus: Whose they are.
        language: ISO 639-1 code.
        split: As in `train`.
        files: In order of their numbers.
        revision: The Hub's commit, or the digest of a mirror's files.
        layout: The form they come in; None stands for the corpus's first.
        root: The mirror's root, below which recordings in files of their own lie.
        joined: The files of each of the layout's joins that is there, by its name.
        sentences: Whether one recording stands for each sentence (drawn by a hash of their names).
        limit: Only so many utterances are read, the first ones; 0 for all.
    """

    corpus: Corpus
    language: str
    split: str
    files: tuple[Path, ...]
    revision: str
    layout: Layout | None = None
    root: Path = Path()
    joined: tuple[tuple[str, tuple[Path, ...]], ...] = ()
    sentences: bool = False
    limit: int = 0

    @property
    def form(self) -> Layout:
        """The format of the files."""
        return self.layout or self.corpus.layouts[0]

    def __str__(self) -> str:
        unit = "/sentences" if self.sentences else ""
        return f"{self.corpus.name}/{self.language}/{self.split}{unit}"


@dataclass(frozen=True)
class Source:
    """Places to look for corpora.

    Attributes:
        digests: Digests of local files.
        mirror: A folder in the Hub's own or the authors' layout, read first.
        hub: Whether the Hub (and its cache) is asked for what the mirror lacks.
        name: For messages, as in "the mini edition".
        own: The terms of what it holds, where that is not the published corpus; it need not be as large
            either. Such is the miniature.
        looks_only: Whether nothing is fetched and nothing hashed; what is found has no revision then.
        limit: For a smoke run: of each split only the first so many utterances are read; 0 for all.
    """

    digests: Digests
    mirror: Path | None = None
    hub: bool = True
    name: str = "the full edition"
    own: Terms | None = None
    looks_only: bool = False
    limit: int = 0

    @property
    def published(self) -> bool:
        """Whether its splits must have the published sizes."""
        return self.own is None and not self.limit

    def here(self, corpus: Corpus) -> Corpus:
        """A corpus with the terms of this place, if it has its own."""
        return corpus if self.own is None else dataclasses.replace(corpus, **dataclasses.asdict(self.own))

    def has(self, corpus: Corpus, language: str, split: str) -> bool:
        """Whether the mirror has that language and split."""
        return any(
            mirrored(self._root(form), corpus, form, language, split)
            for form in corpus.layouts
            if self.hub or not form.root
        )

    def _root(self, layout: Layout) -> Path | None:
        """The folder that a layout's files are below."""
        return Path(layout.root).expanduser() if layout.root else self.mirror

    def find(self, corpus: Corpus, language: str, split: str, sentences: bool = False) -> SplitFiles:
        """The files of one language and split, limited if the source is; see `_find`."""
        found = self._find(corpus, language, split, sentences)
        if not self.limit:
            return found
        # Part of the revision, so that no result of a smoke run is taken for one of the whole split.
        revision = f"{found.revision}+{LIMIT}-{self.limit}"
        return dataclasses.replace(found, revision=revision, limit=self.limit)

    def _find(self, corpus: Corpus, language: str, split: str, sentences: bool) -> SplitFiles:
        """The files of one language and split, downloaded from the Hub if necessary.

        Args:
            corpus: Whose files.
            language: ISO 639-1 code.
            split: As in `train`.
            sentences: Whether one recording is to stand for each sentence.

        Raises:
            MissingError: They are nowhere; the message says where they were looked for, how to get
                them, and what to do meanwhile.
            DataError: A shard of the mirror is missing.
        """
        for layout in corpus.layouts:
            if layout.root and not self.hub:
                continue
            files = mirrored(self._root(layout), corpus, layout, language, split)
            if files:
                check_complete(files)
                joined = self._joined(corpus, layout, language, split)
                revision = self._digest((*files, *_paths(joined)))
                root = self._root(layout) or Path()
                here = self.here(corpus)
                return SplitFiles(here, language, split, files, revision, layout, root, joined, sentences)
        if not self.hub:
            raise MissingError(f"{self.name} has no split {split} of {corpus.name} in {language!r}.")
        return self._from_hub(corpus, language, split, sentences)

    def upcoming(self, corpus: Corpus, language: str, split: str) -> list[HubFile]:
        """The files of a split that `find` would download; empty where the Hub cannot be asked.

        Of a smoke run nothing is told: it downloads little.

        Raises:
            MissingError: The repository is gated and not opened, or holds no such files.
        """
        if self.limit or not self.hub or self.has(corpus, language, split):
            return []
        looked = [f"the mirror {self.mirror}"] if self.mirror else []
        failed: list[MissingError] = []
        for layout in corpus.layouts:
            place = layout.place(split)
            if place is None or not place.on_hub:
                continue
            try:
                self._joined(corpus, layout, language, split)
                return upcoming(corpus, layout, place, language, split, looked)
            except MissingError as error:
                failed.append(error)
        raise MissingError(nowhere(corpus, language, split, looked, failed))

    def _from_hub(self, corpus: Corpus, language: str, split: str, sentences: bool) -> SplitFiles:
        looked = [f"the mirror {self.mirror}"] if self.mirror else []
        failed: list[MissingError] = []
        for layout in corpus.layouts:
            place = layout.place(split)
            if place is None or not place.on_hub:
                continue
            try:
                # What is joined comes first: without it there is no use in fetching gigabytes.
                joined = self._joined(corpus, layout, language, split)
                fetched = self._fetch(corpus, layout, place, language, split, looked)
            except MissingError as error:
                failed.append(error)
                continue
            check_complete(fetched.files)
            revision = f"{place.repository}@{fetched.revision}"
            if joined:
                revision += f"+{self._digest(_paths(joined))}"
            root = self.mirror or Path()
            return SplitFiles(
                corpus, language, split, fetched.files, revision, layout, root, joined, sentences
            )
        reason = failed[0] if failed else None
        raise MissingError(nowhere(corpus, language, split, looked, failed)) from reason

    def _fetch(
        self, corpus: Corpus, layout: Layout, place: HubRepo, language: str, split: str, looked: list[str]
    ) -> Fetched:
        """Files of the Hub; a smoke run streams the few rows that it reads, unless the whole set is here."""
        if not self.limit or not streams(layout, place) or self.looks_only:
            return fetch(corpus, layout, place, language, split, looked, self.looks_only)
        try:
            found = fetch(corpus, layout, place, language, split, looked, cached=True)
            # An interrupted download leaves some of the files.
            check_complete(found.files)
            return found
        except (DataError, MissingError):
            folder = self.digests.memory.parent / "streamed"
            return stream_first(corpus, layout, place, language, split, self.limit, folder)

    def _digest(self, files: tuple[Path, ...]) -> str:
        return "" if self.looks_only else self.digests.of_files(files)

    def _joined(
        self, corpus: Corpus, layout: Layout, language: str, split: str
    ) -> tuple[tuple[str, tuple[Path, ...]], ...]:
        found = []
        for join in layout.joins:
            patterns = [
                pattern.format(locale=corpus.locales[language], split=name)
                for name in layout.splits.get(split, (split,))
                for pattern in join.files
            ]
            files = first_match(self.mirror, patterns)
            if files:
                check_complete(files)
                found.append((join.name, files))
            elif join.needed:
                raise MissingError(
                    f"{corpus.name} in the format {layout.name} also needs {patterns[0]}, which was not found"
                    f" in {self.mirror or 'any mirror (give one with --corpora DIR)'}. {join.remedy}"
                )
        return tuple(found)


def nowhere(corpus: Corpus, language: str, split: str, looked: list[str], failed: list[MissingError]) -> str:
    """The message for a split that is neither in the mirror nor on the Hub."""
    if failed:
        return str(failed[0])
    pattern = corpus.layouts[0].patterns(corpus.locales[language], split)[0]
    return (
        f"{corpus.name}/{language}/{split} was not found. Looked in {' and '.join(looked) or 'no mirror'}"
        f" for {pattern}. Download it with: slubench data prepare TASK --corpora DIR, or see"
        f" {corpus.home_page}."
        " `--edition mini` runs without it."
    )


def _paths(joined: tuple[tuple[str, tuple[Path, ...]], ...]) -> tuple[Path, ...]:
    return tuple(path for _, files in joined for path in files)
