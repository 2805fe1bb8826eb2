from __future__ import annotations

import socket
import ssl
from pathlib import Path

import httpx
import pytest

import lago_mock.testing.background as background
from lago_mock.app import LagoMockApp, build
from lago_mock.server import ListenError
from lago_mock.settings import SettingError, Settings
from lago_mock.testing.background import REASONS, BackgroundServer, in_memory


def test_it_listens_at_once_and_is_gone_when_it_has_stopped() -> None:
    with BackgroundServer(in_memory(fixtures="empty")) as server:
        headers = {"Authorization": f"Bearer {server.api_key}"}
        url = f"{server.url}/api/v1/customers"
        assert httpx.get(url, headers=headers).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    server.stop()


def test_what_waits_in_it_is_let_go_when_it_stops() -> None:
    with BackgroundServer(in_memory()) as server, httpx.Client(base_url=server.url) as client:
        client.post("/__admin/faults", json={"operation": "*", "connection": "HANG"})
        with pytest.raises(httpx.ReadTimeout):
            client.get("/api/v1/customers", timeout=0.01)


def test_it_tells_the_key_of_its_first_organization_and_its_token() -> None:
    with BackgroundServer(in_memory()) as server:
        assert (server.api_key, server.token) == ("lago-mock-key", None)
    with BackgroundServer(in_memory(api_key="own", admin_token="secret")) as server:
        assert (server.api_key, server.token) == ("own", "secret")


def test_it_can_be_prepared_before_the_first_request() -> None:
    seen: list[LagoMockApp] = []
    with BackgroundServer(in_memory(), seen.append) as server:
        assert seen[0].asgi is server.app


def test_a_port_that_is_taken_is_told() -> None:
    with BackgroundServer(in_memory()) as server:
        port = httpx.URL(server.url).port or 0
        with pytest.raises(ListenError, match=f"cannot listen on 127.0.0.1:{port}"):
            BackgroundServer(in_memory(("127.0.0.1", port)))


def test_a_port_that_another_takes_meanwhile_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both can be bound for as long as neither listens."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", 0))

        def build_while_another_listens(settings: Settings) -> LagoMockApp:
            other.listen()
            return build(settings)

        monkeypatch.setattr(background, "build", build_while_another_listens)
        with pytest.raises(ListenError, match=r"the server cannot listen: .*in use"):
            BackgroundServer(in_memory(("127.0.0.1", other.getsockname()[1])))


def test_a_certificate_that_is_none_is_told_and_the_store_let_go(tmp_path: Path) -> None:
    cert = tmp_path / "cert.pem"
    cert.write_text("no certificate")
    settings = in_memory(db=str(tmp_path / "own.json"), ssl_cert=str(cert))

    with pytest.raises(ListenError, match="the server cannot listen: ") as caught:
        BackgroundServer(settings)
    assert isinstance(caught.value.__cause__, ssl.SSLError)
    with BackgroundServer(in_memory(db=str(tmp_path / "own.json"))):
        pass  # its lock is free


def test_a_thread_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing(background.Server):
        def run(self, sockets: list[socket.socket] | None = None) -> None:
            raise OSError("no event loop")

    monkeypatch.setattr(background, "Server", Failing)
    with pytest.raises(ListenError, match="the server did not start: no event loop"):
        BackgroundServer(in_memory())


def test_a_thread_that_does_not_end_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "STOP_SECONDS", 0)
    server = BackgroundServer(in_memory())
    with pytest.raises(TimeoutError, match="did not stop within 0 s"):
        server.stop()
    monkeypatch.setattr(background, "STOP_SECONDS", 10)
    server.stop()


def test_settings_for_tests_are_judged(tmp_path: Path) -> None:
    settings = in_memory(("localhost", 1), tmp_path, fixtures="sets/own.yaml", seed=None)

    assert (settings.host, settings.port, settings.db) == ("localhost", 1, ":memory:")
    assert settings.fixtures == str(tmp_path / "sets" / "own.yaml")
    assert in_memory(openapi="own.yaml").openapi == str(Path.cwd() / "own.yaml")
    with pytest.raises(SettingError, match="setting era is '2022'; give one of current, 2023"):
        in_memory(era="2022")
    assert SettingError in REASONS
