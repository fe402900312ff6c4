"""Every kind of declaration is found in the same places, with the same messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.errors import DeclarationError, UsageError
from slubench.registry import Registry, kind_of_file
from slubench.registry.kinds import BY_NAME, KINDS, Kind
from tests.registry.declarations import OF_KIND, write

PLACES = [pytest.param(kind, id=kind.name) for kind in KINDS if kind.name in OF_KIND]


def test_the_declarations_of_this_test_are_of_declared_kinds() -> None:
    assert set(OF_KIND) <= set(BY_NAME)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_kind_s_shelf_holds_some_and_each_has_its_file(kind: Kind) -> None:
    registry = Registry()
    found = getattr(registry, kind.plural)
    assert found
    for name, declaration in found.items():
        assert declaration.name == name
        assert isinstance(declaration, kind.type())
        assert Path(registry.origin(declaration)).is_file()
    assert registry.set_aside(kind) == []


@pytest.mark.parametrize("kind", PLACES)
def test_home_and_a_named_file(kind: Kind, tmp_path: Path) -> None:
    text = OF_KIND[kind.name].format(name="mine")
    path = write(tmp_path / kind.folder / "mine.py", text)
    registry = Registry(tmp_path)
    declared = getattr(registry, kind.name)("mine")
    assert registry.origin(declared) == str(path)
    other = write(tmp_path / "elsewhere" / "mine.py", OF_KIND[kind.name].format(name="other"))
    named = getattr(registry, kind.name)(str(other))
    assert (named.name, registry.origin(named)) == ("other", str(other))


@pytest.mark.parametrize("kind", PLACES)
def test_what_cannot_be_found_is_told_alike(kind: Kind, tmp_path: Path) -> None:
    find = getattr(Registry(tmp_path), kind.name)
    with pytest.raises(UsageError, match=rf"^There is no {kind.name} 'qqqq'.* file also works\."):
        find("qqqq")
    with pytest.raises(DeclarationError, match=rf"^There is no {kind.name} file .*no\.py\."):
        find(str(tmp_path / "no.py"))
    empty = write(tmp_path / "empty.py", "x = 1\n")
    noun = kind.type().__name__
    with pytest.raises(DeclarationError, match=rf"empty\.py declares no {kind.name}: .*assigned {noun}\("):
        find(str(empty))
    two = OF_KIND[kind.name].format(name="one") + OF_KIND[kind.name].format(name="two").replace("MINE", "TWO")
    with pytest.raises(DeclarationError, match=rf"two\.py declares 2 {kind.plural} \(one, two\)"):
        find(str(write(tmp_path / "two.py", two)))


@pytest.mark.parametrize("kind", PLACES)
def test_of_two_with_one_name_the_shelf_s_goes_on_working(kind: Kind, tmp_path: Path) -> None:
    shelved = next(iter(getattr(Registry(), kind.plural)))
    path = write(tmp_path / kind.folder / "mine.py", OF_KIND[kind.name].format(name=shelved))
    said: list[str] = []
    registry = Registry(tmp_path, said.append)
    declared = getattr(registry, kind.name)(shelved)
    assert registry.origin(declared) != str(path)
    (line,) = said
    assert line.startswith(f"set aside: The {kind.name} {shelved!r} is declared twice: in {path} and in ")
    assert registry.origin(declared) in line
    with pytest.raises(DeclarationError, match="is declared twice"):
        getattr(registry, kind.name)(str(path))


def test_an_attribute_that_is_no_kind() -> None:
    with pytest.raises(AttributeError, match="has no 'tsaks'"):
        _ = Registry().tsaks


def test_a_kind_that_is_added_to_the_table_is_found_by_the_same_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = Kind("phrase", "phrases", "tests.registry.made_kind:Phrase")
    write(
        tmp_path / "phrases" / "one.py",
        "from tests.registry.made_kind import Phrase\n\nONE = Phrase('one')\nTWO = (Phrase('two'),)\n",
    )
    monkeypatch.setattr("slubench.registry.registry.BY_NAME", {"phrase": kind})
    monkeypatch.setattr("slubench.registry.registry.BY_PLURAL", {"phrases": kind})
    registry = Registry(tmp_path)
    assert list(registry.phrases) == ["one", "two"]
    assert registry.phrase("two").name == "two"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (OF_KIND["strategy"], "strategy"),
        (OF_KIND["view"], "view"),
        ("from slubench import Task\nONE = Task(name='x')\n", "task"),
        ("from slubench import Model\nONE = (Model(name='x'),)\n", "model"),
        ("MINE = replace(CURRICULUM, name='x')\n", "strategy"),
        ("def broken(:\n", "strategy"),
    ],
)
def test_a_file_s_kind_is_told_without_importing_it(tmp_path: Path, text: str, kind: str) -> None:
    assert kind_of_file(write(tmp_path / "mine.py", text)).name == kind
