"""The leaderboard as a static Space, handed to a stand-in of the Hub's client."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
from yaml import safe_load

from slubench.errors import UsageError
from slubench.submission.publish.push_site import push_site
from tests.board.made_scores import grid, write_rows


class Client:
    """Stands in for `HfApi`: notes what it is asked for."""

    def __init__(self, there: list[str]) -> None:
        self.there, self.created, self.operations = there, {}, []  # type: ignore[var-annotated]

    def create_repo(self, repository: str, **told: Any) -> None:
        if "/" not in repository:
            raise huggingface_hub.errors.HFValidationError(f"no repository: {repository}")
        self.created = {"name": repository, **told}

    def list_repo_files(self, repository: str, **told: Any) -> list[str]:
        return self.there

    def create_commit(self, repository: str, operations: list[Any], **told: Any) -> SimpleNamespace:
        self.operations = operations
        return SimpleNamespace(commit_url=f"https://hub/spaces/{repository}/commit/1")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Client:
    made = Client([".gitattributes", "notes.md", "index.html", "assets/page-00000000.css", "api/gone.json"])
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda **told: made)
    return made


def test_the_page_becomes_a_static_space_and_former_files_go(client: Client, tmp_path: Path) -> None:
    from slubench.board import build

    scores = write_rows(tmp_path / "a.parquet", [row for run in grid(seeds=(0,)) for row in run])
    site = build([scores], tmp_path / "site").page.parent
    assert push_site(site, "owner/board") == "https://hub/spaces/owner/board/commit/1"
    assert client.created["repo_type"] == "space"
    assert client.created["space_sdk"] == "static"
    assert client.created["private"] is True
    added = {
        one.path_in_repo: one
        for one in client.operations
        if isinstance(one, huggingface_hub.CommitOperationAdd)
    }
    files = {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}
    assert set(added) == files | {"README.md"}
    gone = {
        one.path_in_repo
        for one in client.operations
        if isinstance(one, huggingface_hub.CommitOperationDelete)
    }
    assert gone == {"assets/page-00000000.css", "api/gone.json"}
    with added["README.md"].as_file() as file:
        card = safe_load(file.read().decode().split("---")[1])
    assert (card["sdk"], card["app_file"]) == ("static", "index.html")
    assert len(card["short_description"]) <= 60
    assert len(card["emoji"]) == 1


def test_a_name_that_is_none_is_told_with_its_option(client: Client, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--to board"):
        push_site(tmp_path, "board")
