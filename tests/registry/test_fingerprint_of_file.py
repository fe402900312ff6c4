"""Fingerprints of kept strategy files, as the board reads them in several threads."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from slubench.registry import strategy_fingerprint as module
from slubench.registry.static_read import read_strategy

TEXT = (Path(__file__).resolve().parents[2] / "strategies" / "direct_mix.py").read_text("utf-8")


def test_files_are_parsed_one_at_a_time_in_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []
    most: list[int] = []
    real = read_strategy

    def watched(text: str, name: str) -> Any:
        inside.append(1)
        most.append(len(inside))
        time.sleep(0.005)
        inside.pop()
        return real(text, name)

    monkeypatch.setattr(module, "read_strategy", watched)

    def fingerprint(number: int) -> str | None:
        text = f"{TEXT}\n# {number} of test_files_are_parsed\n"
        return module.fingerprint_of_file(text, "direct-mix", sha256(text.encode()).hexdigest())

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(fingerprint, range(16)))
    assert len(found) == 1
    assert None not in found
    assert len(most) == 16
    assert max(most) == 1
