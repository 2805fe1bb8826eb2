"""Failures on command: what is armed, which request meets it, and what that request then sees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from lago_mock.contract.operation import Operation
from lago_mock.wire import JSON, JSONObject

_NAMED: Mapping[str, int] = {
    "unauthorized": 401,
    "forbidden": 403,
    "not_found": 404,
    "validation_errors": 422,
    "too_many_requests": 429,
    "internal_server_error": 500,
    "bad_gateway": 502,
    "service_unavailable": 503,
    "gateway_timeout": 504,
}

_NOWHERE = "resource_not_found"

_RATE_LIMIT_HEADERS = {
    "x-ratelimit-limit": "50",
    "x-ratelimit-remaining": "0",
    # Seconds that the official clients then sleep: without it they take 1, 2, 4 s.
    "x-ratelimit-reset": "1",
}


@dataclass(frozen=True)
class Outcome:
    """What a request that meets a fault sees.

    `status` None means that no answer is made up: the request goes on after the delay, or hangs.
    """

    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: JSON = None
    delay_seconds: float = 0.0
    hangs: bool = False


@dataclass
class Fault:
    """One armed failure, as `description` has it (schema `Fault` of the admin document).

    `times` counts the requests that may still meet it, None means all that come.
    """

    id: str
    description: JSONObject
    remaining: int | None
    hits: int = 0

    def matches(self, operation: Operation | None, method: str, path: str) -> bool:
        """Tell whether a request meets this fault; `path` is whole and decoded."""
        if self.remaining == 0:
            return False
        wanted = self.description.get("operation")
        if wanted is not None and not _names(wanted, operation):
            return False
        if self.description.get("method", method) != method:
            return False
        glob = self.description.get("path")
        return glob is None or re.fullmatch(_pattern(glob), path, re.DOTALL) is not None

    def use(self) -> None:
        """Count one request that met it."""
        self.hits += 1
        if self.remaining is not None:
            self.remaining -= 1

    def shown(self) -> JSONObject:
        """Return the `ArmedFault` object."""
        return {
            "id": self.id,
            **self.description,
            "times": self.description.get("times", 1),
            "hits": self.hits,
            "remaining": self.remaining,
        }

    def outcome(self, operation: Operation | None) -> Outcome:
        """Return what a request for this operation sees; named errors take its own codes."""
        described = self.description
        delay = described.get("delay_ms", 0) / 1000
        if described.get("connection") == "HANG":
            return Outcome(delay_seconds=delay, hangs=True)
        if "error" in described:
            return _named(described, operation, delay)
        if "status" not in described:
            return Outcome(delay_seconds=delay)
        body = described["body"] if "body" in described else _plain(described["status"])
        return Outcome(described["status"], described.get("headers", {}), body, delay)


def _names(wanted: str | list[str], operation: Operation | None) -> bool:
    ids = [wanted] if isinstance(wanted, str) else wanted
    return "*" in ids or (operation is not None and operation.id in ids)


def _pattern(glob: str) -> str:
    """Return the regular expression of a glob, in which `*` alone is special."""
    return ".*".join(map(re.escape, glob.split("*")))


def _named(described: JSONObject, operation: Operation | None, delay: float) -> Outcome:
    error = described["error"]
    status = _NAMED[error]
    body = _plain(status)
    if error in ("forbidden", "not_found"):
        body["code"] = described.get("code") or _own_code(status, operation)
    if error == "validation_errors":
        body["code"] = "validation_errors"
        body["error_details"] = described.get("details", _blamed(operation))
    limits = _RATE_LIMIT_HEADERS if error == "too_many_requests" else {}
    return Outcome(status, {**limits, **described.get("headers", {})}, body, delay)


def _plain(status: int) -> JSONObject:
    known = {each.value: each.phrase for each in HTTPStatus}
    # Lago keeps this older phrase of 422.
    phrase = "Unprocessable Entity" if status == 422 else known.get(status, "Unknown")
    return {"status": status, "error": phrase}


def _own_code(status: int, operation: Operation | None) -> str:
    if status == 404:
        example = operation.example(404) if operation else None
        return str(example.get("code", _NOWHERE)) if isinstance(example, dict) else _NOWHERE
    scope = operation.scopes[0] if operation and operation.scopes else "organization:write"
    resource, _, mode = scope.partition(":")
    return f"{mode}_action_not_allowed_for_{resource}"


def _blamed(operation: Operation | None) -> JSONObject:
    return {(operation and operation.first_required()) or "base": ["value_is_mandatory"]}


class Faults:
    """The armed faults of one organization, or of the whole server, the oldest first."""

    def __init__(self) -> None:
        self._armed: dict[str, Fault] = {}

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._armed.values())

    def add(self, fault_id: str, description: JSONObject) -> Fault:
        """Arm a fault; it is taken `times` times, once when nothing is said, always when null."""
        fault = Fault(fault_id, description, description.get("times", 1))
        self._armed[fault_id] = fault
        return fault

    def get(self, fault_id: str) -> Fault | None:
        """Return the fault with this id, also when it is used up."""
        return self._armed.get(fault_id)

    def remove(self, fault_id: str) -> None:
        """Disarm one fault."""
        del self._armed[fault_id]

    def clear(self) -> None:
        """Disarm all."""
        self._armed.clear()

    def take(self, operation: Operation | None, method: str, path: str) -> Fault | None:
        """Return the oldest fault that the request meets, and use up one of its turns."""
        for fault in self._armed.values():
            if fault.matches(operation, method, path):
                fault.use()
                return fault
        return None


def misnamed(description: JSONObject, known: Mapping[str, Any]) -> list[str]:
    """Return the operation ids that a description names and no document has."""
    wanted = description.get("operation", "*")
    ids = [wanted] if isinstance(wanted, str) else wanted
    return [each for each in ids if each != "*" and each not in known]
