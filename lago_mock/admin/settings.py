"""The rules that the API follows, read and changed while it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from lago_mock.admin.call import AdminCall, AdminHandler
from lago_mock.contract.operation import Operation
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.latency import Wait
from lago_mock.matching import problem, unknown_operation
from lago_mock.wire import JSONObject


def get_settings(call: AdminCall) -> JSONObject:
    """Answer `getSettings`: those that hold for the organization, or for the whole server."""
    return call.scope.rules.shown()


def update_settings(call: AdminCall) -> JSONObject:
    """Answer `updateSettings`: they hold at once, until a reset.

    Raises:
        ValidationFailed: 422, an operation that there is not, or a time that ends before it begins.
    """
    problems = list(_impossible(call.body, call.server.operations.contract.operations))
    if problems:
        raise ValidationFailed(problems)
    call.server.tenants.shift(call.scope, call.body)
    return get_settings(call)


def _impossible(settings: JSONObject, known: Mapping[str, Operation]) -> Iterator[Problem]:
    latency = settings.get("latency", {})
    for name in ("latency", "rate_limit"):
        for operation in (settings.get(name) or {}).get("operations", {}):
            if operation not in known:
                text = unknown_operation(operation, known)
                yield problem(operation, text, (name, "operations"))
    times: dict[tuple[str, ...], Any] = {("latency", "default"): latency.get("default", 0)}
    for operation, time in latency.get("operations", {}).items():
        times["latency", "operations", operation] = time
    for path, time in times.items():
        if Wait.of(time).is_backwards:
            yield problem(path[-1], "min is more than max", path[:-1])


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "getSettings": get_settings,
        "updateSettings": update_settings,
    }
)
