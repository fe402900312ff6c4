"""Pushing an adapter, to a stand-in of the Hub on this machine; the real one is never asked."""

from __future__ import annotations

import base64
import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from huggingface_hub import ModelCard, parse_eval_result_entries
from yaml import safe_load

from slubench.errors import UsageError
from slubench.runtime.home import Home
from slubench.submission.kept_runs import find_kept
from slubench.submission.publish.push import lay_out
from tests.command import slubench
from tests.massive_mirror import make_mirror
from tests.submission.made_bundles import a_context, pretend


class Hub(NamedTuple):
    """A stand-in: its address, and what it was told."""

    url: str
    created: list[dict[str, Any]]
    files: dict[str, bytes]


@pytest.fixture
def hub() -> Iterator[Hub]:
    created: list[dict[str, Any]] = []
    files: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.headers.get("Authorization") != "Bearer hf_stand_in":
                return self._answer({"error": "who is it"}, 401)
            if self.path == "/api/repos/create":
                created.append(json.loads(body))
                return self._answer({"url": f"{url}/owner/name", "name": "owner/name"})
            if self.path == "/api/validate-yaml":
                return self._answer({"errors": [], "warnings": []})
            if "/preupload/" in self.path:
                asked = json.loads(body)["files"]
                modes = [
                    {"path": file["path"], "uploadMode": "regular", "shouldIgnore": False} for file in asked
                ]
                return self._answer({"files": modes})
            if "/commit/" in self.path:
                for line in body.splitlines():
                    value = json.loads(line)
                    if value["key"] == "file":
                        content = value["value"]
                        files[content["path"]] = base64.b64decode(content["content"])
                told = {"commitUrl": f"{url}/owner/name/commit/{'0' * 40}", "commitOid": "0" * 40}
                return self._answer({"success": True, **told})
            return self._answer({"error": f"nothing at {self.path}"}, 404)

        def do_GET(self) -> None:
            self._answer({"error": f"nothing at {self.path}"}, 404)

        def _answer(self, content: dict[str, Any], code: int = 200) -> None:
            body = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Hub(url, created, files)
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("scored")
    context = a_context(home, make_mirror(tmp_path_factory.mktemp("mirror")))
    pretend(context, "curriculum")
    pretend(context, "zero-shot")
    return home


def pushed(hub: Hub, home: Path, token: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = ("push", "curriculum", "--to", "owner/name", "--home", home)
    return slubench(*command, code=code, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0", HF_TOKEN=token)


def test_an_adapter_is_pushed_with_its_card(hub: Hub, scored: Path) -> None:
    ran = pushed(hub, scored, "hf_stand_in")
    assert ran.stdout.strip() == f"{hub.url}/owner/name/commit/{'0' * 40}"
    assert hub.created[0]["visibility"] == "private"
    assert set(hub.files) == {
        "README.md",
        "card.json",
        "adapter_model.safetensors",
        ".eval_results/slubench.yaml",
    }
    assert not [path for path, content in hub.files.items() if str(scored).encode() in content]
    card: Any = ModelCard(hub.files["README.md"].decode())
    assert card.data.license_name == "CC-BY-NC-SA-4.0; Apache-2.0"
    told = {(one.metric_args["input"], one.metric_type): one for one in card.data.eval_results}
    assert len(told) == 8
    assert told["speech", "slu_f1"].dataset_type == "FBK-MT/Speech-MASSIVE-test"
    assert told["speech", "slu_f1"].dataset_config == "de-DE"
    entries = parse_eval_result_entries(safe_load(hub.files[".eval_results/slubench.yaml"]))
    assert [entry.task_id for entry in entries] == ["de-DE-speech", "de-DE-text"]
    assert entries[0].value == told["speech", "slu_f1"].metric_value


def test_who_may_not_write_is_told_so(hub: Hub, scored: Path) -> None:
    ran = pushed(hub, scored, "hf_wrong", code=1)
    assert "The Hub refused owner/name" in ran.stderr
    assert "hf_wrong" not in ran.stderr
    assert hub.files == {}


def test_what_can_not_be_pushed(scored: Path, tmp_path: Path) -> None:
    context = a_context(scored, None)
    with pytest.raises(UsageError, match="without an adapter"):
        lay_out(find_kept(Home(scored), ["zero-shot"]), tmp_path, context.home, context.registry)
    with pytest.raises(UsageError, match="2 adapters have that name"):
        lay_out(
            find_kept(Home(scored), ["zero-shot", "curriculum"]), tmp_path, context.home, context.registry
        )
    wrong = ("push", "curriculum", "--to", "a/b/c", "--home", scored)
    assert "--to a/b/c" in slubench(*wrong, code=2, HF_TOKEN="hf_stand_in").stderr
