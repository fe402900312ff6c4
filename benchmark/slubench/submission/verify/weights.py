"""Prepares the weights of a submitted adapter: checked against the card, with a newly written config."""

from __future__ import annotations

import shutil
from pathlib import Path

from slubench.domain.run import Run
from slubench.errors import shown
from slubench.pipeline.context import Context
from slubench.runtime.digest import sha256_of
from slubench.submission.adapter_files import dress, tensors
from slubench.submission.bundle.untrusted_files import opened
from slubench.submission.problems import Problem, Refusal
from slubench.submission.verify.case import Case


def lay_weights(case: Case, run: Run, folder: Path, adapters: Path | None, context: Context) -> str:
    """The folder of the weights, with a config that follows from the recipe and not from the bundle.

    Raises:
        Refusal: Weights are missing, are not those of the card, or are no safetensors.
    """
    assert case.claim is not None
    folder.mkdir(parents=True)
    card = case.claim.card
    if not card.sha256:
        return ""
    listed = {Path(path).name: path for path in case.entry.weights}
    for name, digest in card.sha256.items():
        if name in listed:
            source, told = case.bundle.folder / listed[name], listed[name]
        elif adapters is not None:
            # Of a card only its fingerprint, which was checked, leads to a folder of this machine's.
            source = adapters / f"{run.training}-{card.fingerprint[:8]}" / Path(name).name
            told = str(source)
        else:
            raise Refusal(Problem(case.entry.file("card.json"), _NO_WEIGHTS.format(name=shown(name))))
        _take(source, folder / Path(name).name, digest, told)
    dress(folder, run.model, run.track, context.digests)
    return str(folder)


_NO_WEIGHTS = (
    "its weights {name} are not in the bundle, so nothing can be predicted again; submit with"
    " --with-adapters, or give their folder with --adapters DIR"
)


def _take(source: Path, target: Path, digest: str, told: str) -> None:
    """Copy weights that are safetensors and those of the card."""
    from safetensors import SafetensorError

    if target.suffix != ".safetensors":
        raise Refusal(Problem(told, "weights must be safetensors; loading a pickle can run code"))
    try:
        with opened(source, told) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        if (found := sha256_of(target)) != digest:
            raise Refusal(Problem(told, f"its SHA-256 is {found[:12]}; the card has {shown(digest[:12])}"))
        tensors(target)
    except SafetensorError as error:
        raise Refusal(Problem(told, f"it is not a safetensors file ({shown(str(error), 160)})")) from None
