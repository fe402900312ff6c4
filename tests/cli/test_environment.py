"""Variables that were set for one command break no other, and several values are met with `sweep`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from slubench.cli.command import expanded
from slubench.cli.completion import complete_strategy, complete_task
from tests.command import slubench

RUN = ("run", "--task", "massive-de", "--strategy", "no-such", "--edition", "mini")


def told(*arguments: str | Path, code: int = 2, **environment: str) -> str:
    return " ".join(slubench(*arguments, code=code, **environment).stderr.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--task", "massive-de,massive-fr"), "slubench sweep --task massive-de,massive-fr"),
        (("--strategy", "text-only,curriculum"), "slubench sweep --strategy text-only,curriculum"),
        (("--speech", "5%,10%"), "slubench sweep --speech 5%,10%"),
        (("--target", "none,text"), "slubench sweep --target none,text"),
        (("--seed", "0,1,2"), "slubench sweep --seeds 0,1,2"),
        (("--seed=0,1",), "slubench sweep --seeds 0,1"),
        (("--seeds", "0,1"), "slubench sweep --seeds 0,1"),
        (("--data-seed", "0,1"), "slubench sweep --seeds 0,1"),
    ],
)
def test_run_with_several_values_points_to_sweep(arguments: tuple[str, ...], message: str) -> None:
    assert message in told(*RUN, *arguments)


def test_a_list_for_sweep_is_named_by_its_variable() -> None:
    text = told(*RUN, SLUBENCH_SPEECH="5%,10%")
    assert "SLUBENCH_SPEECH is the list '5%,10%', which only sweep takes" in text
    assert "no strategy 'no-such'" in told(*RUN, "--speech", "5%", SLUBENCH_SPEECH="5%,10%")


@pytest.mark.parametrize(
    "environment",
    [
        {"SLUBENCH_CORPORA": "/nowhere"},
        {"SLUBENCH_SEEDS": "a,b"},
        {"SLUBENCH_WORKERS": "x"},
        {"SLUBENCH_ASK": "speech,text"},
    ],
)
def test_what_means_nothing_here_is_ignored(environment: dict[str, str]) -> None:
    ran = slubench(*RUN, "--inputs", "speech,text", code=2, **environment)
    assert "no strategy 'no-such'" in ran.stderr


def test_a_corpus_given_for_the_full_edition_does_not_stop_the_mini_edition() -> None:
    ran = slubench("data", "list", "massive-de", "--edition", "mini", "--json", SLUBENCH_CORPORA="/nowhere")
    assert {part["state"] for part in json.loads(ran.stdout)} == {"here"}
    assert "--corpora only applies" in told("data", "list", "--edition", "mini", "--corpora", "/nowhere")


def test_a_task_in_a_variable_does_not_stop_scoring_a_file(tmp_path: Path) -> None:
    gold = tmp_path / "gold.jsonl"
    gold.write_text(
        '{"slurp_id": 1, "sentence": "stop", "scenario": "audio", "action": "off", "tokens":'
        ' [{"surface": "stop"}], "entities": [], "recordings": [{"file": "a.flac"}]}\n',
        "utf-8",
    )
    said = tmp_path / "said.jsonl"
    said.write_text('{"file": "a.flac", "scenario": "audio", "action": "off", "entities": []}\n', "utf-8")
    ran = slubench("score", said, "--gold", gold, "--json", SLUBENCH_TASK="massive-de,massive-fr")
    assert json.loads(ran.stdout)["reports"]


def test_inputs_for_runs_do_not_stop_evaluate(tmp_path: Path) -> None:
    text = told("evaluate", "--adapter", tmp_path, "--task", "massive-de", SLUBENCH_INPUTS="asr", code=1)
    assert "adapter_config.json" in text


def test_a_home_in_a_variable_may_begin_with_a_tilde(tmp_path: Path) -> None:
    strategies = tmp_path / "home" / "strategies"
    ran = slubench("new", "strategy", "of-mine", SLUBENCH_HOME="~/home", HOME=str(tmp_path))
    assert Path(ran.stdout.strip()).parent == strategies
    ran = slubench("show", "~/home/strategies/of_mine.py", "--json", HOME=str(tmp_path))
    assert json.loads(ran.stdout)["name"] == "of-mine"


def test_a_tilde_is_expanded_in_every_kind_of_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/h")
    assert expanded(Path("~/x")) == Path("/h/x")
    assert expanded("a.py,~/b.py") == "a.py,/h/b.py"
    assert expanded(["~/b", 1, None]) == ["/h/b", 1, None]
    assert expanded("~no-such-user/b") == "~no-such-user/b"
    assert expanded("5%") == "5%"


@pytest.mark.parametrize(
    ("speech", "near"), [("0.05", "5%"), ("0.5", "50%"), ("2.5", "2.5%"), ("0.001", "0.1%"), ("230.5", "230")]
)
def test_a_fraction_suggests_the_share(speech: str, near: str) -> None:
    assert f"did you mean {near}?" in told(*RUN[:4], "curriculum", *RUN[5:], "--speech", speech)


def test_the_seed_of_a_variable_yields_to_the_command_line() -> None:
    name = told("run", "--task", "massive-de", "--strategy", "curriculum", "--speech", "0", SLUBENCH_SEED="3")
    assert "curriculum needs speech" in name


def test_help_groups_options_and_names_variables_once() -> None:
    text = slubench("run", "--help", COLUMNS="80").stdout
    for group in ("What is run:", "Data:", "Model and training:", "Output:", "Environment:"):
        assert f"\n{group}\n" in text
    assert text.count("SLUBENCH_SPEECH") == 1
    assert "env var" not in text
    assert max(map(len, text.splitlines())) <= 80
    commands = slubench("--help", COLUMNS="80").stdout.partition("Commands:")[2]
    assert "sweep" in commands
    assert "..." not in commands, "a summary does not fit into its line"


def test_quiet_prints_results_alone() -> None:
    loud = slubench("data", "list", "slurp")
    assert "using the mini edition" in loud.stderr
    for quiet in (("data", "list", "slurp", "-q"), ("-q", "data", "list", "slurp")):
        ran = slubench(*quiet)
        assert (ran.stdout, ran.stderr) == (loud.stdout, "")
    assert slubench("data", "list", "slurp", SLUBENCH_QUIET="1").stderr == ""


def test_verbose_tells_versions_and_tracebacks(tmp_path: Path) -> None:
    ran = slubench("list", "models", "-v")
    assert ran.stderr.startswith("slubench ")
    assert "transformers" in ran.stderr
    assert "slubench 0" not in ran.stdout


def test_names_are_completed() -> None:
    assert complete_strategy("text-only,cur") == ["text-only,curriculum"]
    assert "massive-de-to-fr" in complete_task("massive-de")
    assert (
        "complete -"
        in slubench("--show-completion", "bash", _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1").stdout
    )
