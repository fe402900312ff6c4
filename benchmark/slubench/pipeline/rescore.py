"""Makes scores again from kept answers, with the scorer of this version; no model is loaded."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from slubench.data.editions import EDITIONS
from slubench.data.source import Source, SplitFiles
from slubench.data.splits import find_pools, find_test
from slubench.domain.budget import Budget
from slubench.errors import DataError, MissingError, unknown
from slubench.metrics import SCORER_VERSION
from slubench.pipeline.fingerprints import scores_fingerprint
from slubench.pipeline.predict import Predictions, kept_folder, read_kept
from slubench.pipeline.score import write_scores
from slubench.registry import Registry
from slubench.registry.adapters import find_card
from slubench.runtime.digest import Digests
from slubench.runtime.home import Home
from slubench.schemas import IDENTITY, RULES, SCHEMA_VERSION
from slubench.scoring.record import Origin
from slubench.scoring.sidecars import remove_scores


class Rescored(NamedTuple):
    """A run that was scored again.

    Attributes:
        run: Its name.
        scores: The new file of scores; the old one is gone.
        before: Version of the scorer that had made the old ones.
        after: Version that made the new ones.
    """

    run: str
    scores: Path
    before: str
    after: str


def rescore_runs(
    home: Home, names: Sequence[str], corpora: Path | None, say: Callable[[str], None]
) -> list[Rescored]:
    """Score kept answers again.

    Args:
        home: Where scores and answers are.
        names: Names of runs as scores bear them; all that are scored where there are none.
        corpora: A mirror of the corpora, for the full edition.
        say: Told each step in a line.

    Raises:
        UsageError: A name is of no scored run.
        MissingError: Answers that were scored are not kept any more.
        DataError: A file of scores cannot be read, or the corpus is not the one that was asked.
    """
    kept = {path: read_identity(path) for path in sorted(home.scores.glob("*.parquet"))}
    known = {str(row["run"]) for row in kept.values()}
    for name in names:
        if name not in known:
            raise unknown("scored run", name, known)
    wanted = {path: row for path, row in kept.items() if not names or row["run"] in names}
    if not wanted:
        raise MissingError(f"Nothing is scored in {home.scores}.")
    desk = _Desk(home, corpora, Registry(home.root))
    done: dict[tuple[str, ...], Rescored] = {}
    for path, row in wanted.items():
        say(f"{row['run']}: scoring again")
        one = Rescored(str(row["run"]), desk.score(path, row), str(row["scorer_version"]), SCORER_VERSION)
        done[one.run, str(row["task"]), str(row["answers_fingerprint"])] = one
    return list(done.values())


@dataclass(frozen=True)
class _Desk:
    home: Home
    corpora: Path | None
    registry: Registry
    _found: dict[tuple[str, ...], tuple[SplitFiles, tuple[SplitFiles, ...]]] = field(default_factory=dict)

    def score(self, path: Path, row: Mapping[str, Any]) -> Path:
        place = (str(row[name]) for name in ("edition", "task", "speech", "target"))
        test, pools = self._corpus(*place)
        if test.revision != row["corpus_revision"]:
            raise DataError(
                f"{path}: the answers are to revision {row['corpus_revision']} of {test}, and what is here is"
                f" {test.revision}. Name the mirror that was asked with --corpora DIR."
            )
        answers = [self._answers(path, str(row["answers_fingerprint"]))]
        own = row.get("own_fingerprint")
        if own is not None:
            answers.append(self._answers(path, str(own)))
        fingerprint = scores_fingerprint(
            str(row["task"]), str(row["answers_fingerprint"]), SCORER_VERSION, own
        )
        identity = {
            **row,
            "own_fingerprint": own,
            "schema_version": SCHEMA_VERSION,
            "rules": RULES,
            "scorer_version": SCORER_VERSION,
            "scores_fingerprint": fingerprint,
            "created": datetime.datetime.now(datetime.UTC),
        }
        pools = pools if row["updates"] else ()
        written = write_scores(identity, answers, test, pools, self.home, self._origin(row))
        if path != written:
            remove_scores(path)
        return written

    def _origin(self, row: Mapping[str, Any]) -> Origin:
        named = self.registry.strategies.get(str(row["strategy"]))
        return Origin(
            adapter=find_card(self.home, str(row["train_fingerprint"])),
            strategy=self.registry.origin(named) if named is not None else "",
            gold_shown=EDITIONS[str(row["edition"])].gold_shown,
        )

    def _corpus(
        self, edition: str, task: str, speech: str, target: str
    ) -> tuple[SplitFiles, tuple[SplitFiles, ...]]:
        asked = (edition, task, speech, target)
        if asked not in self._found:
            chosen = EDITIONS[edition]
            corpora = self.corpora if chosen.mirror is None else None
            source: Source = chosen.source(corpora, Digests(self.home.digests))
            named = self.registry.task(task)
            budget = replace(Budget.parse(speech), target=target)
            self._found[asked] = find_test(named, source), find_pools(named, source, budget)
        return self._found[asked]

    def _answers(self, path: Path, fingerprint: str) -> Predictions:
        folder = kept_folder(self.home, fingerprint)
        if folder is not None:
            return read_kept(folder, fingerprint)
        raise MissingError(
            f"The answers that {path} was made from are not kept in {self.home.runs} (fingerprint"
            f" {fingerprint[:8]}). Run it again to ask the model anew."
        )


def read_identity(path: Path) -> dict[str, Any]:
    """What the first row of a score file says of its run.

    Columns that an earlier version did not have are left out.

    Raises:
        DataError: The file is no file of scores.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
        names = [name for name, _ in IDENTITY if name in file.schema_arrow.names]
        rows = file.read_row_group(0, columns=names).slice(0, 1).to_pylist() if file.num_row_groups else []
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path} is not a readable file of scores ({error}). Take it away.") from None
    needed = {"run", "task", "edition", "answers_fingerprint", "scorer_version", "corpus_revision", "updates"}
    needed |= {"speech", "target"}
    if not rows or not needed <= set(names):
        raise DataError(f"{path} is not a file of scores: it lacks {', '.join(sorted(needed - set(names)))}.")
    version = rows[0].get("schema_version")
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise DataError(
            f"{path}: scores of another or newer slubench (schema {version}, this one reads"
            f" {SCHEMA_VERSION}). Upgrade slubench, or move the file away."
        )
    return dict(rows[0])
