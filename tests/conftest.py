"""A server in a thread, on a free port, for the whole run; every test begins with a reset."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lago_mock.app import LagoMockApp, build
from lago_mock.server import Server, bind, url_of
from lago_mock.settings import Settings

API_KEY = "lago-mock-key"
ROOT = Path(__file__).parent.parent


@contextmanager
def running(app: LagoMockApp) -> Iterator[str]:
    """Serve an application in a thread and give its URL; stopped and closed at the end."""
    listening = threading.Event()
    with bind(Settings(port=0)) as bound:
        url = url_of(bound)
        server = Server(app, listening.set)
        thread = threading.Thread(target=server.run, args=([bound],))
        thread.start()
        assert listening.wait(10), "the server did not start"
        try:
            yield url
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture(scope="session")
def app() -> LagoMockApp:
    """The application behind `server`: in memory, from the fixture set `empty`."""
    return build(Settings(db=":memory:", fixtures="empty"))


@pytest.fixture(scope="session")
def server(app: LagoMockApp) -> Iterator[str]:
    """URL of the server that all tests share."""
    with running(app) as url:
        yield url


@pytest.fixture
def admin(server: str) -> Iterator[httpx.Client]:
    """Client of the admin API, for the whole server; it is back at its fixture set.

    `verify=False` saves each client 20 ms of reading certificates that plain HTTP has no use for.
    """
    with httpx.Client(base_url=f"{server}/__admin", verify=False) as client:
        client.post("/reset").raise_for_status()
        yield client


@pytest.fixture
def client(server: str, admin: httpx.Client) -> Iterator[httpx.Client]:
    """Client of the API with the organization's key; no customers, no taxes, no faults."""
    headers = {"Authorization": f"Bearer {API_KEY}"}
    with httpx.Client(base_url=f"{server}/api/v1", headers=headers, verify=False) as client:
        yield client
