"""Failures to come: armed, looked at, disarmed."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.errors import NotFound, ValidationFailed
from lago_mock.faults import impossible
from lago_mock.wire import JSONObject


def list_faults(call: AdminCall) -> JSONObject:
    """Answer `listFaults`: in the order they were added, which is the order they are taken in."""
    return {"faults": [fault.shown() for fault in call.faults()]}


def add_fault(call: AdminCall) -> JSONObject:
    """Answer `addFault`.

    Raises:
        ValidationFailed: 422, the fault can never happen, or there are too many.
    """
    problems = impossible(call.body, call.server.operations.contract.operations)
    if problems:
        raise ValidationFailed(problems)
    return call.faults().add(call.server.tenants.clock.new_id(), call.body).shown()


def replace_faults(call: AdminCall) -> JSONObject:
    """Answer `replaceFaults`: all or nothing.

    Raises:
        ValidationFailed: 422, one of the faults can never happen, or there are too many.
    """
    operations = call.server.operations.contract.operations
    problems = [
        each
        for index, description in enumerate(call.body["faults"])
        for each in impossible(description, operations, ("faults", index))
    ]
    if problems:
        raise ValidationFailed(problems)
    new_id = call.server.tenants.clock.new_id
    call.faults().replace([(new_id(), description) for description in call.body["faults"]])
    return list_faults(call)


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
