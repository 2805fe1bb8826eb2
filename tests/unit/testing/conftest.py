"""A server of this process, and a handle on an organization of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lago_mock import LagoMock
from lago_mock.testing.background import BackgroundServer, in_memory


@pytest.fixture(scope="module")
def server() -> Iterator[BackgroundServer]:
    with BackgroundServer(in_memory(fixtures="empty")) as server:
        yield server


@pytest.fixture
def lago(server: BackgroundServer) -> Iterator[LagoMock]:
    with LagoMock(server=server) as lago:
        yield lago
