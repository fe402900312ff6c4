"""Trackers are chosen by their own variables, and get what accelerate's classes take."""

from __future__ import annotations

import importlib.util
import inspect
import logging
from pathlib import Path

import pytest
from accelerate.tracking import LOGGER_TYPE_TO_CLASS

from slubench.train.trackers import TRACKERS, project, tracker_settings, trackers


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The packages that are installed, as far as trackers can see."""
    packages = {"wandb", "trackio", "mlflow"}
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object() if name in packages else None)
    return packages


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, []),
        ({"WANDB_PROJECT": "p"}, ["wandb"]),
        ({"WANDB_PROJECT": "p", "WANDB_MODE": "disabled"}, []),
        ({"TRACKIO_SPACE_ID": "me/space"}, ["trackio"]),
        ({"MLFLOW_TRACKING_URI": "sqlite:///x.db"}, ["mlflow"]),
        ({"WANDB_API_KEY": "k", "MLFLOW_EXPERIMENT_NAME": "e"}, ["wandb", "mlflow"]),
    ],
)
def test_a_tracker_is_used_where_it_is_configured(
    environment: dict[str, str], names: list[str], installed: set[str]
) -> None:
    assert trackers(environment) == ["tensorboard", *names]


def test_one_that_is_not_installed_is_reported(installed: set[str], caplog: pytest.LogCaptureFixture) -> None:
    installed.clear()
    with caplog.at_level(logging.WARNING, "slubench.train"):
        assert trackers({"TRACKIO_PROJECT": "p", "MLFLOW_TRACKING_URI": "x"}) == ["tensorboard"]
    assert "pip install 'slubench[trackio]'" in caplog.text
    assert "MLFLOW_TRACKING_URI is set but mlflow is not installed" in caplog.text


def test_the_project_is_the_trackers_own() -> None:
    assert project({}) == "slubench"
    assert project({"WANDB_PROJECT": "speech"}) == "speech"
    assert project({"MLFLOW_EXPERIMENT_NAME": "e"}) == "e"


def test_settings_are_what_the_classes_take() -> None:
    settings = tracker_settings("name", Path("/runs/name-1234"), 3, {"seed": 0})
    assert set(settings) == {"tensorboard", *(tracker.name for tracker in TRACKERS)}
    for name, given in settings.items():
        parameters = inspect.signature(LOGGER_TYPE_TO_CLASS[name].__init__).parameters
        free = any(one.kind is one.VAR_KEYWORD for one in parameters.values())
        assert free or set(given) <= set(parameters), name
