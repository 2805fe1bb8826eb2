"""The HTTP skin of the operations: one request from its first byte to the answer's last.

read      body and parameters; what cannot be read is answered later, in its turn
tenant    the key's organization; refuses nothing yet
fault     of the organization first, then of the whole server
refuse    in Lago's order: unparsable 400 or 406, no route 404, key 401, permission 403,
          not mocked 501
perform   permit, judge, handle, check, commit: `operations`
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, replace
from typing import Any

from starlette.types import Receive, Scope, Send

from lago_mock.answer import Answer, bare, failure, made_up, plain_text, success
from lago_mock.contract.operation import Judged, Operation
from lago_mock.cors import Cors, preflight
from lago_mock.errors import (
    Forbidden,
    InternalServerError,
    LagoError,
    NotFound,
    Unauthorized,
    ValidationFailed,
    body_in,
)
from lago_mock.faults import Outcome
from lago_mock.journal import MAX_BODY_BYTES, Entry
from lago_mock.operations import Facts, Operations
from lago_mock.request import (
    ClientGone,
    Interrupted,
    Limits,
    NotAcceptable,
    Request,
    TooLarge,
)
from lago_mock.sandbox import Access, Sandbox, Tenants
from lago_mock.store.store import StoreUnwritable
from lago_mock.wire import JSONObject, Unparsable

PREFIX = "/api/v1"
_BELOW = f"{PREFIX}/"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")

_requests = logging.getLogger("lago_mock.requests")
_errors = logging.getLogger("lago_mock.errors")


@dataclass
class Route:
    """What a request's path and verb lead to."""

    operation: Operation | None = None
    values: tuple[str, ...] = ()


class Endpoint:
    """ASGI application of every path that is neither a page nor the admin API."""

    def __init__(
        self, tenants: Tenants, operations: Operations, limits: Limits, cors: Cors
    ) -> None:
        self._cors = cors
        self._tenants = tenants
        self._operations = operations
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        began = time.perf_counter()
        request = Request(scope)
        if self._cors.is_preflight(request):
            await preflight(self._cors, request).send(scope, send, self._id(request), 0.0)
            return
        access = self._tenants.access(request.api_key)
        entry = self._open_entry(request, access.sandbox if access else None)
        exchange = _Exchange(self, request, receive, access, entry)
        try:
            answer = await exchange.answer()
        except ClientGone:
            self._log(entry, "-", time.perf_counter() - began)
            return
        seconds = time.perf_counter() - began
        self._close_entry(entry, answer, seconds)
        if reason := entry.reason():
            answer = answer.with_headers([(b"x-lago-mock-reason", _ascii(reason))])
        if b"origin" in request.headers:
            answer = answer.with_headers(self._cors.headers(request))
        await answer.send(scope, send, self._id(request), seconds)

    def _id(self, request: Request) -> str:
        return request.header(b"x-request-id") or self._tenants.clock.new_id()

    def _open_entry(self, request: Request, sandbox: Sandbox | None) -> Entry:
        journal = sandbox.journal if sandbox else self._tenants.journal
        entry = Entry(
            id=str(next(journal.numbers)),
            time=self._tenants.clock.now(),
            method=request.method,
            path=request.decoded_path,
            query=request.scope["query_string"].decode("latin-1"),
            headers=request.scope["headers"],
            organization_id=sandbox.facts.organization_id if sandbox else None,
        )
        journal.add(entry)
        return entry

    def _close_entry(self, entry: Entry, answer: Answer, seconds: float) -> None:
        entry.status = answer.status
        entry.answer = bytes(memoryview(answer.body)[: MAX_BODY_BYTES + 1])  # a copy, for its size
        entry.duration_ms = round(seconds * 1000, 3)
        self._log(entry, answer.status, seconds)

    def _log(self, entry: Entry, status: int | str, seconds: float) -> None:
        if not _requests.isEnabledFor(logging.INFO):
            return
        notes = [note for note in (entry.reason(), entry.hint) if note]
        if entry.fault_id:
            notes.insert(0, f"fault {entry.fault_id}")
        line = f"{entry.method} {entry.path} {status} {entry.operation_id or '-'}"
        line += f" {seconds * 1000:.1f} ms{': ' if notes else ''}{'; '.join(notes)}"
        # What a client sends must not look like a line of ours.
        _requests.info("%s", line if line.isprintable() else _printable(line))

    def route(self, request: Request) -> Route:
        """Return what the path and the verb lead to; HEAD is read as GET.

        Raises:
            Unparsable: 400, a path parameter has a broken escape.
        """
        path = request.plain_path
        if not path.startswith(_BELOW):
            return Route()
        # Differs from Lago: HEAD counts as a read; there the key needs the right to write.
        method = "GET" if request.method == "HEAD" else request.method
        found = self._operations.contract.router.match(method, path[len(PREFIX) :])
        return Route(*found) if found else Route()

    def hint(self, request: Request) -> str | None:
        """Return what a client that missed every route may have done wrong, None if unclear."""
        path = request.plain_path
        if path.startswith(f"{PREFIX}{PREFIX}/"):
            return f"the base URL ends in {PREFIX} and the client adds it once more"
        if not path.startswith(f"{PREFIX}/"):
            verbs = self._operations.contract.router.verbs(path)
            return f"the path lacks {PREFIX}: add it to the base URL" if verbs else None
        verbs = self._operations.contract.router.verbs(path[len(PREFIX) :])
        return f"this path takes {', '.join(verbs)}" if verbs else None


def _printable(line: str) -> str:
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in line)


def _ascii(reason: str) -> bytes:
    """Return a reason as a header may carry it: ASCII, 512 bytes at most."""
    return _printable(reason).encode("ascii", "backslashreplace")[:512]


class _Exchange:
    """One request on its way to an answer."""

    def __init__(
        self,
        endpoint: Endpoint,
        request: Request,
        receive: Receive,
        access: Access | None,
        entry: Entry,
    ) -> None:
        self._endpoint = endpoint
        self._request = request
        self._receive = receive
        self._access = access
        self._sandbox = access.sandbox if access else None
        self._entry = entry
        # Looked up on arrival: a reset in between replaces it, and this call belongs to what was.
        self._ended = (self._sandbox or endpoint._tenants).ended

    async def answer(self) -> Answer:
        """Return the answer; whatever goes wrong becomes one.

        Raises:
            ClientGone: nobody waits for it.
        """
        try:
            return await self._answer()
        except ClientGone:
            self._entry.refusal = "the client went before it was answered"
            raise
        except LagoError as error:
            return self._refused(error)
        except (Unparsable, NotAcceptable) as error:
            return self._unreadable(error)
        except TooLarge as error:
            self._entry.refusal = str(error)
            return failure({"status": error.status, "error": str(error)})
        except Interrupted:
            self._entry.refusal = "reset or stopped while it waited"
            return failure({"status": 503, "error": "Service Unavailable"})
        except Exception as error:
            return self._broken(error)

    def _refused(self, error: LagoError) -> Answer:
        if isinstance(error, ValidationFailed):
            self._entry.problems = error.problems
        elif isinstance(error, InternalServerError):
            _errors.error("a bug of lago-mock: %s", error)
        body = body_in(self._endpoint._tenants.rules.era, error)
        self._entry.refusal = str(body.get("code", body["error"]))
        return failure(body)

    def _broken(self, error: Exception) -> Answer:
        if isinstance(error, StoreUnwritable):
            _errors.error("the store cannot be written: %s", error)
        else:
            _errors.error("a bug of lago-mock, in %s", self._entry.operation_id, exc_info=error)
        return failure(InternalServerError().body())

    def _unreadable(self, error: Exception) -> Answer:
        self._entry.refusal = str(error)
        if isinstance(error, NotAcceptable):
            return bare(406, "Not Acceptable", as_json=self._request.wants_json())
        return bare(400, "Bad Request", as_json=self._request.wants_json())

    async def _answer(self) -> Answer:
        request = self._request
        request.check_head(self._endpoint._limits)
        await request.read_body(self._receive, self._endpoint._limits, self._ended)
        self._entry.body = request.body[: MAX_BODY_BYTES + 1]
        failed, parameters, route = self._read()
        if route.operation:
            self._entry.operation_id = route.operation.id
        outcome = self._take_fault(route.operation)
        if outcome is not None:
            await self._wait(outcome)
            if outcome.status is not None:
                return made_up(outcome.status, outcome.headers, outcome.body)
        if self._ended.is_set():
            raise Interrupted
        if failed:
            raise failed
        return self._perform(route, parameters)

    def _read(self) -> tuple[Exception | None, JSONObject, Route]:
        """Return what could not be read, beside all that could."""
        failed: Exception | None = None
        parameters: JSONObject = {}
        route = Route()
        try:
            parameters = self._request.parameters()
        except (Unparsable, NotAcceptable) as error:
            failed = error
        try:
            route = self._endpoint.route(self._request)
        except Unparsable as error:
            failed = failed or error
        return failed, parameters, route

    def _take_fault(self, operation: Operation | None) -> Outcome | None:
        sources = [self._sandbox.faults] if self._sandbox else []
        for faults in (*sources, self._endpoint._tenants.faults):
            fault = faults.take(operation, self._request.method, self._entry.path)
            if fault is not None:
                self._entry.fault_id = fault.id
                return fault.outcome(operation)
        return None

    async def _wait(self, outcome: Outcome) -> None:
        """Wait as long as the fault says, or until the client goes or the state is taken back.

        Raises:
            ClientGone: nobody waits for the answer any more.
            Interrupted: a reset or the end of the server ended the wait.
        """
        if not outcome.delay_seconds and not outcome.hangs:
            return
        gone = asyncio.ensure_future(self._disconnected())
        ended = asyncio.ensure_future(self._ended.wait())
        timeout = None if outcome.hangs else outcome.delay_seconds
        try:
            await asyncio.wait((gone, ended), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise Interrupted
            if gone.done():
                raise ClientGone
        finally:
            gone.cancel()
            ended.cancel()

    async def _disconnected(self) -> None:
        message: Any = {}
        while message.get("type") != "http.disconnect":
            message = await self._receive()

    def _perform(self, route: Route, parameters: JSONObject) -> Answer:
        operation = route.operation
        if operation is None:
            return self._unrouted()
        if self._access is None:
            raise Unauthorized
        if code := self._access.forbidden(operation.scopes):
            raise Forbidden(code)
        operations = self._endpoint._operations
        operations.require_mocked(operation)
        known = self._request.header(b"if-none-match") if operation.method == "GET" else ""
        if parameters or known or not operations.is_pure(operation):
            return self._performed(operation, route.values, parameters, known)
        answers, key = self._access.sandbox.answers, (operation.id, route.values)
        answer = answers.get(key)
        if answer is None:
            answer = self._performed(operation, route.values, parameters, known)
            answers.keep(key, answer)
        return answer

    def _performed(
        self,
        operation: Operation,
        values: tuple[str, ...],
        parameters: JSONObject,
        known: str,
    ) -> Answer:
        assert self._access is not None, "a key was asked for before"
        operations, facts = self._endpoint._operations, self._access.sandbox.facts
        path = dict(zip(operation.parameters, values, strict=True))
        self._entry.root = operation.root
        judged = self._judged(operation, facts, parameters)
        base_url = self._request.base_url
        performed = operations.perform(facts, operation, path, parameters, judged, base_url)
        if isinstance(performed.answer, str):
            return plain_text(performed.answer, known)
        answer = success(performed.answer, known)
        if performed.warning:
            self._entry.hint = performed.warning
            answer = answer.with_headers([(b"x-lago-mock-warning", _ascii(performed.warning))])
        return answer

    def _judged(self, operation: Operation, facts: Facts, parameters: JSONObject) -> Judged:
        """Return the body as the handler gets it, judged as the validation setting says."""
        judged = operation.read(parameters, facts.licensed)
        beside_root = operation.strangers(self._request.in_body)
        self._entry.unknown = (*beside_root, *judged.unknown)
        if facts.rules.validation == "strict":
            problems = operation.to_the_letter(parameters, self._entry.unknown)
            if problems:
                raise ValidationFailed(problems)
        if facts.rules.validation == "off":
            kept = (each for each in judged.problems if each.keyword in ("required", "blank"))
            return replace(judged, problems=tuple(kept))
        return judged

    def _unrouted(self) -> Answer:
        self._entry.hint = self._endpoint.hint(self._request)
        if self._request.method not in _METHODS or self._request.raw_path == "/":
            self._entry.refusal = "resource_not_found"
            return bare(404, "Not Found", as_json=self._request.wants_json())
        raise NotFound("resource_not_found")
