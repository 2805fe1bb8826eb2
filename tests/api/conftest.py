"""A server with what a test module declares in its `FIXTURES`, by the key `juniper-key`."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.conftest import client_after_reset, serving_set


@pytest.fixture(scope="module")
def juniper(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """URL of that server."""
    with serving_set(tmp_path_factory.mktemp("fixtures"), request.module.FIXTURES) as url:
        yield url


@pytest.fixture
def connected(juniper: str) -> Iterator[httpx.Client]:
    """Client of that server, which is back at its fixture set."""
    with client_after_reset(juniper, "juniper-key") as client:
        yield client
