"""What `slubench doctor` looks at on this machine."""

from __future__ import annotations

import io
import os
import platform
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from typing import NamedTuple

from slubench import __version__
from slubench.data.clips import decode
from slubench.data.editions import FULL, MINI_CORPUS
from slubench.data.hub_files import cache_folder
from slubench.domain.footprint import merged_bytes, told
from slubench.errors import DataError, MissingError
from slubench.registry import Registry
from slubench.registry.weights import weights_at_hand
from slubench.runtime import engines
from slubench.runtime.disk import DiskNeed, check_disk, existing
from slubench.runtime.gpu import find_driver, trouble_with_gpu
from slubench.runtime.home import Home
from slubench.runtime.machine import capacity, fitting_tracks, why_not
from slubench.runtime.sandbox import find_bubblewrap
from slubench.runtime.system import cores


class Check(NamedTuple):
    """The result of one check.

    Attributes:
        state: `ok`, `lacks` (something can't be done here), or `broken` (something is to be mended).
        what: What was looked at.
        detail: What was found, and what to do.
    """

    state: str
    what: str
    detail: str


def diagnose(home: Home) -> list[Check]:
    """Check everything, without changing anything or loading a heavy library."""
    return [
        Check("ok", "slubench", f"{__version__}, Python {platform.python_version()}, {platform.platform()}"),
        *_devices(home),
        *_engines(),
        *_audio(),
        _sandbox(),
        *_places(home),
    ]


def _devices(home: Home) -> Iterator[Check]:
    yield Check("ok", "processor", f"{platform.processor() or platform.machine()}, {cores()} cores")
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    shown = f" (CUDA_VISIBLE_DEVICES={visible})" if visible is not None else ""
    driver, trouble = find_driver(), trouble_with_gpu()
    if driver is None or not driver.gpus:
        detail = f"no CUDA GPU{shown}: the full edition's model cannot be run; use --edition mini"
        yield Check("lacks", "GPU", detail)
        return
    first = driver.gpus[0]
    free = "" if first.free is None else f", {told(first.free)} free"
    cuda = ".".join(map(str, driver.cuda))
    found = f"{len(driver.gpus)} x {first.name}, {told(first.total)}{free}, driver for CUDA {cuda}{shown}"
    yield Check("broken" if trouble else "ok", "GPU", trouble or found)
    if not trouble:
        yield _default_model(home)


def _default_model(home: Home) -> Check:
    """Whether the full edition's model can be trained here."""
    registry = Registry(home.root, lambda line: None)
    model = registry.model(FULL.model)
    total, _ = capacity(model)
    tracks = fitting_tracks(model, total) if total else []
    if reason := why_not(model, tracks[0] if tracks else "lora-lm"):
        return Check("lacks", "GPU memory", reason)
    return Check("ok", "GPU memory", f"{model.name} fits by estimate on the tracks {', '.join(tracks)}")


def _engines() -> Iterator[Check]:
    for name in ("torch", "transformers", "peft"):
        version = engines.version_of(name)
        state = "ok" if version else "broken"
        yield Check(state, name, version or "not installed: install slubench again")
    vllm = engines.available().get("vllm")
    if vllm:
        yield Check("ok", "vLLM", f"{vllm.distribution or 'unknown build'} {vllm.version}".strip())
    else:
        detail = "not installed; use --engine transformers, or install slubench[gpu] (CUDA) or slubench[cpu]"
        yield Check("lacks", "vLLM", detail)
    for trouble in engines.troubles():
        yield Check("broken", "libraries", trouble)


def _audio() -> Iterator[Check]:
    import numpy as np
    import soundfile

    works, fails = [], []
    for container, codec in (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS")):
        name = f"{container}/{codec}" if container == "OGG" else container
        buffer = io.BytesIO()
        try:
            soundfile.write(buffer, np.zeros(1600, np.float32), 16_000, format=container, subtype=codec)
            decode(buffer.getvalue(), 16_000)
            works.append(name)
        except (soundfile.SoundFileError, DataError, ValueError):
            fails.append(name)
    library = f"libsndfile {soundfile.__libsndfile_version__}"
    yield Check("ok", "audio", f"{library} decodes {', '.join(works)}")
    if fails:
        yield Check("broken", "audio", f"{library} fails on {', '.join(fails)}: upgrade soundfile")
    if find_spec("espeakng_loader") is None:
        yield Check(
            "lacks",
            "synthesiser",
            "espeakng-loader is not installed; strategies that call pool.speak need it (slubench[tts])",
        )


def _sandbox() -> Check:
    try:
        program = find_bubblewrap()
    except MissingError as error:
        return Check("lacks", "sandbox", f"{error} Only needed for `slubench verify --retrain`")
    return Check("ok", "sandbox", f"bubblewrap at {program}: strategies can be retrained in a sandbox")


def _places(home: Home) -> Iterator[Check]:
    place = existing(home.root)
    writable = os.access(place, os.W_OK)
    free = shutil.disk_usage(place).free / 1e9
    state = "ok" if writable and free > 1 else "broken"
    trouble = "" if writable else ", not writable: choose another folder with --home"
    yield Check(state, "HOME", f"{home.root}, {free:.0f} GB free{trouble}")
    yield from _disk(home)
    hub = cache_folder()
    held = sorted(p.name.replace("--", "/") for p in hub.glob("*--*")) if hub.is_dir() else []
    yield Check("ok", "Hub cache", f"{hub}: {', '.join(held[:6]) or 'empty'}")
    offline = os.environ.get("HF_HUB_OFFLINE", "")
    if offline not in ("", "0"):
        yield Check("ok", "Hub", f"HF_HUB_OFFLINE={offline}: only the cache is used")
    files = list(MINI_CORPUS.glob("**/*.parquet"))
    size = sum(file.stat().st_size for file in files) / 2**20
    state = "ok" if files else "broken"
    yield Check(
        state,
        "mini corpus",
        f"{len(files)} files, {size:.0f} MiB" if files else "missing: reinstall slubench",
    )


def _disk(home: Home) -> Iterator[Check]:
    """Whether weights and merged weights of the full edition's model have room."""
    model = Registry(home.root, lambda line: None).model(FULL.model)
    needs = [DiskNeed("merged weights while vLLM serves them", home.root, merged_bytes(model))]
    if not weights_at_hand(model):
        needs.append(DiskNeed(f"the weights of {model.name}", cache_folder(), merged_bytes(model)))
    try:
        check_disk(needs)
    except MissingError as error:
        yield Check(
            "lacks", "disk", f"{error} The corpora come on top; `slubench data list` shows their size."
        )
