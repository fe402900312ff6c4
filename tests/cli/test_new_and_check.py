"""`slubench new strategy` and `slubench check`, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.command import slubench

LOSS = '''
"""A loss of one's own."""

from slubench import TEXT, Stage, Strategy


def loss(model, batch):
    BODY
    return model(**{name: batch[name] for name in ("inputs_embeds", "attention_mask", "labels")}).loss


STAGE = Stage(learns_from=TEXT, objective=loss)
OWN = Strategy(name="own-loss", summary="A loss of one's own", stages=(STAGE,))
'''


def test_a_strategy_begins(home: Path) -> None:
    ran = slubench("new", "strategy", "my-idea", "--home", home)
    path = Path(ran.stdout.strip())
    assert path == home / "strategies" / "my_idea.py"
    assert path.read_text("utf-8").startswith('"""My idea: ')
    assert "MY_IDEA = Strategy(" in path.read_text("utf-8")
    assert "slubench check my-idea" in ran.stderr
    assert "slubench run --task massive-de --strategy my-idea" in ran.stderr
    assert "my-idea" in slubench("list", "strategies", "--home", home).stdout


def test_a_strategy_begins_elsewhere(home: Path, tmp_path: Path) -> None:
    ran = slubench("new", "strategy", "my-idea", "--to", tmp_path / "there", "--home", home)
    assert f"slubench check {tmp_path / 'there' / 'my_idea.py'}" in ran.stderr
    assert not (home / "strategies").exists()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("curriculum", "A strategy 'curriculum' already exists"),
        ("<script>", "Invalid name '<script>'"),
        ("../../x", "such as my-idea"),
        ("MyIdea", "such as my-idea"),
        ("2-ideas", "starting with a letter"),
        ("x" * 10_000, "at most 64"),
        ("there-already", "already exists"),
    ],
)
def test_what_a_strategy_may_not_be_called(name: str, message: str, home: Path) -> None:
    there = home / "strategies" / "there_already.py"
    there.parent.mkdir(parents=True)
    there.write_text("# somebody's\n")
    ran = slubench("new", "strategy", name, "--home", home, code=2)
    assert message in ran.stderr
    assert [path.name for path in there.parent.iterdir()] == ["there_already.py"]
    assert there.read_text() == "# somebody's\n"


def test_a_task_is_checked(home: Path) -> None:
    told = json.loads(slubench("check", "massive-de", "--home", home, "--json").stdout)
    assert (told["kind"], told["passed"]) == ("task", True)
    assert {one["state"] for one in told["requirements"]} == {"pass"}
    shown = slubench("check", "massive-es", "--home", home).stdout
    assert "not checked" in shown
    assert "slubench data check massive-es" in shown


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("curiculum", 2, "There is no strategy, task or model 'curiculum'. Did you mean curriculum"),
        ("nowhere.py", 2, "There is no strategy file nowhere.py. `slubench new strategy my-idea`"),
    ],
)
def test_what_is_not_there_to_check(name: str, code: int, message: str) -> None:
    assert message in slubench("check", name, code=code).stderr


def test_a_file_that_is_no_python_fails(tmp_path: Path) -> None:
    path = tmp_path / "idea.py"
    path.write_text("Strategy(")
    shown = slubench("check", path, code=3).stdout
    assert "idea.py: '(' was never closed" in " ".join(shown.split())
    assert "-> Mend its syntax." in shown


def test_a_failed_requirement_has_a_reason_and_a_remedy_and_ends_with_3(tmp_path: Path) -> None:
    path = tmp_path / "idea.py"
    path.write_text("import torch\n" + LOSS)
    told = json.loads(slubench("check", path, "--json", code=3).stdout)
    assert not told["passed"]
    states = {one["requirement"]: one["state"] for one in told["requirements"]}
    assert states == {
        "imports only what is allowed": "fail",
        "imports without torch": "fail",
        "composed, trained and predicted": "not checked",
    }
    assert all(one["reason"] and one["remedy"] for one in told["requirements"] if one["state"] == "fail")


@pytest.mark.slow
def test_what_begins_passes_the_suite(home: Path) -> None:
    slubench("new", "strategy", "my-idea", "--home", home)
    told = json.loads(slubench("check", "my-idea", "--home", home, "--json").stdout)
    found = {one["requirement"]: (one["state"], one["reason"]) for one in told["requirements"]}
    assert {state for state, _ in found.values()} == {"pass"}
    assert found["trains"][1] == "updates: 16 at 2%, 16 at 100%"
    assert found["predicts"][1] == "16 items from speech, 16 items from text; 2 scored, with transformers"
    assert not (home / "runs").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "requirement", "found"),
    [
        ("raise ValueError('of no use')", "trains", "line 6, loss) failed, line 7: ValueError: of no use"),
        ("import slubench.data.editions as e; next(e.MINI_CORPUS.rglob('test-*.parquet')).open('rb').close()",
         "opens no file", "line 7: "),
    ],
)  # fmt: skip
def test_a_loss_is_audited_while_it_trains(body: str, requirement: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "own_loss.py"
    path.write_text(LOSS.lstrip().replace("BODY", body))
    told = json.loads(slubench("check", path, "--json", code=3).stdout)
    reasons = {one["requirement"]: one["reason"] for one in told["requirements"] if one["state"] == "fail"}
    assert found in reasons[requirement]


def test_without_a_summary_listings_take_the_docstrings_first_line(home: Path) -> None:
    shelf = home / "strategies"
    shelf.mkdir(parents=True)
    (shelf / "idea.py").write_text(
        '"""Read twice.\n\nAnd more."""\nfrom slubench import TEXT, Stage, Strategy\n'
        'IDEA = Strategy(name="idea", stages=(Stage(learns_from=TEXT),))\n',
        "utf-8",
    )
    listed = json.loads(slubench("list", "strategies", "--home", home, "--json").stdout)
    assert {one["name"]: one["summary"] for one in listed}["idea"] == "Read twice."
