"""The rows of `slubench list runs`: what is trained, scored, published, running or interrupted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from slubench.cli.options import say
from slubench.errors import DataError
from slubench.registry.adapters import Adapter, stem
from slubench.runtime.files import read_object
from slubench.runtime.locks import is_held

if TYPE_CHECKING:
    from slubench.board.runs import ScoredRun
    from slubench.runtime.home import Home


def run_rows(home: Home, *, published: bool = True) -> list[dict[str, Any]]:
    """A row a run, those of this HOME first: scored, then trained alone, then unfinished, then published.

    Args:
        home: Where runs are kept.
        published: Whether the scores are read that others published, which may be many.
    """
    cards = _cards(home)
    scored = list(_scored(home, {card.fingerprint: card for card in cards}, published))
    told = {row["adapter"] for row in scored}
    trained = [
        _row(card.stem, "trained", card, seconds=card.training.get("seconds"), created=_written(home, card))
        for card in cards
        if card.stem not in told
    ]
    there = {card.stem for card in cards}
    unfinished = [row for row in _unfinished(home) if row["name"] not in there]
    own = [row for row in scored if row["state"] == "scored"]
    others = [row for row in scored if row["state"] != "scored"]
    return [*own, *trained, *unfinished, *others]


def adapter_names(names: Sequence[str], home: Home) -> dict[str, str]:
    """The adapters behind scored runs of those names; names of adapters, and unknown ones, are left out."""
    if all((home.adapters / f"{name}.json").is_file() for name in names):
        return {}
    return {row["name"]: row["adapter"] for row in run_rows(home) if row["name"] in names and row["adapter"]}


def _cards(home: Home) -> list[Adapter]:
    cards = []
    for path in sorted(home.adapters.glob("*.json")):
        try:
            cards.append(Adapter.load(path))
        except DataError as error:
            say(f"left out: {error}")
    return cards


def _scored(home: Home, cards: dict[str, Adapter], published: bool) -> Iterator[dict[str, Any]]:
    if not (published or home.scores.is_dir()):
        return
    from slubench.board import read_scores, score_files
    from slubench.board.panel import Measure
    from slubench.board.runs import runs_of

    files, own = score_files(home.root), home.scores.resolve()
    mine = [path for path in files if path.parent == own]
    others = [path for path in files if path.parent != own] if published else []
    seen: set[str] = set()
    for state, paths in (("scored", mine), ("published", others)):
        reading = read_scores(paths, shown=True)
        for refused in reading.refused:
            say(f"left out: {refused}")
        runs = runs_of(reading.table)
        times = Counter(str(run.row["run"]) for run in runs)
        for run in sorted(runs, key=lambda run: str(run.row["run"])):
            print_of = str(run.row["scores_fingerprint"])
            if print_of in seen:
                continue
            seen.add(print_of)
            card = cards.get(str(run.row["train_fingerprint"]))
            score = run.measures.get(Measure("slu_f1", "speech", True))
            yield _row(
                _name(run, times),
                state,
                card,
                score=score.value if score else None,
                seconds=run.row.get("train_seconds") or (card.training.get("seconds") if card else None),
                created=run.row["created"],
                told=run.row,
            )


def _name(run: ScoredRun, times: Counter[str]) -> str:
    name = str(run.row["run"])
    return name if times[name] == 1 else stem(name, str(run.row["scores_fingerprint"]))


def _unfinished(home: Home) -> Iterator[dict[str, Any]]:
    """Trainings that have begun and left no card."""
    for job in sorted(home.runs.glob("*/train.json")):
        folder = job.parent
        try:
            content = read_object(job)
            total = sum(int(stage["updates"]) for stage in content["stages"])
            name = str(content["name"])
        except (OSError, DataError, KeyError, TypeError, ValueError) as error:
            say(f"left out: {job} cannot be read ({error})")
            continue
        points = [int(one.name) for one in (folder / "checkpoints").glob("[0-9]*") if one.name.isdecimal()]
        state = "running" if is_held(folder / "train.lock") else "interrupted"
        yield {
            **_row(folder.name, f"{state} {max(points, default=0)}/{total}", None),
            "training": name,
            "created": datetime.fromtimestamp(job.stat().st_mtime).astimezone(),
        }


def _row(
    name: str,
    state: str,
    card: Adapter | None,
    score: float | None = None,
    seconds: float | None = None,
    created: datetime | None = None,
    told: Any = None,
) -> dict[str, Any]:
    told = told or {}
    ledger = card.ledger if card else None
    return {
        "name": name,
        "state": state,
        "slu_f1": score,
        "seconds": None if seconds is None else round(float(seconds), 1),
        "created": created,
        "strategy": card.strategy if card else told.get("strategy", ""),
        "speech": card.budget if card else told.get("speech", ""),
        "clips": ledger.clips_bought if ledger else told.get("clips_bought"),
        "updates": sum(ledger.updates) if ledger else told.get("updates"),
        "adapter": card.stem if card else "",
    }


def _written(home: Home, card: Adapter) -> datetime:
    return datetime.fromtimestamp((home.adapters / f"{card.stem}.json").stat().st_mtime).astimezone()
