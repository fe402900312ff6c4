"""`slubench submit` and `slubench verify`."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from slubench.cli.options import (
    CorporaOption,
    EngineOption,
    HomeOption,
    JsonOption,
    print_json,
    progress,
    say,
)
from slubench.errors import UsageError, VerificationError, unknown

if TYPE_CHECKING:
    from slubench.submission.context import Desk
    from slubench.submission.verify.verify import Verification


def submit(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="A run's name, the first digits of a fingerprint, or TASK/STRATEGY for all of both.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="The folder to make.")],
    with_adapters: Annotated[
        bool,
        typer.Option("--with-adapters", help="Bring the weights along, so that replies can be replayed."),
    ] = False,
    home: HomeOption = None,
    corpora: CorporaOption = None,
) -> None:
    """Make a bundle of scored runs to hand in: replies and ids, no gold, no transcript, no speaker."""
    from slubench.submission.bundle.pack import submit as pack

    kept = pack(runs, to, _desk(home, corpora), with_adapters=with_adapters)
    packed = "1 run" if len(kept) == 1 else f"{len(kept)} runs"
    say(f"{packed} packed; look at it with: slubench verify {to}")
    print(to)


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that `slubench submit` made.")],
    replay: Annotated[
        int,
        typer.Option(
            "--replay", metavar="N", min=0, help="Ask the adapters N utterances each again (tier: replayed)."
        ),
    ] = 0,
    retrain: Annotated[
        str | None,
        typer.Option(
            "--retrain",
            metavar="CELL",
            help="Train TASK/STRATEGY/SPEECH again with --seed, its Python in a sandbox (tier: retrained).",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, help="Seed of clips and training for --retrain; none of the bundle's."),
    ] = None,
    adapters: Annotated[
        Path | None,
        typer.Option("--adapters", metavar="DIR", help="Weights, a folder a card, if the bundle has none."),
    ] = None,
    tier: Annotated[
        str,
        typer.Option(
            "--tier",
            metavar="claimed|rescored|replayed",
            help="The least that must be proven; claimed lets a bundle pass whose corpus is not here.",
        ),
    ] = "rescored",
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Then copy scores and cards to the tracked folders of a checkout."),
    ] = False,
    engine: EngineOption = "auto",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a bundle against the corpus and grant it a tier of proof; exit 3 if anything does not hold.

    Scores are made again from its replies and gold of the corpus; ids, budgets, seeds and fingerprints are
    worked out anew. Its Python is read and never imported, but for --retrain, and then in a sandbox that has
    no network and neither test, dev nor other recordings than those bought.
    """
    from slubench.runtime.home import Home
    from slubench.submission.bundle.layout import TIERS
    from slubench.submission.publish.merge import check_target, merge
    from slubench.submission.retrain.proof import Retrained
    from slubench.submission.verify.case import Proof
    from slubench.submission.verify.replay import Replay
    from slubench.submission.verify.verify import verify as hold

    if tier not in TIERS[:3]:
        raise unknown("tier", tier, TIERS[:3])
    if tier == "replayed" and not replay:
        raise UsageError("--tier replayed: say with --replay N how many utterances are asked again.")
    if (retrain is None) != (seed is None):
        missing = "--seed S which seed" if seed is None else "--retrain TASK/STRATEGY/SPEECH which cell"
        raise UsageError(f"--retrain and --seed belong together: say with {missing}.")
    desk = _desk(home, corpora)
    if publish:
        check_target(desk.home)
    with TemporaryDirectory(prefix="slubench-verify-") as folder:
        scratch = Home(Path(folder))
        proofs = []
        if replay:
            proofs.append(Proof("replayed", "rescored", Replay(replay, desk, scratch, engine, adapters)))
        if retrain is not None and seed is not None:
            retrained = Retrained(retrain, seed, desk, scratch, engine)
            proofs.append(Proof("retrained", "rescored", retrained))
        verification = hold(bundle, desk, scratch, proofs)
        published = []
        least = "replayed" if replay else tier
        if publish and _reached(verification, least):
            published = merge(verification, desk)
    if as_json:
        told = verification.to_json() | {"published": [str(path) for path in published]}
        print_json(told)
    _tell(verification, as_json)
    for path in published:
        say(f"published {path}")
    _conclude(verification, least)


def _reached(verification: Verification, least: str) -> bool:
    from slubench.submission.bundle.layout import TIERS

    return verification.tier is not None and TIERS.index(verification.tier) >= TIERS.index(least)


def _tell(verification: Verification, as_json: bool) -> None:
    for case in verification.cases:
        for note in case.notes:
            say(f"{case.name}: {note}")
        if not as_json and not verification.findings:
            print(f"{case.tier:<10} {case.name}")
    for line in verification.findings.told():
        say(line)


def _conclude(verification: Verification, least: str) -> None:
    count = len(verification.findings.found)
    if count:
        things = "1 thing does" if count == 1 else f"{count:,} things do"
        raise VerificationError(f"{things} not hold in {verification.folder}; nothing of it is granted.")
    if not _reached(verification, least):
        raise VerificationError(
            f"{verification.folder} is {verification.tier}, and {least} was asked for; the reasons are above."
        )


def _desk(home: Path | None, corpora: Path | None) -> Desk:
    from slubench.registry import Registry
    from slubench.runtime.home import find_home
    from slubench.submission.context import Desk

    place = find_home(home)
    return Desk(place, Registry(place.root), corpora, say, progress)
