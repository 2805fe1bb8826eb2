from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from lago_mock.server import _Connection


def test_nothing_is_written_to_a_client_that_is_gone() -> None:
    written: list[bytes] = []
    cycle: Any = SimpleNamespace(disconnected=True, transport=SimpleNamespace(write=written.append))

    _Connection(cycle).answer(200, [], b"late")

    assert written == []
