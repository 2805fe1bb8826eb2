"""The endpoint that serves the admin operations, judged to the letter of `openapi/admin.yaml`."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import Receive, Scope, Send

from lago_mock.admin import (
    catalog,
    clock,
    events,
    faults,
    operations,
    organizations,
    requests,
    searches,
    settings,
    snapshots,
    states,
    webhooks,
)
from lago_mock.admin.call import AdminCall, AdminHandler, Reply, Server, Unknown
from lago_mock.admin.guard import Guard
from lago_mock.admin.refusals import judged, query_problems
from lago_mock.admin.stream import Stream, while_there
from lago_mock.answer import Answer, bare, failure, success
from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import DocumentError
from lago_mock.contract.operation import Operation
from lago_mock.errors import (
    InternalServerError,
    LagoError,
    Unauthorized,
    ValidationFailed,
)
from lago_mock.operations import check_answer
from lago_mock.parameters import parse_query
from lago_mock.request import ClientGone, Interrupted, Limits, Request, TooLarge
from lago_mock.store.store import StoreUnwritable
from lago_mock.wire import Unparsable, decode

PREFIX = "/__admin"

HANDLERS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        **catalog.OPERATIONS,
        **operations.OPERATIONS,
        **organizations.OPERATIONS,
        **clock.OPERATIONS,
        **states.OPERATIONS,
        **snapshots.OPERATIONS,
        **settings.OPERATIONS,
        **faults.OPERATIONS,
        **requests.OPERATIONS,
        **searches.OPERATIONS,
        **events.OPERATIONS,
        **webhooks.OPERATIONS,
    }
)

_errors = logging.getLogger("lago_mock.errors")


class AdminEndpoint:
    """ASGI application below `/__admin`; takes no fault and stands in no journal."""

    def __init__(
        self, server: Server, contract: Contract, limits: Limits, guard: Guard | None = None
    ) -> None:
        self._guard = guard or Guard()
        self._server = server
        self._contract = contract
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        began = time.perf_counter()
        request = Request(scope)
        try:
            request.check_head(self._limits)
            await request.read_body(receive, self._limits, self._server.tenants.server.ended)
            answer = await self._answer(request, receive)
        except (ClientGone, Interrupted):
            return
        except TooLarge as error:
            answer = failure({"status": error.status, "error": str(error)})
        request_id = request.header(b"x-request-id") or self._server.tenants.clock.new_id()
        if isinstance(answer, Stream):
            await answer.send(scope, receive, send, request_id)
            return
        seconds = time.perf_counter() - began
        await answer.send(scope, send, request_id, seconds)

    async def _answer(self, request: Request, receive: Receive) -> Answer | Stream:
        try:
            reply = await self._perform(request, receive)
            return reply if isinstance(reply, Stream) else success(reply, "")
        except ClientGone:
            raise
        except LagoError as error:
            if isinstance(error, InternalServerError):
                _errors.error("a bug of lago-mock: %s", error)
            return failure(error.body())
        except Unparsable as error:
            return failure({"status": 400, "error": f"Bad Request: {error}"})
        except DocumentError as error:  # webhooks and fixture sets are read when they are asked for
            _errors.error("a document or fixture set is broken: %s", error)
            return failure({"status": 500, "error": f"{InternalServerError.error}: {error}"})
        except StoreUnwritable as error:
            _errors.error("the store cannot be written: %s", error)
            return failure(InternalServerError().body())
        except Exception:
            _errors.exception("a bug of lago-mock, at %s", request.raw_path)
            return bare(500, InternalServerError.error, as_json=True)

    async def _perform(self, request: Request, receive: Receive) -> Reply:
        self._guard.check(request)
        operation, values = self._route(request)
        is_open = operation.description.get("security") == []
        sandbox = None if is_open else self._server.tenants.of(request.api_key)
        if sandbox is None and request.header(b"authorization") and not is_open:
            raise Unauthorized
        query = parse_query(request.scope["query_string"])
        body = judged(operation, decode(request.body) if request.body else {})
        in_query = () if is_open else query_problems(operation, query)  # probes add what they like
        if problems := [*in_query, *body.problems]:
            raise ValidationFailed(problems)
        path = dict(zip(operation.parameters, values, strict=True))
        call = AdminCall(self._server, sandbox, body.value, path, query, request.headers)
        reply = HANDLERS[operation.id](call)
        if isinstance(reply, Awaitable):
            reply = await while_there(receive, reply)
        if not isinstance(reply, Stream):
            check_answer(operation, reply)
        return reply

    def _route(self, request: Request) -> tuple[Operation, tuple[str, ...]]:
        path = request.raw_path.removeprefix(PREFIX)
        found = self._contract.router.match(request.method, path)
        if found is None:
            operations = self._contract.operations.values()
            known = (f"{each.method} {each.path}" for each in operations)
            raise Unknown("resource_not_found", known)
        return found
