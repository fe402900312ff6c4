"""Lists, ranges of seeds and patterns of a grid."""

from __future__ import annotations

from pathlib import Path

import pytest

from slubench.errors import UsageError
from slubench.sweep.expand import listed, listed_files, matching, seeds_in

TASKS = ["italic", "massive-de", "massive-fr", "slurp"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0,5%", ["0", "5%"]),
        (" 0 , 5% ", ["0", "5%"]),
        ("0 5% 20min", ["0", "5%", "20min"]),
        ("0, 5 %, 20 min, 230", ["0", "5%", "20min", "230"]),
        ("5% + stratified,0", ["5%+stratified", "0"]),
        ("0,0,5%,", ["0", "5%"]),
    ],
)
def test_a_list_is_separated_by_commas_or_blanks(text: str, found: list[str]) -> None:
    assert listed("--speech", text) == found


@pytest.mark.parametrize("text", ["", " , ", ",,"])
def test_an_empty_list_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected at least one value"):
        listed("--task", text)


def test_a_file_whose_name_holds_blanks_is_one_value() -> None:
    assert listed_files("--strategy", "text-only direct-mix, my own/new idea.py") == [
        "text-only",
        "direct-mix",
        "my own/new idea.py",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0", [0]),
        ("0-4", [0, 1, 2, 3, 4]),
        ("0, 2 - 3, 7", [0, 2, 3, 7]),
        ("3 1 1", [3, 1]),
        ("2147483646-2147483647", [2147483646, 2147483647]),
    ],
)
def test_seeds_and_their_ranges(text: str, found: list[int]) -> None:
    assert seeds_in(text) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a", "expected whole numbers"),
        ("", "expected whole numbers"),
        ("1.5", "expected whole numbers"),
        ("0-", "expected whole numbers"),
        ("-1", "-1 is not in the range"),
        ("4-0", "did you mean 0-4"),
        ("0-2147483648", "2147483648 is not in the range"),
        ("0-100000", "more than 10,000 seeds"),
    ],
)
def test_seeds_that_are_none(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        seeds_in(text)


def test_patterns_are_replaced_by_what_they_match_each_once() -> None:
    assert matching("task", ["slurp", "massive-*", "massive-de"], TASKS) == [
        "slurp",
        "massive-de",
        "massive-fr",
    ]
    assert matching("task", ["[is]*"], TASKS) == ["italic", "slurp"]


def test_a_pattern_takes_only_what_is_wanted_and_a_full_name_is_kept() -> None:
    assert matching("task", ["massive-*"], TASKS, lambda name: name.endswith("de")) == ["massive-de"]
    assert matching("task", ["slurp"], TASKS, lambda name: False) == ["slurp"]


def test_a_pattern_that_matches_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match=r"There is no task that matches 'masive-\*'.*Did you mean massive-"):
        matching("task", ["masive-*"], TASKS)


def test_a_pattern_of_files(tmp_path: Path) -> None:
    for name in ("b.py", "a.py", "note.txt"):
        (tmp_path / name).write_text("")
    assert matching("strategy", [f"{tmp_path}/*"], []) == [str(tmp_path / "a.py"), str(tmp_path / "b.py")]
