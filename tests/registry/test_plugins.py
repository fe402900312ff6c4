"""An installed plugin brings declarations of every kind; one that fails is set aside."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from slubench.errors import DeclarationError
from slubench.registry import Registry
from tests.command import slubench
from tests.registry.declarations import MODEL, OF_KIND, STRATEGY, TASK, write

GROUPS = {"task": "tasks", "strategy": "strategies", "model": "models", "view": "views"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of installed packages; its modules are forgotten afterwards."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(folder)):
            del sys.modules[name]


def install(site: Path, entry_points: str, name: str = "my-plugin") -> None:
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    write(info / "entry_points.txt", entry_points)


@pytest.fixture
def plugin(site: Path) -> Path:
    """A plugin of every kind, a module each."""
    points = ""
    for kind, group in GROUPS.items():
        write(site / "my_plugin" / f"{group}.py", OF_KIND[kind].format(name="plugged"))
        points += f"[slubench.{group}]\nmine = my_plugin.{group}:MINE\n\n"
    write(site / "my_plugin" / "__init__.py", "")
    install(site, points)
    return site


@pytest.mark.parametrize("kind", GROUPS)
def test_every_kind(plugin: Path, kind: str) -> None:
    said: list[str] = []
    registry = Registry(None, said.append)
    declared = getattr(registry, kind)("plugged")
    assert registry.origin(declared) == f"plugin mine (my_plugin.{GROUPS[kind]}:MINE)"
    assert said == []


def test_the_command_line_finds_it(plugin: Path) -> None:
    ran = slubench("list")
    assert ran.stdout.count("plugged") == 3
    assert ran.stderr == ""


def test_a_module_may_pass_on_what_its_package_declares_and_nothing_of_slubench(site: Path) -> None:
    write(site / "my_plugin" / "ideas.py", STRATEGY.format(name="one"))
    write(
        site / "my_plugin" / "__init__.py",
        "from slubench.strategies.curriculum import CURRICULUM\n"
        "from .ideas import MINE\n" + STRATEGY.format(name="two").replace("MINE", "TWO"),
    )
    install(site, "[slubench.strategies]\nmine = my_plugin\n")
    registry = Registry()
    names = [one.name for one in registry.strategies.values() if "plugin" in registry.origin(one)]
    assert names == ["one", "two"]
    assert registry.origin(registry.strategy("curriculum")).endswith("curriculum.py")


def test_a_list_and_a_shipped_strategy(site: Path) -> None:
    text = STRATEGY.format(name="one") + "ALL = [MINE]\nfrom slubench.strategies.curriculum import *\n"
    write(site / "my_plugin.py", text)
    install(site, "[slubench.strategies]\nall = my_plugin:ALL\nold = my_plugin:CURRICULUM\n")
    said: list[str] = []
    registry = Registry(None, said.append)
    assert registry.origin(registry.strategy("one")) == "plugin all (my_plugin:ALL)"
    assert registry.origin(registry.strategy("curriculum")).endswith("curriculum.py")
    assert said == []


@pytest.mark.parametrize(
    ("text", "value", "said"),
    [
        (None, "gone:MINE", "cannot be imported: ModuleNotFoundError: No module named 'gone'"),
        ("x = 1\n", "my_plugin:MINE", "cannot be imported: AttributeError"),
        ("raise SystemExit(3)\n", "my_plugin:MINE", "cannot be imported: SystemExit: 3"),
        ("raise KeyboardInterrupt\n", "my_plugin", "cannot be imported: KeyboardInterrupt"),
        ("x = 1\n", "my_plugin", "has no Strategy; its entry point must name one"),
        ("MINE = 7\n", "my_plugin:MINE", "has no Strategy; its entry point must name one"),
        (MODEL.format(name="m"), "my_plugin:MINE", "has no Strategy; its entry point must name one"),
        (STRATEGY.format(name="curriculum"), "my_plugin:MINE", "The strategy 'curriculum' is declared twice"),
    ],
)
def test_one_that_fails_is_set_aside(site: Path, text: str | None, value: str, said: str) -> None:
    if text is not None:
        write(site / "my_plugin.py", text)
    install(site, f"[slubench.strategies]\nmine = {value}\n")
    lines: list[str] = []
    registry = Registry(None, lines.append)
    assert registry.strategy("curriculum").name == "curriculum"
    (line,) = lines
    assert f"plugin mine ({value})" in line
    assert said in line
    with pytest.raises(DeclarationError, match=r"plugin mine \(") as caught:
        Registry().strategy("mine")
    assert said in str(caught.value)


def test_two_plugins_of_one_name_the_first_goes_on_working(site: Path) -> None:
    for name in ("a", "b"):
        write(site / f"{name}_plugin.py", TASK.format(name="twice"))
        install(site, f"[slubench.tasks]\n{name} = {name}_plugin:MINE\n", f"{name}-plugin")
    lines: list[str] = []
    registry = Registry(None, lines.append)
    assert registry.origin(registry.task("twice")) == "plugin a (a_plugin:MINE)"
    assert lines == [
        "set aside: The task 'twice' is declared twice: in plugin b (b_plugin:MINE) and in"
        " plugin a (a_plugin:MINE). Give one of them another name."
    ]


def test_a_plugin_with_old_names(site: Path) -> None:
    text = STRATEGY.format(name="one").replace("from slubench import", "from slubench.strategy import")
    write(site / "my_plugin.py", text)
    install(site, "[slubench.strategies]\nmine = my_plugin:MINE\n")
    lines: list[str] = []
    assert Registry(None, lines.append).strategy("one").summary == "mine"
    assert lines == [
        "The plugin mine (my_plugin:MINE) uses old names, which work until 0.3: slubench.strategy is now"
        " slubench.domain.strategy"
    ]
