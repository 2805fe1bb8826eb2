from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import httpx
import pytest

from lago_mock.client import AdminClient, AdminError, segment
from tests.conftest import API_KEY


class Stranger(BaseHTTPRequestHandler):
    """A server that is no lago-mock."""

    content: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        """Be silent."""


@contextmanager
def stranger(content: bytes) -> Iterator[str]:
    kind = type("Own", (Stranger,), {"content": content})
    with HTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("content", [b"<html>", b"[]"], ids=["no JSON", "no object"])
def test_a_server_that_is_no_lago_mock_is_told_from_one(content: bytes) -> None:
    with stranger(content) as url, pytest.raises(AdminError) as caught:
        AdminClient(url).get("/health")
    assert str(caught.value) == f"{url} does not answer as lago-mock does; is it one?"
    assert (caught.value.status, caught.value.body) == (None, {})


@pytest.mark.parametrize("secret", ["two\nlines", "snow\u2603man"])
def test_a_secret_that_no_header_can_carry_is_not_sent(server: str, secret: str) -> None:
    with pytest.raises(AdminError) as caught:
        AdminClient(server, secret).get("/faults")
    assert str(caught.value) == "the API key has a character that no header can carry"
    with pytest.raises(AdminError, match="the admin token has a character that no header"):
        AdminClient(server, token=secret).get("/faults")


def test_a_url_may_come_without_scheme_and_with_a_path(server: str) -> None:
    host = server.removeprefix("http://")
    assert AdminClient(host).get("/health")["status"] == "healthy"
    client = AdminClient(f"{server}/api/v1")
    assert client.url == server
    assert client.get("/health")["status"] == "healthy"


def test_a_refusal_has_status_body_and_a_sentence(server: str, admin: httpx.Client) -> None:
    with pytest.raises(AdminError) as caught:
        AdminClient(server, "wrong").get("/faults")
    assert caught.value.status == 401
    assert caught.value.body == {"status": 401, "error": "Unauthorized"}
    assert str(caught.value) == (
        "GET /__admin/faults was answered 401: Unauthorized: "
        "no organization has this key (any more)"
    )


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x",
        "http://",
        "http://x:port",
        "http://x:65536",
        "http://x:0",
        "http://[::1",
        "http://a..b",
    ],
)
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(AdminError, match="is no URL of a server; give one like http://127"):
        AdminClient(url)


def test_a_client_of_an_organization_acts_on_it_alone(server: str, admin: httpx.Client) -> None:
    whole = AdminClient(server)
    own = whole.for_organization(API_KEY)

    own.post("/faults", {"operation": "findOrganization", "error": "forbidden"})

    assert len(own.get("/faults")["faults"]) == 1
    assert whole.get("/faults")["faults"] == []


def test_a_query_of_none_is_not_sent(server: str, admin: httpx.Client) -> None:
    assert AdminClient(server).get("/requests", status=None, limit=1)["meta"] == {"total": 0}


def test_an_event_stream_that_is_refused_says_why(server: str, admin: httpx.Client) -> None:
    with pytest.raises(AdminError, match=r"GET /events was answered 401: Unauthorized"):
        next(AdminClient(server, "wrong").events())


def test_an_event_stream_begins_after_a_request(server: str, admin: httpx.Client) -> None:
    for _ in range(2):
        httpx.get(f"{server}/api/v1/taxes", verify=False)
    first, second = AdminClient(server).get("/requests")["requests"]

    for after, told in (("0", first), (first["id"], second)):
        events = AdminClient(server).events(after)
        assert next(events) == told
        events.close()  # type: ignore[attr-defined]


def test_an_event_stream_tells_what_it_lost() -> None:
    with stranger(b'event: lost\ndata: 3\n\nevent: request\ndata: {"id": "9"}\n\n') as url:
        assert list(AdminClient(url).events()) == [3, {"id": "9"}]


def test_a_name_is_one_segment_of_a_path() -> None:
    assert segment("a/b c") == "a%2Fb%20c"


class TestConnections:
    """One stays open between calls; each call has one for itself."""

    @staticmethod
    def idle(client: AdminClient) -> list[tuple[int, HTTPConnection]]:
        return client._connections._idle

    def test_one_serves_call_after_call_of_all_organizations(
        self, server: str, admin: httpx.Client
    ) -> None:
        client = AdminClient(server)
        client.get("/health")
        ((_, first),) = self.idle(client)
        port = first.sock.getsockname()[1]
        client.for_organization(API_KEY).get("/faults")

        ((_, second),) = self.idle(client)
        assert (second, second.sock.getsockname()[1]) == (first, port)

    def test_one_that_the_server_has_closed_is_replaced(
        self, server: str, admin: httpx.Client
    ) -> None:
        client = AdminClient(server)
        client.get("/health")
        ((_, kept),) = self.idle(client)
        kept.sock.shutdown(socket.SHUT_RDWR)

        assert client.get("/health")["status"] == "healthy"
        ((_, now),) = self.idle(client)
        assert now is not kept

    def test_one_of_the_process_before_a_fork_is_left_alone(
        self, server: str, admin: httpx.Client
    ) -> None:
        client = AdminClient(server)
        client.get("/health")
        ((process, kept),) = self.idle(client)
        client._connections._idle[0] = (process + 1, kept)

        client.get("/health")
        ((_, now),) = self.idle(client)
        assert now is not kept

    def test_one_whose_answer_was_not_read_is_closed(
        self, server: str, admin: httpx.Client
    ) -> None:
        client = AdminClient(server)
        events = client.events()
        sending = threading.Timer(0.2, httpx.get, [f"{server}/api/v1/taxes"])
        sending.start()
        assert next(events)["operation"] == "findAllTaxes"
        sending.join()
        assert isinstance(events, Generator)
        events.close()
        assert self.idle(client) == []

    def test_they_are_closed_with_the_client(self, server: str, admin: httpx.Client) -> None:
        client = AdminClient(server)
        client.get("/health")
        ((_, kept),) = self.idle(client)
        del client
        gc.collect()
        assert kept.sock is None

    def test_a_call_has_a_timeout_of_its_own(self, server: str, admin: httpx.Client) -> None:
        client = AdminClient(server, timeout=0.1)
        waiting = {"operation": "createTax", "timeout_ms": 300}
        assert client.post("/requests/find", waiting, wait=5.0)["requests"] == []
        with pytest.raises(AdminError, match=r"no answer from lago-mock at .*: timed out"):
            client.post("/requests/find", waiting)
        assert self.idle(client) == []
