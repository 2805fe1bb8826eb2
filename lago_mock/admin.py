"""The admin API below `/__admin`: its operations, and the endpoint that serves them.

Described by `openapi/admin.yaml`, judged to the letter. With `Authorization: Bearer KEY` a call
acts on that key's organization, without it on the whole server.
"""

from __future__ import annotations

import difflib
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Final

from starlette.types import Receive, Scope, Send

from lago_mock.answer import Answer, bare, failure, success
from lago_mock.clock import timestamp
from lago_mock.contract.operation import Contract, Operation
from lago_mock.errors import (
    InternalServerError,
    LagoError,
    NotFound,
    Problem,
    Unauthorized,
    ValidationFailed,
)
from lago_mock.faults import Fault, Faults, misnamed
from lago_mock.fixtures import FixtureCompiler
from lago_mock.journal import Entry, Journal
from lago_mock.operations import Operations, check_answer
from lago_mock.request import (
    ClientGone,
    Interrupted,
    Limits,
    NotAcceptable,
    Request,
    TooLarge,
)
from lago_mock.sandbox import Sandbox, Tenants
from lago_mock.store.store import StoreUnwritable
from lago_mock.version import LAGO_VERSION, __version__
from lago_mock.wire import JSONObject, Unparsable, decode

PREFIX = "/__admin"
_OWN_HEADERS = ("content-length", "transfer-encoding", "connection")
_HEADER: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+: [\t\x20-\x7e\xa0-\xff]*")
_OK: Final = MappingProxyType({"status": "ok"})

_errors = logging.getLogger("lago_mock.errors")


@dataclass(frozen=True)
class Server:
    """What the admin operations steer; `contract_of` compiles the document for an era."""

    tenants: Tenants
    operations: Operations
    fixtures: FixtureCompiler
    contract_of: Callable[[str], Contract]
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class AdminCall:
    """One admin operation; `sandbox` is the organization that it acts on, None for the server."""

    server: Server
    sandbox: Sandbox | None
    body: JSONObject
    path: Mapping[str, str]
    query: JSONObject

    def faults(self) -> Faults:
        """Return the faults that the call acts on."""
        return (self.sandbox or self.server.tenants).faults

    def journals(self) -> list[Journal]:
        """Return the journals that the call acts on: one, or all of the server."""
        if self.sandbox:
            return [self.sandbox.journal]
        return [self.server.tenants.journal, *(each.journal for each in self.server.tenants)]


AdminHandler = Callable[[AdminCall], JSONObject]


def get_health(call: AdminCall) -> JSONObject:
    """Answer `getHealth`."""
    return {
        "status": "healthy",
        "message": "lago-mock is ok",
        "version": __version__,
        "uptimeInSeconds": int(time.monotonic() - call.server.started),
        "timestamp": timestamp(call.server.tenants.clock.now()),
    }


def get_version(_call: AdminCall) -> JSONObject:
    """Answer `getVersion`."""
    return {"version": __version__, "lago_version": LAGO_VERSION}


def reset(call: AdminCall) -> JSONObject:
    """Answer `reset`: rows of the fixture set, no faults, no requests; nothing in flight writes.

    Raises:
        NotFound: 404 `fixtures_not_found`.
        ValidationFailed: 422, only the whole server can take another set.
    """
    tenants = call.server.tenants
    if "fixtures" in call.body:
        if call.sandbox:
            raise ValidationFailed.of("fixtures", "whole_server_only")
        name = call.body["fixtures"]
        if name not in call.server.fixtures.names():
            raise NotFound("fixtures_not_found")
        tenants.fixtures = call.server.fixtures.compile(name)
    tenants.reset(call.sandbox)
    if call.sandbox is None:
        _shift(call.server, asdict(tenants.initial_rules))
    return dict(_OK)


def get_settings(call: AdminCall) -> JSONObject:
    """Answer `getSettings`."""
    return asdict(call.server.tenants.rules)


def update_settings(call: AdminCall) -> JSONObject:
    """Answer `updateSettings`: they hold at once, for all organizations."""
    _shift(call.server, call.body)
    return get_settings(call)


def _shift(server: Server, settings: Mapping[str, str]) -> None:
    era = settings.get("era", server.tenants.rules.era)
    if era != server.tenants.rules.era:
        server.operations.contract = server.contract_of(era)
    server.tenants.shift(settings)


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
    return dict(_OK)


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
    return dict(_OK)


def list_requests(call: AdminCall) -> JSONObject:
    """Answer `listRequests`: the oldest first; `meta.total` counts those beyond the limit too.

    Raises:
        ValidationFailed: 422, a filter that is no number.
    """
    wanted, status = call.query.get("operation"), _number(call, "status", 100, 599)
    found = [
        entry
        for entry in _entries(call)
        if wanted in (None, entry.operation_id) and status in (None, entry.status)
    ]
    limit = _number(call, "limit", 1, 10**9)
    shown = [entry.shown() for entry in found[:limit]]
    return {"requests": shown, "meta": {"total": len(found)}}


def _entries(call: AdminCall) -> Iterable[Entry]:
    return sorted(chain.from_iterable(call.journals()), key=lambda entry: int(entry.id))


def _number(call: AdminCall, name: str, least: int, most: int) -> int | None:
    value = call.query.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value.isdecimal() or not value.isascii():
        raise ValidationFailed.of(name, "is not a number")
    if len(value) > 9 or not least <= int(value) <= most:
        raise ValidationFailed.of(name, "value_is_out_of_range")
    return int(value)


def clear_requests(call: AdminCall) -> JSONObject:
    """Answer `clearRequests`."""
    for journal in call.journals():
        journal.clear()
    return dict(_OK)


def get_request(call: AdminCall) -> JSONObject:
    """Answer `getRequest`.

    Raises:
        NotFound: 404 `request_not_found`.
    """
    for entry in _entries(call):
        if entry.id == call.path["id"]:
            return entry.shown()
    raise NotFound("request_not_found")


def list_fixtures(call: AdminCall) -> JSONObject:
    """Answer `listFixtures`: the sets that ship, and the present one if it is another."""
    compiler, present = call.server.fixtures, call.server.tenants.fixtures
    names = [name for name in compiler.names() if name != present.name]
    sets = [present, *(compiler.compile(name) for name in names)]
    return {"fixtures": [each.shown() for each in sorted(sets, key=lambda each: each.name)]}


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


def get_openapi(call: AdminCall) -> JSONObject:
    """Answer `getOpenapi`: the document that is served, bundled."""
    return call.server.operations.contract.document.tree


HANDLERS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "getHealth": get_health,
        "getVersion": get_version,
        "reset": reset,
        "getSettings": get_settings,
        "updateSettings": update_settings,
        "listFaults": list_faults,
        "addFault": add_fault,
        "replaceFaults": replace_faults,
        "clearFaults": clear_faults,
        "getFault": get_fault,
        "removeFault": remove_fault,
        "listRequests": list_requests,
        "clearRequests": clear_requests,
        "getRequest": get_request,
        "listFixtures": list_fixtures,
        "listOperations": list_operations,
        "getOpenapi": get_openapi,
    }
)


class AdminEndpoint:
    """ASGI application below `/__admin`; takes no fault and stands in no journal."""

    def __init__(self, server: Server, contract: Contract, limits: Limits) -> None:
        self._server = server
        self._contract = contract
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        began = time.perf_counter()
        request = Request(scope)
        try:
            request.check_head(self._limits)
            await request.read_body(receive, self._limits, self._server.tenants.ended)
            answer = self._answer(request)
        except (ClientGone, Interrupted):
            return
        except TooLarge as error:
            answer = failure({"status": error.status, "error": str(error)})
        request_id = request.header(b"x-request-id") or self._server.tenants.clock.new_id()
        seconds = time.perf_counter() - began
        await answer.send(scope, send, request_id, seconds)

    def _answer(self, request: Request) -> Answer:
        try:
            return success(self._perform(request), "")
        except LagoError as error:
            if isinstance(error, InternalServerError):
                _errors.error("a bug of lago-mock: %s", error)
            return failure(error.body())
        except (Unparsable, NotAcceptable) as error:
            return failure({"status": 400, "error": f"Bad Request: {error}"})
        except StoreUnwritable as error:
            _errors.error("the store cannot be written: %s", error)
            return failure(InternalServerError().body())
        except Exception:
            _errors.exception("a bug of lago-mock, at %s", request.raw_path)
            return bare(500, InternalServerError.error, as_json=True)

    def _perform(self, request: Request) -> JSONObject:
        operation, values = self._route(request)
        sandbox = self._server.tenants.of(request.api_key)
        is_open = operation.description.get("security") == []
        if sandbox is None and request.header(b"authorization") and not is_open:
            raise Unauthorized
        parameters = request.parameters()
        judged = operation.judge(decode(request.body) if request.body else {})
        if judged.problems:
            raise ValidationFailed(judged.problems)
        path = dict(zip(operation.parameters, values, strict=True))
        call = AdminCall(self._server, sandbox, judged.value, path, parameters)
        answer = HANDLERS[operation.id](call)
        check_answer(operation, answer)
        return answer

    def _route(self, request: Request) -> tuple[Operation, tuple[str, ...]]:
        method = "GET" if request.method == "HEAD" else request.method
        found = self._contract.router.match(method, request.raw_path.removeprefix(PREFIX))
        if found is None:
            raise NotFound("resource_not_found")
        return found
