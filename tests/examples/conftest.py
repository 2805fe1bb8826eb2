"""What the examples need of this machine."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the variables that lead to a server elsewhere."""
    for name in ("LAGO_MOCK_URL", "LAGO_MOCK_ADMIN_TOKEN", "LAGO_API_KEY", "PYTEST_XDIST_WORKER"):
        monkeypatch.delenv(name, raising=False)
