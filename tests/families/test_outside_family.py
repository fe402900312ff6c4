"""A second family in one file outside the package: checked, trained, asked and scored by the commands."""

from __future__ import annotations

import dataclasses
import importlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from slubench.domain.family import Family, Vllm
from slubench.errors import DeclarationError, UsageError
from slubench.pipeline.context import engine_for
from slubench.registry import Registry
from slubench.registry.families import family_of
from slubench.registry.weights import choose_model, locate
from slubench.runtime.digest import Digests
from slubench.serve.vllm_models import own_class
from tests.command import headline, slubench
from tests.families.outside_glmasr import GLMASR
from tests.massive_mirror import make_mirror

FILE = Path(__file__).with_name("outside_glmasr.py")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # Only the tests that want weights load torch.
    random_glmasr = importlib.import_module("tests.families.random_glmasr")
    built: Path = random_glmasr.build(tmp_path_factory.mktemp("glmasr") / "random-glmasr")
    return built


@pytest.fixture
def own_home(home: Path) -> Path:
    """A HOME that declares the family."""
    (home / "families").mkdir(parents=True)
    shutil.copyfile(FILE, home / "families" / "glmasr.py")
    return home


def config_only(folder: Path, model_type: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps({"model_type": model_type}))
    return folder


def test_a_family_in_home_is_found_with_its_conventions(own_home: Path, tmp_path: Path) -> None:
    model = choose_model(str(config_only(tmp_path / "Mine", "glmasr")), Registry(own_home))
    assert model.name == "mine"
    assert model.family_file == str(own_home / "families" / "glmasr.py")
    assert model.prompt == GLMASR.prompt
    assert model.recipes == GLMASR.recipes
    assert (model.lora_modules, model.projector) == (GLMASR.lora_modules, "multi_modal_projector")
    assert not model.needs_gpu
    assert family_of(model.family, model.family_file).name == "glmasr"


def test_a_declared_model_of_the_family_is_preferred(own_home: Path, tmp_path: Path) -> None:
    (own_home / "models").mkdir()
    (own_home / "models" / "mine.py").write_text(
        "from slubench import Model, Prompt, Recipe\n"
        "MINE = Model(name='declared', repository='org/declared', family='glmasr', recipes={},\n"
        "    prompt=Prompt(before='', after=' JSON', audio='[AUDIO]', text='{text}', end='</s>'))\n"
    )
    registry = Registry(own_home)
    declared = registry.model("declared")
    assert declared.lora_modules == GLMASR.lora_modules
    assert registry.origin(declared).endswith("mine.py")
    followed = choose_model(str(config_only(tmp_path / "other", "glmasr")), registry)
    assert followed.prompt == declared.prompt


def test_a_family_of_a_plugin_is_found_by_the_processes_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copyfile(FILE, tmp_path / "glmasr_plugin.py")
    info = tmp_path / "glmasr_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: glmasr-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[slubench.families]\nglmasr = glmasr_plugin\n")
    monkeypatch.syspath_prepend(tmp_path)
    family_of.cache_clear()
    model = choose_model(str(config_only(tmp_path / "mine", "glmasr")), Registry())
    assert model.family_file == ""
    assert family_of(model.family, model.family_file).name == "glmasr"
    family_of.cache_clear()
    sys.modules.pop("glmasr_plugin")


def test_an_unknown_family_is_told_before_anything_is_bought(home: Path, tmp_path: Path) -> None:
    folder = config_only(tmp_path / "stranger", "nobodys")
    mirror = make_mirror(tmp_path / "mirror", train=2, test=2)
    ran = slubench(
        *("run", "--task", "massive-de", "--strategy", "curriculum", "--edition", "full"),
        *("--corpora", mirror, "--model", folder, "--home", home),
        code=2,
    )
    assert "is of the unknown family 'nobodys'. Known families: " in ran.stderr
    assert "qwen2_audio" in ran.stderr
    assert str(home / "families") in ran.stderr
    assert not (home / "runs").exists()
    assert not (home / "adapters_registry").exists()


@pytest.mark.parametrize(
    ("model_type", "message"),
    [("nobodys", "unknown family 'nobodys'"), ("qwen2_audio", None)],
)
def test_on_the_hub_the_config_alone_is_read_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model_type: str, message: str | None
) -> None:
    commit = "fedcba9876543210fedcba9876543210fedcba98"
    repository = tmp_path / "hub" / "models--org--name"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    config_only(repository / "snapshots" / commit, model_type)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.file_download.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    if message is None:
        model = choose_model("org/name", Registry())
        assert (model.name, model.repository, model.needs_gpu) == ("name", "org/name", True)
        return
    with pytest.raises(UsageError, match=message):
        choose_model("org/name", Registry())


def test_a_checkpoint_of_another_family_than_declared_is_told(tmp_path: Path) -> None:
    folder = config_only(tmp_path / "mine", "glmasr")
    (folder / "model.safetensors").write_bytes(b"weights")
    model = dataclasses.replace(Registry().model("tiny"), repository=str(folder))
    with pytest.raises(DeclarationError, match=r"declared as qwen2_audio, but the config.json .* 'glmasr'"):
        locate(model, Digests(tmp_path / "digests.json"))


def test_an_engine_that_cannot_serve_it_is_refused_before_the_run(own_home: Path, tmp_path: Path) -> None:
    model = choose_model(str(config_only(tmp_path / "mine", "glmasr")), Registry(own_home))
    assert engine_for(model, "transformers") == "transformers"
    assert engine_for(model, "auto") == "transformers"
    if importlib.util.find_spec("vllm") is not None:
        with pytest.raises(UsageError, match=r"vLLM has no class for mine: .*--engine transformers"):
            engine_for(model, "vllm")


@pytest.mark.slow
def test_it_is_checked(own_home: Path, checkpoint: Path) -> None:
    ran = slubench("check", checkpoint, "--home", own_home, "--json")
    told = json.loads(ran.stdout)
    assert (told["kind"], told["passed"]) == ("model", True)
    assert {one["state"] for one in told["requirements"]} == {"pass"}
    assert len(told["requirements"]) == 10


@pytest.mark.slow
def test_a_family_whose_clips_disturb_one_another_answers_from_our_embeddings(
    own_home: Path, checkpoint: Path
) -> None:
    file = own_home / "families" / "glmasr.py"
    file.write_text(file.read_text("utf-8").replace("inputs=inputs,", "inputs=inputs, batches=False,"))
    told = json.loads(slubench("check", checkpoint, "--home", own_home, "--json").stdout)
    assert {one["state"] for one in told["requirements"]} == {"pass"}


def test_a_familys_vllm_class_may_be_made_by_a_function() -> None:
    assert own_class(Vllm(architecture="Mine", own_class=lambda: Family)) is Family
    assert own_class(Vllm(architecture="Mine", own_class="slubench.domain.family:Vllm")) is Vllm


@pytest.mark.slow
@pytest.mark.parametrize(
    ("right", "wrong", "requirement", "reason"),
    [
        (
            "for count in frames)",
            "for count in frames) * 2",
            "loss equals transformers'",
            "counts 12 audio tokens",
        ),
        ("    licence=", '    parts=Parts(head="head"),\n    licence=', "parts exist", "head='head'"),
        (
            "    licence=",
            '    lora_modules=r".*\\.layers\\.\\d+\\.(self_attn|mlp)\\.(q|k|v|o|gate|up|down)_proj",\n'
            "    licence=",
            "LoRA only in the language model",
            "audio_tower",
        ),
        ("iter(hidden.reshape", "iter(hidden.flip(1).reshape", "loss equals transformers'", "transformers"),
    ],
)
def test_what_is_wrong_with_a_family_is_found(
    own_home: Path, checkpoint: Path, right: str, wrong: str, requirement: str, reason: str
) -> None:
    file = own_home / "families" / "glmasr.py"
    text = file.read_text("utf-8")
    assert right in text
    names = "from slubench.domain.family import Family, Features"
    file.write_text(text.replace(right, wrong).replace(names, f"{names}, Parts"))
    ran = slubench("check", checkpoint, "--home", own_home, "--json", code=3)
    failed = {
        one["requirement"]: one for one in json.loads(ran.stdout)["requirements"] if one["state"] == "fail"
    }
    assert reason in failed.pop(requirement)["reason"]
    # A pattern that also matches the encoder is told from the declaration too.
    assert set(failed) <= {"describes itself"}


@pytest.mark.slow
def test_it_is_trained_asked_and_scored(own_home: Path, checkpoint: Path, tmp_path: Path) -> None:
    mirror = make_mirror(tmp_path / "mirror")
    command: tuple[str | Path, ...] = (
        *("run", "--task", "massive-de", "--strategy", "curriculum", "--speech", "50%", "--edition", "full"),
        *("--corpora", mirror, "--model", checkpoint, "--track", "lora-lm+projector"),
        *("--engine", "transformers", "--home", own_home, "--json"),
    )
    rows = headline(slubench(*command))
    assert rows["speech", "slu_f1"]["n"] == rows["text", "slu_f1"]["n"] == 8
    assert rows["speech", "slu_f1"]["updates"] == 20
    (card,) = (own_home / "adapters_registry").glob("*.json")
    curve = json.loads(card.read_text("utf-8"))["training"]["curve"]
    assert curve[-1]["loss"] < curve[0]["loss"]
    again = slubench(*command)
    assert "already scored" in again.stderr
