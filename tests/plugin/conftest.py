"""Suites of a user, run in this process by `suite`; in their own processes where it says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

import httpcore  # noqa: F401 - httpx keeps its classes, and a suite would bring others
import pytest
import yaml  # noqa: F401 - so does its part in C, for documents that are not kept as JSON yet

import lago_mock.contract.yaml12  # with PyYAML, whose C part stays: a suite's would not fit it
import lago_mock.testing.transport  # noqa: F401 - with all of the server: a suite would bring it anew
from lago_mock.testing.background import BackgroundServer, in_memory

Suite: TypeAlias = Callable[..., pytest.RunResult]

OPTIONS = (
    *("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error"),
    *("-p", "no:hypothesispytest"),  # it would be imported anew for each suite
)
VARIABLES = ("LAGO_MOCK_URL", "LAGO_MOCK_ADMIN_TOKEN", "LAGO_API_KEY", "PYTEST_XDIST_WORKER")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables that lead to a server elsewhere."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def suite(pytester: pytest.Pytester) -> Suite:
    """Runs a test module, in which warnings are errors; options of pytest follow it."""

    def run(tests: str, *options: str) -> pytest.RunResult:
        pytester.makepyfile(test_own=tests)
        return pytester.runpytest_inprocess(*OPTIONS, *options)

    return run


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[BackgroundServer]:
    """A server that a suite did not start, with a token."""
    with BackgroundServer(in_memory(admin_token="let-me-in")) as server:
        yield server
