"""What the examples need of this machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import pytest


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables that lead to a server elsewhere."""
    for name in ("LAGO_MOCK_URL", "LAGO_MOCK_ADMIN_TOKEN", "LAGO_API_KEY", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)


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
