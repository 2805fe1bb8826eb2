"""The HTTP skin of the operations: an exchange for each request, its journal entry and log line.

The key's organization is looked up on arrival, and refuses nothing yet: `exchange` does, in its
turn.
"""

from __future__ import annotations

import logging
import time

from starlette.types import Receive, Scope, Send

from lago_mock.answer import Answer, ConnectionBroken, break_off, text_header
from lago_mock.cors import Cors, preflight
from lago_mock.exchange import Exchange, Parts
from lago_mock.journal import MAX_BODY_BYTES, Entry
from lago_mock.logs import Served
from lago_mock.request import ClientGone, Request
from lago_mock.sandbox import Access, Sandbox
from lago_mock.store.store import StoreUnwritable

_requests = logging.getLogger("lago_mock.requests")


class Endpoint:
    """ASGI application of every path that is neither a page nor the admin API."""

    def __init__(self, parts: Parts, cors: Cors) -> None:
        self._cors = cors
        self._parts = parts
        self._tenants = parts.tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request.

        Raises:
            ConnectionBroken: a fault breaks the connection, and there is none that could be.
        """
        began = time.perf_counter()
        request = Request(scope)
        if self._cors.is_preflight(request):
            await preflight(self._cors, request).send(scope, send, self._id(request), 0.0)
            return
        access, unwritable = self._access(request)
        entry = self._open_entry(request, access.sandbox if access else None)
        exchange = Exchange(self._parts, request, receive, access, entry)
        try:
            answer = await exchange.answer(unwritable)
        except (ClientGone, ConnectionBroken) as gone:
            entry.complete()
            self._log(entry, None, time.perf_counter() - began, self._id(request))
            if isinstance(gone, ConnectionBroken):
                break_off(scope, gone)
            return
        seconds, request_id = time.perf_counter() - began, self._id(request)
        self._close_entry(entry, answer, seconds)
        self._log(entry, answer.status, seconds, request_id)
        if reason := entry.reason():
            answer = answer.with_headers([text_header(b"x-lago-mock-reason", reason)])
        if exchange.headers:
            answer = answer.with_headers(exchange.headers)
        if b"origin" in request.headers:
            answer = answer.with_headers(self._cors.headers(request))
        await answer.send(scope, send, request_id, seconds)

    def _access(self, request: Request) -> tuple[Access | None, StoreUnwritable | None]:
        """Return what the key opens; with `any_key` the disk may refuse what it is to open."""
        try:
            return self._tenants.access(request.api_key), None
        except StoreUnwritable as error:
            return None, error

    def _id(self, request: Request) -> str:
        return request.header(b"x-request-id") or self._tenants.clock.new_id()

    def _open_entry(self, request: Request, sandbox: Sandbox | None) -> Entry:
        scope = sandbox or self._tenants.server
        journal = scope.journal
        entry = Entry(
            id=str(next(journal.numbers)),
            time=scope.clock.now(),
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
        entry.answer = answer.body[: MAX_BODY_BYTES + 1]
        entry.duration_ms = round(seconds * 1000, 3)
        entry.complete()

    def _log(self, entry: Entry, status: int | None, seconds: float, request_id: str) -> None:
        if _requests.isEnabledFor(logging.INFO):
            _requests.info(Served(entry, status, seconds, request_id))
