"""Merges a verified bundle into a published leaderboard: copies recomputed results with their tier."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from slubench.board.read.scores import read_file
from slubench.domain.lookalike import looks_like
from slubench.pipeline.context import Context
from slubench.pipeline.score import first_row
from slubench.pipeline.train import card_of
from slubench.registry.adapters import Adapter
from slubench.registry.static_read import names_in
from slubench.runtime.home import Home
from slubench.schemas import TIERS
from slubench.submission.bundle.layout import SCORES
from slubench.submission.publish.cards import write_public_card
from slubench.submission.publish.one_act import Publication, check_target, publishing
from slubench.submission.publish.publish import copy_scores
from slubench.submission.verify.case import Case
from slubench.submission.verify.example_ids import alike
from slubench.submission.verify.score_rows import MEASURED, PLACE
from slubench.submission.verify.verify import Verification

if TYPE_CHECKING:
    import pyarrow as pa


def merge(verification: Verification, context: Context) -> list[Path]:
    """Copy the scores, cards and strategies of a bundle to the tracked folders of a checkout, all or nothing.

    What is copied was made anew from the bundle's replies and the corpus, slices over few speakers left out.
    A published row is never replaced by another: the same row may rise to a higher tier. A strategy that is
    not declared here is kept in `strategies/`, where the registry finds it.

    Args:
        verification: Of the bundle; what forbids publishing is added to its findings.
        context: Whose home is the checkout.

    Returns:
        The files written; none where something does not hold.

    Raises:
        UsageError: HOME is no checkout.
        DataError: Something that is published already can't be read, or nothing can be written.
    """
    home = context.home
    check_target(home)
    with publishing(home, context.say) as publication:
        published = home.root / "leaderboard" / "published"
        cards = _published_cards(home)
        # What bears a declared name was found to be what is declared, whatever its comments.
        others = [card for card in cards if card.strategy not in context.registry.strategies]
        # Each is read once, however many runs the bundle has.
        rows = {path: first_row(path, _OF_A_RUN) for path in sorted(published.glob("*.parquet"))}
        for case in verification.cases:
            _clash(case, rows, others)
        strategies = _new_strategies(verification.cases, context)
        if verification.tier is None:
            return []
        kept = {card.fingerprint for card in cards}
        for case in verification.cases:
            _stage(case, home, published, kept, publication)
        for target, content in strategies.items():
            publication.stage(target).write_bytes(content)
    for target in strategies:
        context.say(
            f"{target} is where the registry finds the strategy. Read it before the next command: it is"
            " imported from then on."
        )
    return list(publication.targets.values())


def _published_cards(home: Home) -> list[Adapter]:
    folder = home.root / "adapters_registry" / "published"
    return [Adapter.load(path) for path in sorted(folder.glob("*.json"))]


def _clash(case: Case, published: _FirstRows, cards: Sequence[Adapter]) -> None:
    """Find conflicts between a case and published results."""
    if case.scores is None or case.claim is None or case.planned is None:
        case.find(SCORES, "only claimed: the corpus is not available here, so there are no scores to publish")
        return
    for there in _published_as(case, published):
        if not _same(read_file(there), read_file(case.scores)):
            message = (
                f"{there.name} is already published with other scores, and a published row is never replaced"
            )
            case.find(SCORES, f"{message}; remove it first if it was withdrawn")
    own, name = case.claim.card, case.planned.run.strategy.name
    for card in cards:
        if own.sha256 and card.strategy == name and card.strategy_digest != own.strategy_digest:
            message = f"{card.stem} was published with another file of {name}"
            case.findings.add(case.entry.strategy, f"{message}. Give yours another name.")
            return
    if other := looks_like(name, {card.strategy for card in cards}):
        message = f"the name {name} looks like {other}, which is published. Give yours another name."
        case.findings.add(case.entry.strategy, message)


_OF_A_RUN = ("task", "strategy", "answers_fingerprint", "engine", "serving", "data_seed", "train_seed")
"""Columns, named alike in every version's files, in which the rows of one run agree."""


_FirstRows: TypeAlias = Mapping[Path, dict[str, Any] | None]
"""Those columns of published files, by path; None of one that can't be read."""


def _published_as(case: Case, published: _FirstRows) -> Iterator[Path]:
    """Published files of the same run, whatever they are called and whichever version wrote them."""
    assert case.scores is not None
    own = first_row(case.scores, _OF_A_RUN)
    for path, row in published.items():
        if path.name == case.scores.name or row == own:
            yield path


def _new_strategies(cases: Sequence[Case], context: Context) -> dict[Path, bytes]:
    """The files of strategies that are not declared here, by where they are to be kept; clashes are found."""
    found: dict[Path, bytes] = {}
    for case in cases:
        if case.claim is None or case.planned is None:
            continue
        name = case.planned.run.strategy.name
        if name in context.registry.strategies:
            continue
        target = context.home.root / "strategies" / f"{name.replace('-', '_').replace('.', '_')}.py"
        content = case.bundle.read(case.entry.strategy)
        if target.exists() and target.read_bytes() != content:
            message = (
                f"{target} is there already and is another file; move it away, or give yours another name"
            )
            case.findings.add(case.entry.strategy, message)
        elif others := [one for one in names_in(case.claim.strategy_text) if one != name]:
            message = f"it declares {others[0]} too; a file that is published declares one strategy"
            case.findings.add(case.entry.strategy, message)
        elif not target.exists():
            found[target] = content
    return found


def _stage(case: Case, home: Home, published: Path, told: set[str], publication: Publication) -> None:
    assert case.scores is not None
    target = published / case.scores.name
    if target.exists():
        tier = (first_row(target, ("tier",)) or {}).get("tier")
        if tier not in TIERS or TIERS.index(tier) >= TIERS.index(case.tier):
            return
    copy_scores(case.scores, target, publication, case.tier)
    card = _derived_card(case)
    if card.fingerprint not in told:
        told.add(card.fingerprint)
        path = home.root / "adapters_registry" / "published" / f"{card.stem}.json"
        write_public_card(card, publication.stage(path))


def _derived_card(case: Case) -> Adapter:
    """The card that follows from names and corpus; of the bundle's own only what its maker alone can know."""
    assert case.claim is not None
    assert case.planned is not None
    own = case.claim.card
    digest = hashlib.sha256(case.bundle.read(case.entry.strategy)).hexdigest()
    return dataclasses.replace(
        card_of(case.planned, own.ledger), strategy_digest=digest, training=own.training, sha256=own.sha256
    )


def _same(one: pa.Table, other: pa.Table) -> bool:
    """Whether what both tell of is measured alike; intervals of another scorer may be others."""
    versions = {version for table in (one, other) for version in table.column("scorer_version").to_pylist()}
    names = MEASURED if len(versions) == 1 else ("value",)
    measured = [
        {tuple(row[name] for name in PLACE): [row[name] for name in names] for row in _rows(table)}
        for table in (one, other)
    ]
    shared = measured[0].keys() & measured[1].keys()
    return bool(shared) and all(alike(measured[0][place], measured[1][place]) for place in shared)


def _rows(table: pa.Table) -> Sequence[dict[str, object]]:
    rows: list[dict[str, object]] = table.select([*PLACE, *MEASURED]).to_pylist()
    return rows
