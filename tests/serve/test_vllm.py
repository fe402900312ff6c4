"""Answers by vLLM are transformers' answers: live, merged and native, and never an ignored adapter's.

Every engine runs in a process of its own, as it does for users.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from slubench.runtime.jobs import PredictJob
from slubench.serve import process
from slubench.serve.progress import Reporter
from tests.serve.serving_jobs import Ran, ServingJobs, python, replies, report, serve, share_equal
from tests.serve.tiny_checkpoints import adapt, build, declare

pytestmark = pytest.mark.vllm


@dataclass(frozen=True)
class Twice:
    """The same askings answered by transformers and by vLLM."""

    transformers: PredictJob
    vllm: PredictJob
    ran: Ran


def ask_transformers(job: PredictJob) -> PredictJob:
    process.answer(job, Reporter(io.StringIO()))
    return job


@pytest.fixture(scope="module")
def short(
    jobs: ServingJobs,
    adapters: tuple[Path, Path],
    projector_adapter: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Twice:
    """A base, two adapters to carry live, one to merge and a whole checkpoint, with a 6 s window."""
    whole = build(tmp_path_factory.mktemp("whole") / "whole", seconds=6, hop=320, seed=5, doubled=True)
    asked = [None, *adapters, projector_adapter, whole]
    expected = ask_transformers(jobs.job("expected", asked, "transformers"))
    job = jobs.job("served", asked, "vllm")
    # The second adapter's replies are those of a process that was killed in the middle of a line.
    lines = Path(expected.askings[2].replies).read_bytes().splitlines(keepends=True)
    Path(job.askings[2].replies).write_bytes(b"".join(lines[:30]) + lines[30][:20])
    return Twice(expected, job, serve(job))


def test_the_process_is_quiet_on_stdout(short: Twice) -> None:
    assert (short.ran.code, short.ran.stdout) == (0, ""), short.ran.stderr
    assert "predicting first: 72 of 72" in short.ran.stderr
    assert "WARNING" not in short.ran.stderr
    assert "Initializing a V1 LLM engine" in (Path(short.vllm.folder) / "serve.log").read_text("utf-8")


@pytest.mark.parametrize("which", ["base", "first", "second", "projector", "whole"])
def test_the_engines_agree(short: Twice, which: str) -> None:
    ours, theirs = (
        next(asking for asking in job.askings if asking.name == which)
        for job in (short.vllm, short.transformers)
    )
    assert len(replies(ours)) == 80
    assert share_equal([ours], [theirs]) >= 0.98


def test_the_adapters_answer_differently(short: Twice) -> None:
    said = [tuple(reply.reply for reply in replies(asking).values()) for asking in short.transformers.askings]
    assert len(set(said)) == 5


def test_the_report_says_how_each_was_served(short: Twice) -> None:
    told = report(short.vllm)
    assert [(asked["name"], asked["serving"]) for asked in told["askings"]] == [
        ("base", "native"),
        ("first", "live"),
        ("second", "live"),
        ("projector", "merged"),
        ("whole", "native"),
    ]
    assert "modules_to_save" in told["askings"][3]["why"]
    assert [(asked["asked"], asked["kept"]) for asked in told["askings"]] == [
        (80, 0),
        (80, 0),
        (50, 30),
        (80, 0),
        (80, 0),
    ]
    probes = [asked["probe"] for asked in told["askings"]]
    assert [probe["outcome"] for probe in probes] == ["agrees"] * 5
    assert [probe["compared"] for probe in probes] == [8] * 5
    language_model = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj", "all"}
    kinds = [set(probe["told"]) for probe in probes]
    assert kinds == [set(), *[language_model] * 2, language_model | {"multi_modal_projector"}, set()]
    assert all(probe["apart"] < 1e-3 for probe in probes)
    assert set(told["spent"]) == {"answering", "merge", "probe", "start"}
    assert list(Path(short.vllm.folder).glob("merged-*")) == []
    assert told["engine"] == "vllm"
    assert told["version"]


def test_stock_vllm_serves_merged_weights_of_a_30_s_window(tmp_path: Path) -> None:
    checkpoint = build(tmp_path / "checkpoint", seconds=30, hop=160)
    adapter = adapt(tmp_path / "adapter", checkpoint, seed=4)
    jobs = ServingJobs(tmp_path, declare(checkpoint, stock=True, architecture=""))
    jobs.write_questions(12)
    expected = ask_transformers(jobs.job("expected", [adapter], "transformers"))
    job = jobs.job("served", [adapter], "vllm")
    ran = serve(job)
    assert ran.code == 0, ran.stderr
    assert report(job)["serving"] == "merged"
    assert share_equal(job.askings, expected.askings) >= 0.98
    log = (Path(job.folder) / "serve.log").read_text("utf-8")
    assert "Resolved architecture: Qwen2AudioForConditionalGeneration" in log


def test_an_ignored_adapter_is_refused(
    jobs: ServingJobs, adapters: tuple[Path, Path], tmp_path: Path
) -> None:
    forgetful = replace(jobs.model, vllm_architecture="ForgetfulQwen2Audio")
    job = replace(jobs.job("ignored", [adapters[0]], "vllm", "live"), model=forgetful)
    job.save(tmp_path / "job.json")
    ran = python(str(Path(__file__).with_name("adapter_blind_engine.py")), str(tmp_path / "job.json"))
    assert (ran.code, ran.stdout) == (1, "")
    assert "error: vLLM ignores the adapter of first: in 8 probed replies" in ran.stderr
    assert not Path(job.report).exists()
    assert not Path(job.askings[0].replies).exists()


@pytest.mark.parametrize("kind", ["q_proj", "o_proj", "down_proj"])
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_an_ignored_kind_of_module_is_refused(
    kind: str,
    dtype: str,
    jobs: ServingJobs,
    adapters: tuple[Path, Path],
    tmp_path: Path,
) -> None:
    job = jobs.job(f"ignored-{kind}-{dtype}", [adapters[0]], "vllm", "live")
    job.save(tmp_path / "job.json")
    script = str(Path(__file__).with_name("adapter_blind_engine.py"))
    ran = python(script, str(tmp_path / "job.json"), kind, dtype)
    assert (ran.code, ran.stdout) == (1, "")
    assert "error: vLLM " in ran.stderr
    if dtype == "float32":
        assert f"vLLM ignores the {kind} modules of the adapter of first" in ran.stderr
    assert not Path(job.report).exists()


def test_an_honest_engine_passes_in_bfloat16(
    jobs: ServingJobs, adapters: tuple[Path, Path], tmp_path: Path
) -> None:
    job = replace(jobs.job("honest-bfloat16", list(adapters), "vllm", "live"), ties="bfloat16")
    job.save(tmp_path / "job.json")
    ran = python(
        str(Path(__file__).with_name("adapter_blind_engine.py")), str(tmp_path / "job.json"), "", "bfloat16"
    )
    assert ran.code == 0, ran.stderr
    assert report(job)["dtype"] == "bfloat16"
    assert [asked["probe"]["outcome"] for asked in report(job)["askings"]] == ["agrees"] * 2
    assert any(reply.ties for reply in replies(job.askings[0]).values())


def test_the_plugin_adds_names_and_changes_nothing() -> None:
    ran = python(str(Path(__file__).with_name("register_plugin.py")))
    assert ran.code == 0, ran.stderr
    changed = json.loads(ran.stdout.splitlines()[-1])
    names = ["SlubenchAudioFlamingo3LoRA", "SlubenchQwen2AudioLoRA", "SlubenchQwen2_5OmniLoRA"]
    assert changed == {"added": names, "touched": [], "again": [], "imported": False}
