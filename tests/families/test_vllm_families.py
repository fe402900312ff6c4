"""vLLM answers as transformers does, for every shipped family that it serves: live, merged and native."""

from __future__ import annotations

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from slubench.runtime.jobs import PredictJob
from slubench.serve import process
from slubench.serve.progress import Reporter
from tests.families.shipped import adapt, checkpoint_of, declared, desk_of
from tests.families.shipped_names import SHIPPED
from tests.serve.serving_jobs import Ran, ServingJobs, replies, report, serve, share_equal

pytestmark = pytest.mark.vllm
SERVED = [name for name in SHIPPED if name != "voxtral"]


@dataclass(frozen=True)
class Made:
    """A checkpoint with two adapters and one that also holds a projector, where there is one."""

    desk: ServingJobs
    checkpoint: Path
    adapters: tuple[Path, ...]


@pytest.fixture(scope="module", params=SERVED)
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp(request.param)
    checkpoint = checkpoint_of(request.param, folder)
    adapters = tuple(adapt(folder / name, checkpoint, seed=seed) for seed, name in enumerate(("a", "b"), 1))
    return Made(desk_of(checkpoint, folder), checkpoint, adapters)


def told(job: PredictJob, ran: Ran) -> str:
    log = Path(job.folder) / "serve.log"
    return ran.stderr + (log.read_text("utf-8")[-6000:] if log.exists() else "")


def by_transformers(job: PredictJob) -> PredictJob:
    process.answer(job, Reporter(io.StringIO()))
    return job


def test_base_and_live_adapters_answer_as_transformers(made: Made) -> None:
    asked = [None, *made.adapters]
    expected = by_transformers(made.desk.job("expected", asked, "transformers"))
    job = made.desk.job("live", asked, "vllm")
    ran = serve(job)
    assert ran.code == 0, told(job, ran)
    assert [one["serving"] for one in report(job)["askings"]] == ["native", "live", "live"]
    probes = [one["probe"] for one in report(job)["askings"]]
    assert [probe["outcome"] for probe in probes] == ["agrees"] * 3
    assert all("o_proj" in probe["told"] for probe in probes[1:])
    for ours, theirs in zip(job.askings, expected.askings, strict=True):
        assert share_equal([ours], [theirs]) == 1.0, {
            key: (reply.reply, replies(theirs)[key].reply) for key, reply in replies(ours).items()
        }
    said = [tuple(reply.reply for reply in replies(one).values()) for one in expected.askings]
    assert len(set(said)) == 3


def test_a_merged_adapter_answers_as_the_live_one(made: Made) -> None:
    expected = by_transformers(made.desk.job("unmerged", [made.adapters[0]], "transformers"))
    job = made.desk.job("merged", [made.adapters[0]], "vllm")
    ran = serve(job)
    assert ran.code == 0, told(job, ran)
    assert report(job)["serving"] == "merged"
    assert share_equal(job.askings, expected.askings) == 1.0


def test_vllms_own_class_of_audio_flamingo_does_not_serve_an_adapter_unnoticed(tmp_path: Path) -> None:
    checkpoint = checkpoint_of("audioflamingo3", tmp_path)
    adapter = adapt(tmp_path / "a", checkpoint, seed=1)
    desk = desk_of(checkpoint, tmp_path)
    model = declared(checkpoint)[0]
    stock = dataclasses.replace(model, vllm_architecture="AudioFlamingo3ForConditionalGeneration")
    job = dataclasses.replace(desk.job("stock", [adapter], "vllm", "live"), model=stock)
    ran = serve(job)
    assert ran.code == 1
    assert not Path(job.askings[0].replies).exists(), json.dumps(report(job), indent=1)
