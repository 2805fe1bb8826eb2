"""A real server process for the official clients; every test begins with a reset."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.process import ServerProcess, serving


@dataclass(frozen=True)
class LagoMock:
    """The server as a client is told of it, and what a test asks of it beside the client."""

    url: str
    api_key: str = "lago-mock-key"

    def arm(self, **fault: Any) -> None:
        """Make calls fail: the next one, unless `times` says more."""
        httpx.post(f"{self.url}/__admin/faults", json=fault).raise_for_status()

    def requests(self, operation: str) -> list[dict[str, Any]]:
        """Return what was asked of an operation, the oldest first."""
        found = httpx.get(f"{self.url}/__admin/requests", params={"operation": operation})
        requests: list[dict[str, Any]] = found.raise_for_status().json()["requests"]
        return requests

    def statuses(self, operation: str) -> list[int]:
        """Return how the calls of an operation were answered, the oldest first."""
        return [request["status"] for request in self.requests(operation)]


@pytest.fixture(scope="session")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """The server that the tests of all clients share: in memory, from the fixture set `empty`."""
    folder = tmp_path_factory.mktemp("clients")
    with serving(folder, "--db", ":memory:", "--fixtures", "empty") as server:
        yield server


@pytest.fixture
def lago(process: ServerProcess) -> LagoMock:
    """The server back at its fixture set."""
    httpx.post(f"{process.url}/__admin/reset").raise_for_status()
    return LagoMock(process.url)
