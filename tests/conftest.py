"""A server in a thread, on a free port, for the whole run; every test begins with a reset.

With `--lago-url` the tests of Lago's behaviour are sent to a real Lago instead, and what only the
mock can do is skipped.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from lago_mock.app import LagoMockApp, build
from lago_mock.server import Server, bind, url_of
from lago_mock.settings import Settings

EMPTIED = {"customers": "external_id", "taxes": "code", "webhook_endpoints": "lago_id"}
pytest_plugins = ("pytester",)

API_KEY = "lago-mock-key"
ROOT = Path(__file__).parent.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lago-mock's own tests")
    group.addoption("--lago-url", help="root URL of a real Lago to test against")
    group.addoption("--lago-api-key", help="API key of an organization there that may be changed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Against a real Lago, leave out what needs the mock: whoever asks for `admin` or `server`."""
    if not config.getoption("--lago-url"):
        return
    only_the_mock = pytest.mark.skip(reason="needs the mock, and --lago-url names a real Lago")
    for item in items:
        wanted = set(getattr(item, "fixturenames", ())) & {"admin", "server", "app"}
        if wanted or item.get_closest_marker("mock_only") or "client" not in item.fixturenames:
            item.add_marker(only_the_mock)


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


@contextmanager
def serving_set(folder: Path, fixtures: dict[str, object]) -> Iterator[str]:
    """Serve a fixture set of one's own, in memory, and give the server's URL."""
    path = folder / "own.json"
    path.write_text(json.dumps(fixtures), "utf-8")
    with running(build(Settings(db=":memory:", fixtures=str(path)))) as url:
        yield url


@contextmanager
def client_after_reset(url: str, key: str) -> Iterator[httpx.Client]:
    """Give a client of a server's API, with the server back at its fixture set."""
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, verify=False) as client:
        client.post(f"{url}/__admin/reset").raise_for_status()
        yield client


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
def client(request: pytest.FixtureRequest) -> Iterator[httpx.Client]:
    """Client of the API with the organization's key; no customers, no taxes, no faults."""
    url, key = request.config.getoption("--lago-url"), API_KEY
    if url:
        key = request.config.getoption("--lago-api-key") or ""
    else:
        request.getfixturevalue("admin")
        url = request.getfixturevalue("server")
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=f"{url}/api/v1", headers=headers, verify=False) as client:
        if request.config.getoption("--lago-url"):
            empty(client)
        yield client


def brief(value: object) -> str:
    """Name a case by the beginning of its values."""
    return ascii(value)[:60]


def empty(client: httpx.Client) -> None:
    """Delete what can be deleted over HTTP: a real Lago has no reset."""
    for collection, key in EMPTIED.items():
        while rows := client.get(f"/{collection}").raise_for_status().json()[collection]:
            for row in rows:
                client.delete(f"/{collection}/{quote(row[key], safe='')}").raise_for_status()


@pytest.fixture(scope="session")
def lacking() -> Callable[[str], None]:
    """Skips a test for want of something that is not ours, and fails it in CI."""
    return pytest.fail if os.environ.get("CI") else pytest.skip


@pytest.fixture(scope="session")
def tool(lacking: Callable[[str], None]) -> Callable[[str], str]:
    """Finds a program of this machine."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            lacking(f"there is no {name} on this machine")
        return str(path)

    return find
