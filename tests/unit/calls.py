"""Calls as handlers get them, for the tests of what handlers are made of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from lago_mock.clock import ScriptedClock
from lago_mock.contract.operation import Operation
from lago_mock.resource import Call
from lago_mock.signing import Signing
from lago_mock.store.store import Store


def call_of(**given: Any) -> Call:
    """Return a call of the organization `org-1`, which has no rows; what is given goes before."""
    usual: dict[str, Any] = {
        "operation": Operation("createDog", "POST", "/dogs", (), (), {}),
        "body": {},
        "path": {},
        "query": {},
        "view": Store({}).view("org-1"),
        "clock": ScriptedClock(datetime(2026, 11, 22, 9, 30, 0, 12, UTC), "seed"),
        "licensed": lambda _feature: True,
        "signing": Signing(dict, lambda _kept: None),
        "base_url": "http://mock.test",
        "era": "current",
        "resources": {},
    }
    return Call(**{**usual, **given})
