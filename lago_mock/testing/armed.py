"""Faults as tests arm them, and why one was met by no request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from lago_mock.client import AdminClient, AdminError
from lago_mock.testing.seen import Request, nearest
from lago_mock.wire import JSON, JSONObject

Error = Literal[
    "unauthorized",
    "forbidden",
    "not_found",
    "validation_errors",
    "too_many_requests",
    "internal_server_error",
    "bad_gateway",
    "service_unavailable",
    "gateway_timeout",
]
Broken = Literal[
    "EMPTY_RESPONSE",
    "CONNECTION_RESET_BY_PEER",
    "MALFORMED_RESPONSE_CHUNK",
    "RANDOM_DATA_THEN_CLOSE",
    "HANG",
]
Milliseconds = float | tuple[float, float]
"""A time, or the least and the most that it may be."""

_MEANT: Final = ("operation", "method", "path", "match")
_HAPPENINGS: Final = ("error", "status", "connection", "delay_ms")


class Fault:
    """A fault that was armed; as a context manager it is disarmed at the end."""

    def __init__(self, admin: AdminClient, fault_id: str) -> None:
        self.id = fault_id
        self._admin = admin

    @property
    def hits(self) -> int:
        """How many requests have met it."""
        return int(self._shown()["hits"])

    @property
    def remaining(self) -> int | None:
        """How many requests it has yet to meet; None for all to come."""
        remaining: int | None = self._shown()["remaining"]
        return remaining

    def _shown(self) -> JSONObject:
        return self._admin.get(f"/faults/{self.id}")

    def remove(self) -> None:
        """Disarm it."""
        self._admin.call("DELETE", f"/faults/{self.id}")

    def __enter__(self) -> Fault:
        """Return the fault."""
        return self

    def __exit__(self, *_: object) -> None:
        """Disarm it, unless a reset has."""
        try:
            self.remove()
        except AdminError as error:
            if error.status != 404:
                raise


def milliseconds(given: Milliseconds | None) -> JSON:
    """Return a time as the admin API takes it."""
    return {"min": given[0], "max": given[1]} if isinstance(given, tuple) else given


def is_met(fault: JSONObject) -> bool:
    """Tell whether a request met a fault, or was spared by its chance."""
    return bool(fault["hits"] or fault["spared"])


def why_unmet(fault: JSONObject, seen: Sequence[Request]) -> str:
    """Return in a line that no request met a fault, and how the nearest one differs."""
    happening = ", ".join(str(fault[name]) for name in _HAPPENINGS if name in fault) or "sequence"
    text = f"no request met the fault on {_target(fault)} ({happening})"
    if fault["skipped"]:
        return f"{text}; {fault['skipped']} were let pass, as it says"
    meant: JSONObject = {name: fault[name] for name in _MEANT if name in fault}
    return "; ".join([text, *nearest(meant, seen)]) if seen else f"{text}; no request came"


def _target(fault: JSONObject) -> str:
    operations = fault.get("operation", "*")
    words = [operations if isinstance(operations, str) else " or ".join(operations)]
    words += [str(fault[name]) for name in ("method", "path") if name in fault]
    return " ".join(words)
