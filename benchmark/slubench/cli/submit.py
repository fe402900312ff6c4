"""`slubench submit` and `slubench verify`."""

from __future__ import annotations

from itertools import product
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
from slubench.cli.sandbox_options import (
    ComposeOption,
    DiskOption,
    FilesOption,
    MemoryOption,
    OutputOption,
    ProcessesOption,
    TrainOption,
    allowance,
)
from slubench.errors import UsageError, VerificationError, unknown

if TYPE_CHECKING:
    from slubench.submission.verify.verify import Verification


def submit(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN...",
            help="A run's name, the first digits of its fingerprint, or TASK/STRATEGY for all its "
            "budgets and seeds.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", metavar="DIR", help="Output folder.")],
    with_adapters: Annotated[
        bool,
        typer.Option("--with-adapters", help="Include the weights, so that predictions can be replayed."),
    ] = False,
    home: HomeOption = None,
    corpora: CorporaOption = None,
) -> None:
    """Pack scored runs for submission: predictions and ids, without gold labels, transcripts and speakers."""
    from slubench.pipeline.context import open_context
    from slubench.submission.bundle.pack import submit as pack

    context = open_context(home=home, corpora=corpora, say=say, progress=progress)
    kept = pack(runs, to, context, with_adapters=with_adapters)
    packed = "1 run" if len(kept) == 1 else f"{len(kept)} runs"
    say(f"{packed} packed; check with: slubench verify {to}")
    print(to)


def verify(
    bundle: Annotated[Path, typer.Argument(metavar="DIR", help="A folder created by `slubench submit`.")],
    replay: Annotated[
        int,
        typer.Option(
            "--replay", metavar="N", min=0, help="Predict N utterances per adapter again (tier: replayed)."
        ),
    ] = 0,
    retrain: Annotated[
        list[str] | None,
        typer.Option(
            "--retrain",
            metavar="CELL",
            help="Retrain the cell TASK/STRATEGY/SPEECH with --seed; its Python code runs in a "
            "sandbox (tier of the run that was trained here: retrained). Can be repeated.",
        ),
    ] = None,
    seed: Annotated[
        list[int] | None,
        typer.Option(
            "--seed",
            min=0,
            help="Seed for clips and training in --retrain; must not occur in the bundle. Can be repeated.",
        ),
    ] = None,
    adapters: Annotated[
        Path | None,
        typer.Option(
            "--adapters", metavar="DIR", help="Weights, one folder per card, for a bundle without weights."
        ),
    ] = None,
    tier: Annotated[
        str,
        typer.Option(
            "--tier",
            metavar="claimed|rescored|replayed",
            help="The tier that must be reached; claimed accepts a bundle whose corpus is not available"
            " here.",
        ),
    ] = "rescored",
    publish: Annotated[
        bool,
        typer.Option("--publish", help="Then copy scores and cards to the tracked folders of the checkout."),
    ] = False,
    memory: MemoryOption = None,
    processes: ProcessesOption = 1_024,
    disk: DiskOption = 50.0,
    files: FilesOption = 100_000,
    output: OutputOption = 16.0,
    compose_minutes: ComposeOption = 10.0,
    train_minutes: TrainOption = 1_440.0,
    engine: EngineOption = "auto",
    home: HomeOption = None,
    corpora: CorporaOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle against the corpus and grant it a tier of proof; exit 3 if anything is wrong.

    Scores are computed again from its replies and the corpus's gold; ids, budgets, seeds and fingerprints are
    recomputed. Its Python is never imported, except for --retrain, in a sandbox without network that holds
    neither test nor validation data nor recordings that were not bought.
    """
    from slubench.pipeline.context import open_context
    from slubench.runtime.home import Home
    from slubench.submission.bundle.layout import TIERS
    from slubench.submission.publish.merge_bundle import merge
    from slubench.submission.publish.one_act import check_target
    from slubench.submission.retrain.proof import Retrained
    from slubench.submission.verify.case import Proof
    from slubench.submission.verify.replay import Replay
    from slubench.submission.verify.verify import verify as hold

    if tier not in TIERS[:3]:
        raise unknown("tier", tier, TIERS[:3])
    if tier == "replayed" and not replay:
        raise UsageError("--tier replayed: give the number of utterances to predict again with --replay N.")
    allowed = allowance(memory, processes, disk, files, output, compose_minutes, train_minutes)
    if bool(retrain) != bool(seed):
        missing = "--seed S" if not seed else "--retrain TASK/STRATEGY/SPEECH"
        raise UsageError(f"--retrain and --seed must be used together; add {missing}.")
    context = open_context(home=home, corpora=corpora, say=say, progress=progress)
    if publish:
        check_target(context.home)
    with TemporaryDirectory(prefix="slubench-verify-") as folder:
        scratch = Home(Path(folder))
        proofs = []
        if replay:
            proofs.append(Proof("replayed", "rescored", Replay(replay, context, scratch, engine, adapters)))
        for cell, one in product(dict.fromkeys(retrain or ()), dict.fromkeys(seed or ())):
            retrained = Retrained(cell, one, context, scratch, engine, allowed)
            proofs.append(Proof("retrained", "rescored", retrained))
        verification = hold(bundle, context, scratch, proofs)
        published = []
        least = "replayed" if replay else tier
        if publish and _reached(verification, least):
            published = merge(verification, context)
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
        things = "1 problem" if count == 1 else f"{count:,} problems"
        raise VerificationError(f"{things} in {verification.folder}; no tier is granted.")
    if not _reached(verification, least):
        raise VerificationError(
            f"{verification.folder} is {verification.tier}, but {least} is required; see the reasons above."
        )
