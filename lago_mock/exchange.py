"""One request of the API on its way to an answer.

read      body and parameters; what cannot be read is answered later, in its turn
quota     429 past the organization's rate limit, where it has one
fault     of the organization first, then of the whole server; else what `Prefer` asks for
refuse    as Lago does, each in its turn: 400 or 406 for what cannot be read, 404 for a path that
          leads nowhere, 401 without a key, 403 without a right, 501 without a handler
perform   permit, judge, handle, check, commit: `operations`
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import NamedTuple

from starlette.types import Receive

from lago_mock.answer import (
    Answer,
    ConnectionBroken,
    Headers,
    bare,
    failure,
    made_up,
    plain_text,
    success,
    text_header,
)
from lago_mock.contract.operation import Judged, Operation
from lago_mock.errors import (
    Forbidden,
    InternalServerError,
    LagoError,
    NotFound,
    TooManyRequests,
    Unauthorized,
    ValidationFailed,
    body_in,
)
from lago_mock.journal import MAX_BODY_BYTES, Entry
from lago_mock.nearest import PREFIX, nearest
from lago_mock.operations import Facts, Operations
from lago_mock.outcomes import Outcome, preferred
from lago_mock.request import (
    ClientGone,
    Interrupted,
    Limits,
    NotAcceptable,
    Request,
    TooLarge,
    disconnected,
)
from lago_mock.sandbox import Access
from lago_mock.store.store import StoreUnwritable
from lago_mock.tenants import Tenants
from lago_mock.wire import JSONObject, Unparsable

_BELOW = f"{PREFIX}/"
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")

_TICK = 0.001
"""The event loop counts time in steps of so many seconds, and may be one too early."""

_errors = logging.getLogger("lago_mock.errors")


@dataclass(frozen=True)
class Parts:
    """What every exchange of a server works with."""

    tenants: Tenants
    operations: Operations
    limits: Limits


class Route(NamedTuple):
    """What a request's path and verb lead to."""

    operation: Operation | None = None
    values: tuple[str, ...] = ()


class Exchange:
    """One request on its way to an answer; `headers` are what goes with it, whatever it is."""

    def __init__(
        self,
        parts: Parts,
        request: Request,
        receive: Receive,
        access: Access | None,
        entry: Entry,
    ) -> None:
        self._parts = parts
        self._request = request
        self._receive = receive
        self._access = access
        self._sandbox = access.sandbox if access else None
        self._entry = entry
        self._scope = self._sandbox or parts.tenants.server
        self.headers: Headers = []
        # Looked up on arrival: a reset in between replaces it, and this call belongs to what was.
        self._ended = self._scope.ended

    async def answer(self, unwritable: StoreUnwritable | None) -> Answer:
        """Return the answer; whatever goes wrong becomes one, also what has gone wrong before.

        Raises:
            ClientGone: nobody waits for it.
            ConnectionBroken: a fault has the connection break instead.
        """
        try:
            if unwritable:
                raise unwritable
            return await self._answer()
        except (ClientGone, ConnectionBroken) as error:
            self._entry.refusal = str(error)
            raise
        except Exception as error:
            return self._answer_to(error)

    def _answer_to(self, error: Exception) -> Answer:
        """Return the answer that says what went wrong, and note it."""
        if isinstance(error, LagoError):
            return self._refused(error)
        if isinstance(error, Unparsable | NotAcceptable):
            return self._unreadable(error)
        if isinstance(error, TooLarge):
            self._entry.refusal = str(error)
            return failure({"status": error.status, "error": str(error)})
        if isinstance(error, Interrupted):
            self._entry.refusal = "reset or stopped while it waited"
            return failure({"status": 503, "error": "Service Unavailable"})
        return self._broken(error)

    def _refused(self, error: LagoError) -> Answer:
        if isinstance(error, ValidationFailed):
            self._entry.problems = error.problems
        elif isinstance(error, InternalServerError):
            _errors.error("a bug of lago-mock: %s", error)
        body = body_in(self._scope.rules.era, error)
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
        request, entry = self._request, self._entry
        lost, route = self._route()
        too_large = await self._read()
        entry.body = request.body[: MAX_BODY_BYTES + 1]
        entry.received()
        self._count_against_quota()
        if too_large:
            raise too_large
        unread, parameters = self._parameters()
        failed = unread or lost
        outcome = self._take_fault(route.operation) or self._preferred(route.operation)
        if seconds := self._scope.latency.seconds(entry.operation_id):
            await self._wait(seconds)
        if outcome is None:
            return self._true_answer(failed, route, parameters)
        if outcome.after:
            self._carry_out(failed, route, parameters)
        await self._wait(outcome.delay_seconds, hangs=outcome.hangs)
        if outcome.connection is not None:
            raise ConnectionBroken(outcome.connection)
        if outcome.status is not None:
            own = {name.encode("latin-1") for name in outcome.headers}
            self.headers = [header for header in self.headers if header[0] not in own]
            return made_up(outcome.status, outcome.headers, outcome.body)
        return self._true_answer(failed, route, parameters)

    def _true_answer(
        self, failed: Exception | None, route: Route, parameters: JSONObject
    ) -> Answer:
        if self._ended.is_set():
            raise Interrupted
        if failed:
            raise failed
        return self._perform(route, parameters)

    def _carry_out(self, failed: Exception | None, route: Route, parameters: JSONObject) -> None:
        """Do what was asked, though its answer will be lost."""
        try:
            self._true_answer(failed, route, parameters)
        except Exception as error:
            self._answer_to(error)

    def _route(self) -> tuple[Exception | None, Route]:
        """Return where the request leads, and why that cannot be told; that is answered later."""
        try:
            route = self._found()
        except Unparsable as error:
            return error, Route()
        if route.operation:
            self._entry.operation_id = route.operation.id
        return None, route

    def _found(self) -> Route:
        path = self._request.plain_path
        if not path.startswith(_BELOW):
            return Route()
        router = self._parts.operations.contract_of(self._scope.rules.era).router
        found = router.match(self._request.method, path[len(PREFIX) :])
        return Route(*found) if found else Route()

    async def _read(self) -> TooLarge | None:
        """Fetch the rest of the request; return what is too large of it."""
        limits = self._parts.limits
        try:
            self._request.check_head(limits)
            if not self._request.may_have_body:
                return None
            await self._request.read_body(self._receive, limits, self._ended)
        except TooLarge as error:
            return error
        return None

    def _parameters(self) -> tuple[Exception | None, JSONObject]:
        """Return body and query, and why they cannot be read; that is answered later."""
        try:
            return None, self._request.parameters()
        except (Unparsable, NotAcceptable) as error:
            return error, {}

    def _take_fault(self, operation: Operation | None) -> Outcome | None:
        sources = [self._sandbox.faults] if self._sandbox else []
        for faults in (*sources, self._parts.tenants.server.faults):
            if faults.armed:
                sent, era = self._entry.sent(), self._scope.rules.era
                outcome = faults.take(operation, sent, self._entry.id, era)
                if outcome is not None:
                    self._entry.fault_id = outcome.fault_id
                    return outcome
        return None

    def _count_against_quota(self) -> None:
        """Take one turn of the organization's quota; its headers go with every answer.

        Raises:
            TooManyRequests: 429, none is left in this window.
        """
        limits = self._sandbox.rate_limits if self._sandbox else None
        if limits is None:
            return
        self.headers, allowed = limits.take(self._entry.operation_id, self._scope.clock.now())
        if not allowed:
            frozen = ", which does not end while the clock is frozen"
            until = frozen if self._scope.clock.frozen else ""
            self._entry.hint = f"the quota of this window is used up{until}"
            raise TooManyRequests

    def _preferred(self, operation: Operation | None) -> Outcome | None:
        """Return the outcome that `Prefer: code=NNN` asks for; None where it asks for none."""
        wish = self._request.header(b"prefer")
        outcome = preferred(wish, operation, self._scope.rules.era) if wish else None
        if outcome is not None:
            self._entry.hint = "asked for by the request's own Prefer"
            self.headers.append((b"preference-applied", f"code={outcome.status}".encode()))
        return outcome

    async def _wait(self, seconds: float, *, hangs: bool = False) -> None:
        """Wait so long, or until the client goes or the state is taken back.

        Raises:
            ClientGone: nobody waits for the answer any more.
            Interrupted: a reset or the end of the server ended the wait.
        """
        if not seconds and not hangs:
            return
        gone = asyncio.ensure_future(disconnected(self._receive))
        ended = asyncio.ensure_future(self._ended.wait())
        timeout = None if hangs else seconds + _TICK
        try:
            await asyncio.wait((gone, ended), timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                raise Interrupted
            if gone.done():
                raise ClientGone
        finally:
            gone.cancel()
            ended.cancel()

    def _perform(self, route: Route, parameters: JSONObject) -> Answer:
        operation = route.operation
        if operation is None:
            return self._unrouted()
        if self._access is None:
            raise Unauthorized
        if code := self._access.forbidden(operation.scopes):
            raise Forbidden(code)
        operations = self._parts.operations
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
        operations, facts = self._parts.operations, self._access.sandbox.facts
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
            answer = answer.with_headers([text_header(b"x-lago-mock-warning", performed.warning)])
        return answer

    def _judged(self, operation: Operation, facts: Facts, parameters: JSONObject) -> Judged:
        """Return the body as the handler gets it, judged as the validation setting says."""
        judged = operation.read(parameters, facts.licensed)
        self._entry.unknown = (*operation.strangers(parameters), *judged.unknown)
        if facts.rules.validation == "strict":
            in_body = (*operation.strangers(self._request.in_body), *judged.unknown)
            problems = operation.to_the_letter(parameters, in_body)
            if problems:
                raise ValidationFailed(problems)
        if facts.rules.validation == "off":
            kept = (each for each in judged.problems if each.keyword in ("required", "blank"))
            return judged._replace(problems=tuple(kept))
        return judged

    def _unrouted(self) -> Answer:
        contract = self._parts.operations.contract_of(self._scope.rules.era)
        near = nearest(contract, self._request.method, self._request.plain_path)
        self._entry.hint = near.why if near else None
        if self._request.method not in _METHODS or self._request.raw_path == "/":
            self._entry.refusal = "resource_not_found"
            return bare(404, "Not Found", as_json=self._request.wants_json())
        raise NotFound("resource_not_found")
