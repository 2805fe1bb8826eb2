"""The operations of the API: which there are, and to carry them out by hand."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.contract.loader import DocumentError
from lago_mock.contract.operation import Operation
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.sandbox import Sandbox
from lago_mock.wire import JSONObject

_BEFORE_LOAD: Final = "before load"  # no snapshot of a user's can have this name


def list_operations(call: AdminCall) -> JSONObject:
    """Answer `listOperations`: in the document's order."""
    operations = call.server.operations
    return {
        "operations": [
            {
                "operation": each.id,
                "method": each.method,
                "path": each.path,
                "mocked": operations.is_mocked(each),
            }
            for each in operations.contract.operations.values()
        ]
    }


def perform_operation(call: AdminCall) -> JSONObject:
    """Answer `performOperation`: what the API would, without key, fault, quota or journal.

    It is done for the key's organization, or for the first one.

    Raises:
        NotFound: 404 `operation_not_found`.
        NotMocked: 501 `operation_not_mocked`.
        ValidationFailed: 422, a parameter of the path is missing or strange.
        LagoError: what the API refuses, in its own words.
    """
    sandbox = _organization(call)
    operations = call.server.operations
    operation = operations.contract_of(sandbox.rules.era).operations.get(call.path["id"])
    if operation is None:
        raise NotFound("operation_not_found")
    operations.require_mocked(operation)
    path, query = call.body.get("path", {}), call.body.get("query", {})
    _check_path(operation, path)
    judged = operation.read({**call.body.get("body", {}), **query}, sandbox.licensed)
    performed = operations.perform(sandbox.facts, operation, path, query, judged)
    answer = performed.answer
    return answer if isinstance(answer, dict) else {"text": answer}


def _organization(call: AdminCall) -> Sandbox:
    return call.sandbox or next(iter(call.server.tenants))


def _check_path(operation: Operation, path: Mapping[str, str]) -> None:
    wrong = set(operation.parameters) ^ path.keys()
    if wrong:
        text = f"{operation.id} takes {', '.join(operation.parameters) or 'nothing'} in its path"
        raise ValidationFailed([Problem("path", text, "path", ("path", min(wrong)))])


def load_fixtures(call: AdminCall) -> JSONObject:
    """Answer `loadFixtures`: the sections of a fixture set, played on top of what is there.

    All or nothing. It is done for the key's organization, or for the first one.

    Raises:
        ValidationFailed: 422, an item is refused; the field is its place.
    """
    sandbox, tenants = _organization(call), call.server.tenants
    tenants.snapshot(sandbox, _BEFORE_LOAD)
    try:
        call.server.fixtures.load(call.body["fixtures"], call.server.operations, sandbox.facts)
    except DocumentError as error:
        tenants.restore(sandbox, _BEFORE_LOAD)
        raise ValidationFailed.of(error.place, error.what) from error
    finally:
        tenants.forget(sandbox, _BEFORE_LOAD)
    return dict(DONE)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "listOperations": list_operations,
        "performOperation": perform_operation,
        "loadFixtures": load_fixtures,
    }
)
