"""The container class against a stand-in for a Docker engine.

The engine answers what Docker's API answers, and remembers what it was asked to create; behind the
port that it says to have published is a server of this test run.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from lago_python_client import Client
from lago_python_client.models import Customer
from testcontainers.core.config import ConnectionMode, testcontainers_config

from lago_mock.testcontainers import LagoMockContainer

ID = "c0ffee" * 10
OUTPUT = b"lago-mock 0.1.0\nReady.\n"


@dataclass
class Engine:
    """What was asked of the engine: containers to create, and calls in their order."""

    port: int
    status: str = "running"
    written: bytes = OUTPUT
    created: list[dict[str, Any]] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        call = f"{method} {re.sub(r'^/v[0-9.]+|[?].*$', '', path)}".replace(ID, "ID")
        self.calls.append(call)
        if call == "GET /version":
            return 200, json.dumps({"ApiVersion": "1.44"}).encode()
        if call.startswith("GET /images/"):
            return 200, json.dumps({"Id": "sha256:1"}).encode()
        if call == "POST /containers/create":
            self.created.append(body)
            return 201, json.dumps({"Id": ID, "Warnings": []}).encode()
        if call == "GET /containers/ID/json":
            return 200, json.dumps(self._inspected()).encode()
        if call == "GET /containers/ID/logs":
            stream = b"\x01" if self.status == "running" else b"\x02"
            return 200, stream + b"\0\0\0" + len(self.written).to_bytes(4, "big") + self.written
        return 204, b""

    def _inspected(self) -> dict[str, Any]:
        published = [{"HostIp": "127.0.0.1", "HostPort": str(self.port)}]
        return {
            "Id": ID,
            "State": {"Status": self.status, "Running": self.status == "running"},
            "Config": {"Tty": False, "Image": "lago-mock"},
            "HostConfig": {"LogConfig": {"Type": "json-file"}},
            "NetworkSettings": {"Ports": {"3000/tcp": published}},
        }


@pytest.fixture
def engine(server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The engine that Testcontainers finds."""
    engine = Engine(int(server.rpartition(":")[2]))

    class Handler(BaseHTTPRequestHandler):
        def handle_call(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"] or 0))
            status, body = engine.answer(self.command, self.path, json.loads(sent or b"{}"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = handle_call

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{http.server_port}")
        monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)
        at_host = ConnectionMode.docker_host  # this machine may be a container itself
        monkeypatch.setattr(testcontainers_config, "connection_mode_override", at_host)
        try:
            yield engine
        finally:
            http.shutdown()
            thread.join()


def test_it_is_a_server_with_a_url_and_a_key(engine: Engine, admin: Any) -> None:
    with LagoMockContainer() as lago:
        client = Client(api_key=lago.api_key, api_url=lago.url)
        created = client.customers.create(Customer(external_id="acct-1"))

    assert created.external_id == "acct-1"
    assert engine.calls[-1] == "DELETE /containers/ID"


def test_it_waits_for_the_line_that_says_ready(engine: Engine) -> None:
    with LagoMockContainer():
        asked = engine.calls[:]

    assert asked.index("POST /containers/ID/start") < asked.index("GET /containers/ID/logs")


def test_why_it_did_not_start_is_noted(engine: Engine) -> None:
    engine.status, engine.written = "exited", b"lago-mock: nothing: there is no such fixture set.\n"

    with pytest.raises(RuntimeError, match="exited") as caught, LagoMockContainer():
        pass

    assert caught.value.__notes__ == [engine.written.decode()]
    assert engine.calls[-1] == "DELETE /containers/ID"


def test_image_key_and_settings_can_be_given(engine: Engine) -> None:
    lago = LagoMockContainer("registry.test/lago-mock:1", api_key="k1").with_env(
        "LAGO_MOCK_ERA", "2023"
    )
    with lago:
        (created,) = engine.created

    assert created["Image"] == "registry.test/lago-mock:1"
    assert list(created["ExposedPorts"]) == ["3000/tcp"]
    assert set(created["Env"]) == {
        "LAGO_MOCK_API_KEY=k1",
        "LAGO_MOCK_DB=:memory:",
        "LAGO_MOCK_ERA=2023",
    }


def test_a_fixture_set_is_mounted_with_its_folder(engine: Engine, tmp_path: Path) -> None:
    with LagoMockContainer().with_fixtures(tmp_path / "mine.yaml"):
        (created,) = engine.created

    assert created["HostConfig"]["Binds"] == [f"{tmp_path}:/fixtures:ro"]
    assert "LAGO_MOCK_FIXTURES=/fixtures/mine.yaml" in created["Env"]
