"""The container file copies all that the wheel is built from, and installs what is declared."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_container_holds_what_the_wheel_needs() -> None:
    text = (ROOT / "Containerfile").read_text("utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    copied = {name for line in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE) for name in line.split()}
    assert all((ROOT / name).exists() for name in copied)
    declared = project["project"]
    wanted = {"pyproject.toml", declared["readme"], *declared["license-files"]}
    wanted |= {
        path.split("/")[0] for path in project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
    }
    assert wanted <= copied
    (extra,) = re.findall(r'pip install [^"]*"\.\[(\w+)\]"', text)
    assert extra in declared["optional-dependencies"]
    (python,) = re.findall(r"^FROM python:3\.(\d+)-slim$", text, re.MULTILINE)
    assert int(python) >= int(declared["requires-python"].removeprefix(">=3."))
    assert 'ENTRYPOINT ["slubench"]' in text
    assert "slubench" in declared["scripts"]
