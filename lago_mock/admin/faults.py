"""Failures to come: armed, looked at, disarmed."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.faults import Fault, misnamed
from lago_mock.wire import JSONObject

_OWN_HEADERS = ("content-length", "transfer-encoding", "connection")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\xa0-\xff]*")


def list_faults(call: AdminCall) -> JSONObject:
    """Answer `listFaults`: in the order they were added, which is the order they are taken in."""
    return {"faults": [fault.shown() for fault in call.faults()]}


def add_fault(call: AdminCall) -> JSONObject:
    """Answer `addFault`.

    Raises:
        ValidationFailed: 422, the fault can never happen.
    """
    _refuse_impossible(call, call.body, ())
    return _armed(call, call.body).shown()


def replace_faults(call: AdminCall) -> JSONObject:
    """Answer `replaceFaults`: all or nothing.

    Raises:
        ValidationFailed: 422, one of the faults can never happen.
    """
    for index, description in enumerate(call.body["faults"]):
        _refuse_impossible(call, description, ("faults", index))
    call.faults().clear()
    for description in call.body["faults"]:
        _armed(call, description)
    return list_faults(call)


def _armed(call: AdminCall, description: JSONObject) -> Fault:
    return call.faults().add(call.server.tenants.clock.new_id(), description)


def _refuse_impossible(
    call: AdminCall, description: JSONObject, path: tuple[str | int, ...]
) -> None:
    known = call.server.operations.contract.operations
    for name in misnamed(description, known):
        close = difflib.get_close_matches(name, known, 1)
        advice = f"; did you mean {close[0]}?" if close else ""
        _refuse("operation", f"no operation {name}{advice}", path)
    if not {"operation", "method", "path"} & description.keys():
        _refuse("operation", "say which requests: operation, or method and path", path)
    if not {"error", "status", "connection", "delay_ms"} & description.keys():
        _refuse("error", "say what happens: error, status, connection or delay_ms", path)
    if "error" in description and "status" in description:
        _refuse("status", "an error by name has its own status", path)
    for name, value in description.get("headers", {}).items():
        if name.lower() in _OWN_HEADERS or not _HEADER.fullmatch(f"{name}: {value}"):
            _refuse("headers", f"{name!r} cannot be sent", path)


def _refuse(name: str, text: str, path: tuple[str | int, ...]) -> None:
    raise ValidationFailed([Problem(name, text, "fault", (*path, name))])


def clear_faults(call: AdminCall) -> JSONObject:
    """Answer `clearFaults`."""
    call.faults().clear()
    return dict(DONE)


def get_fault(call: AdminCall) -> JSONObject:
    """Answer `getFault`.

    Raises:
        NotFound: 404 `fault_not_found`.
    """
    fault = call.faults().get(call.path["id"])
    if fault is None:
        raise NotFound("fault_not_found")
    return fault.shown()


def remove_fault(call: AdminCall) -> JSONObject:
    """Answer `removeFault`.

    Raises:
        NotFound: 404 `fault_not_found`.
    """
    get_fault(call)
    call.faults().remove(call.path["id"])
    return dict(DONE)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "listFaults": list_faults,
        "addFault": add_fault,
        "replaceFaults": replace_faults,
        "clearFaults": clear_faults,
        "getFault": get_fault,
        "removeFault": remove_fault,
    }
)
