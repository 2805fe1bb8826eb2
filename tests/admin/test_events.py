from __future__ import annotations

import asyncio
import json
import socket
import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from lago_mock.admin.events import told
from lago_mock.admin.stream import Stream
from lago_mock.app import LagoMockApp, build
from lago_mock.feed import Feed
from lago_mock.journal import Entry
from lago_mock.settings import Settings
from tests.conftest import running

KEY = {"Authorization": "Bearer lago-mock-key"}
STRANGER = {"Authorization": "Bearer nobody-at-all"}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Events:
    """The events of one stream, read one by one."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def next(self) -> dict[str, str]:
        """Return the fields of the next event; comments are left out."""
        fields: dict[str, str] = {}
        for line in self._lines:
            if not line and fields:
                return fields
            name, _, value = line.partition(": ")
            if name:
                fields[name] = value
        raise EOFError

    def request(self) -> dict[str, Any]:
        """Return the entry of the next event."""
        event = self.next()
        assert event["event"] == "request"
        entry: dict[str, Any] = json.loads(event["data"])
        assert event["id"] == entry["id"]
        return entry


@contextmanager
def following(admin: httpx.Client, **headers: str) -> Iterator[Events]:
    """Follow the events; what is sent in the block is surely told."""
    with admin.stream("GET", "/events", headers=headers) as response:
        assert response.status_code == 200
        yield Events(response)


def until(app: LagoMockApp, readers: int) -> None:
    """Wait until so many follow."""
    feed, end = app.server.tenants.archive.feed, time.monotonic() + 9
    while len(feed.readers) != readers:
        assert time.monotonic() < end, f"{len(feed.readers)} follow"


@pytest.fixture(autouse=True)
def nobody_follows(app: LagoMockApp, admin: httpx.Client) -> None:
    """Wait until the readers of the test before have gone."""
    until(app, 0)


def test_requests_are_told_as_they_are_answered(client: httpx.Client, admin: httpx.Client) -> None:
    with following(admin) as events:
        client.post("/customers", json={"customer": {"external_id": "a", "name": "é\n<&>"}})
        client.get("/nowhere")
        first, second = events.request(), events.request()

    assert [first, second] == admin.get("/requests").json()["requests"]
    assert (first["operation"], first["status"]) == ("createCustomer", 200)
    assert (second["operation"], second["status"]) == (None, 404)


def test_a_stream_of_events_says_what_it_is(admin: httpx.Client) -> None:
    with following(admin, **{"X-Request-Id": "mine"}) as events:
        headers = events.response.headers

    assert headers["content-type"] == "text/event-stream; charset=utf-8"
    assert headers["cache-control"] == "no-store"
    assert headers["x-request-id"] == "mine"


def test_head_gets_the_headers_alone(app: LagoMockApp, admin: httpx.Client) -> None:
    response = admin.head("/events")

    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert response.content == b""
    until(app, 0)


def test_secrets_are_told_to_nobody(client: httpx.Client, admin: httpx.Client) -> None:
    with following(admin) as events:
        client.get("/customers?api_key=hidden-away", headers={"Cookie": "hidden-away"})
        event = events.next()

    assert "hidden-away" not in event["data"]
    assert "lago-mock-key" not in event["data"]


def test_what_is_not_answered_is_not_told(client: httpx.Client, admin: httpx.Client) -> None:
    admin.post("/faults", json={"operation": "findAllTaxes", "connection": "HANG"})
    with following(admin) as events, ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(client.get, "/taxes")
        while not admin.get("/requests?operation=findAllTaxes").json()["requests"]:
            assert not hanging.done()
        client.get("/customers")
        assert events.request()["operation"] == "findAllCustomers"
        admin.post("/reset").raise_for_status()
        late = events.request()

    assert (late["operation"], late["status"]) == ("findAllTaxes", 503)


def test_a_request_whose_client_went_is_told_without_a_status(
    server: str, client: httpx.Client, admin: httpx.Client
) -> None:
    admin.post("/faults", json={"operation": "findAllTaxes", "connection": "HANG"})
    with following(admin) as events:
        with pytest.raises(httpx.ReadTimeout):
            client.get("/taxes", timeout=0.2)
        entry = events.request()

    assert (entry["status"], entry["refusal"]) == (
        None,
        "the client went before it was answered",
    )


def test_a_key_follows_its_own_organization(client: httpx.Client, admin: httpx.Client) -> None:
    other = admin.post("/organizations", json={"name": "Other"}).json()
    key = {"Authorization": f"Bearer {other['api_key']}"}
    with following(admin, **KEY) as own, following(admin, **key) as others:
        client.get("/customers")
        client.get("/billing_entities", headers=STRANGER)
        client.get("/taxes", headers=key)
        client.get("/organizations")
        assert [own.request()["operation"] for _ in range(2)] == [
            "findAllCustomers",
            "findOrganization",
        ]
        assert others.request()["operation"] == "findAllTaxes"


def test_a_key_that_nobody_has_follows_nothing(admin: httpx.Client) -> None:
    response = admin.get("/events", headers=STRANGER)

    assert (response.status_code, response.json()["error"]) == (401, "Unauthorized")


def test_a_reader_goes_on_where_it_was(client: httpx.Client, admin: httpx.Client) -> None:
    for path in ("/customers", "/taxes", "/organizations"):
        client.get(path)
    first = admin.get("/requests").json()["requests"][0]

    with following(admin, **{"Last-Event-ID": first["id"]}) as events:
        client.get("/billing_entities")
        found = [events.request()["path"][7:] for _ in range(3)]

    assert found == ["/taxes", "/organizations", "/billing_entities"]


def test_a_reader_goes_on_with_what_was_answered_later_though_it_came_earlier(
    client: httpx.Client, admin: httpx.Client
) -> None:
    slow = {"operation": "findAllTaxes", "delay_ms": 60_000}
    admin.post("/faults", json=slow, headers=KEY).raise_for_status()
    with ThreadPoolExecutor(1) as pool:
        hanging = pool.submit(client.get, "/taxes", timeout=0.3)
        with following(admin) as events:
            while not admin.get("/requests").json()["requests"]:
                pass
            client.get("/customers")
            last = events.request()
            events.request()
        with pytest.raises(httpx.ReadTimeout):
            hanging.result()

    with following(admin, **{"Last-Event-ID": last["id"]}) as events:
        late = events.request()

    assert late["operation"] == "findAllTaxes"
    assert int(late["id"]) < int(last["id"])


def test_a_reader_whose_last_request_is_forgotten_gets_what_came_after_it(
    client: httpx.Client, admin: httpx.Client
) -> None:
    for path in ("/customers", "/taxes", "/organizations"):
        client.get(path)
    _, second, third = admin.get("/requests").json()["requests"]
    admin.delete(f"/requests/{second['id']}").raise_for_status()

    with following(admin, **{"Last-Event-ID": second["id"]}) as events:
        assert events.request() == third


@pytest.mark.parametrize("last", ["", "x", "-1", "1.5", "\u00b2", "9" * 5000])
def test_a_last_request_that_is_none_counts_for_nothing(
    client: httpx.Client, admin: httpx.Client, last: str
) -> None:
    client.get("/customers")
    with following(admin, **{"Last-Event-ID": last.encode()}) as events:  # type: ignore[arg-type]
        client.get("/taxes")
        assert events.request()["operation"] == "findAllTaxes"


def test_events_are_told_where_no_journal_is_kept() -> None:
    settings = Settings(db=":memory:", fixtures="empty", journal_size=0)
    with running(build(settings)) as url, httpx.Client(base_url=f"{url}/__admin") as admin:
        with following(admin) as events:
            httpx.get(f"{url}/api/v1/customers", headers=KEY)
            assert events.request()["operation"] == "findAllCustomers"
        assert admin.get("/requests").json()["requestJournalDisabled"] is True


def test_a_reset_leaves_the_readers(client: httpx.Client, admin: httpx.Client) -> None:
    with following(admin) as events:
        admin.post("/reset").raise_for_status()
        client.get("/customers")
        assert events.request()["operation"] == "findAllCustomers"


def test_a_hundred_may_follow_and_no_more(
    server: str, app: LagoMockApp, client: httpx.Client, admin: httpx.Client
) -> None:
    with ExitStack() as stack:
        limits = httpx.Limits(max_connections=None)
        many = httpx.Client(base_url=f"{server}/__admin", limits=limits, verify=False)
        stack.enter_context(many)
        readers = [stack.enter_context(following(many)) for _ in range(100)]

        refused = admin.get("/events")
        client.get("/customers")

        assert len({each.request()["id"] for each in readers}) == 1
    assert refused.status_code == 503
    assert refused.json() == {
        "status": 503,
        "error": "Service Unavailable: 100 clients follow the events; one must go first.",
    }
    until(app, 0)


def test_a_wait_takes_no_readers_place(
    app: LagoMockApp, client: httpx.Client, admin: httpx.Client
) -> None:
    with ThreadPoolExecutor(1) as pool:
        count = pool.submit(admin.post, "/requests/count", json={"timeout_ms": 9_000})
        until(app, 1)
        with following(admin) as events:
            client.get("/customers")
            assert events.request()["operation"] == "findAllCustomers"
        assert count.result().json()["count"] == 1


LARGE = {"operation": "findAllTaxes", "status": 200, "body": "x" * 60_000, "times": None}


@contextmanager
def slow_reader(url: str) -> Iterator[socket.socket]:
    """Follow the events of a server and read nothing yet."""
    host, _, port = url.removeprefix("http://").partition(":")
    with socket.socket() as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        slow.settimeout(9)
        slow.connect((host, int(port)))
        slow.sendall(f"GET /__admin/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        yield slow


def test_a_reader_that_takes_nothing_loses_the_oldest_and_is_told(
    server: str, app: LagoMockApp, client: httpx.Client, admin: httpx.Client
) -> None:
    admin.post("/faults", json=LARGE).raise_for_status()
    with slow_reader(server) as slow:
        until(app, 1)
        (reader,) = app.server.tenants.archive.feed.readers
        while not reader._lost:
            client.get("/taxes")
        client.get("/customers")
        received = b""
        while b'"operation":"findAllCustomers"' not in received:
            received += slow.recv(1 << 20)

    lost = received.count(b"event: lost\ndata: ")
    told_of = received.count(b"event: request\n")
    assert lost >= 1
    assert told_of > 130


def test_a_reader_that_goes_is_forgotten(app: LagoMockApp, admin: httpx.Client) -> None:
    with following(admin):
        until(app, 1)
    until(app, 0)


def test_the_server_stops_at_once_though_readers_follow() -> None:
    app = build(Settings(db=":memory:", fixtures="empty"))
    with ExitStack() as stack:
        with running(app) as url:
            admin = stack.enter_context(httpx.Client(base_url=f"{url}/__admin"))
            events = stack.enter_context(following(admin))
            httpx.get(f"{url}/api/v1/customers", headers=KEY)
            assert events.request()["operation"] == "findAllCustomers"
            began = time.monotonic()
        seconds = time.monotonic() - began
        with pytest.raises(EOFError):
            events.next()
    assert seconds < 1


def test_the_server_stops_at_once_though_a_reader_takes_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = build(Settings(db=":memory:", fixtures="empty"))
    with ExitStack() as stack:
        with running(app) as url, httpx.Client(base_url=url, verify=False) as client:
            client.post("/__admin/faults", json=LARGE).raise_for_status()
            slow = stack.enter_context(slow_reader(url))
            until(app, 1)
            (reader,) = app.server.tenants.archive.feed.readers
            while not reader._lost:
                client.get("/api/v1/taxes", headers=KEY)
            began = time.monotonic()
        seconds = time.monotonic() - began
        with pytest.raises(ConnectionResetError):
            deque(iter(lambda: slow.recv(1 << 20), b""), 0)
    assert seconds < 1
    assert [each.message for each in caplog.records if each.levelname == "ERROR"] == []


def test_a_failure_to_make_events_is_not_hidden() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b": follows\n\n"
        raise ZeroDivisionError

    async def serve() -> None:
        async def receive() -> Any:
            await asyncio.Event().wait()

        async def send(_message: object) -> None:
            await asyncio.sleep(0)

        ended = asyncio.Event()
        stream = Stream(broken(), ended, ended.set)
        await stream.send({"type": "http", "method": "GET"}, receive, send, "1")

    with pytest.raises(ZeroDivisionError):
        asyncio.run(serve())


def test_a_comment_is_sent_in_silence() -> None:
    async def hear() -> list[bytes]:
        feed: Feed[Entry] = Feed()
        reader = feed.join(None, arrivals=False)
        found = []
        async for chunk in told(reader, [], 0.001):
            found.append(chunk)
            if len(found) == 3:
                feed.close()
        return found

    assert asyncio.run(hear()) == [b": follows\n\n", b": nothing new\n\n", b": nothing new\n\n"]


def test_a_reader_that_went_is_told_nothing_of_what_it_missed() -> None:
    async def hear() -> list[bytes]:
        feed: Feed[Entry] = Feed()
        reader = feed.join(None, arrivals=False)
        missed = [Entry(each, NOON, "GET", "/", "", []) for each in "12"]
        found = []
        async for chunk in told(reader, missed):
            found.append(chunk[:5])
            if chunk.startswith(b"id: 1"):
                feed.leave(reader)
        return found

    assert asyncio.run(hear()) == [b": fol", b"id: 1"]
