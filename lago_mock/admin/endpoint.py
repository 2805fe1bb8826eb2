"""The endpoint that serves the admin operations, judged to the letter of `openapi/admin.yaml`."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from starlette.types import Receive, Scope, Send

from lago_mock.admin import catalog, faults, requests, settings, states
from lago_mock.admin.call import AdminCall, AdminHandler, Server
from lago_mock.answer import Answer, bare, failure, success
from lago_mock.contract.operation import Contract, Operation
from lago_mock.errors import (
    InternalServerError,
    LagoError,
    NotFound,
    Unauthorized,
    ValidationFailed,
)
from lago_mock.operations import check_answer
from lago_mock.request import (
    ClientGone,
    Interrupted,
    Limits,
    NotAcceptable,
    Request,
    TooLarge,
)
from lago_mock.store.store import StoreUnwritable
from lago_mock.wire import JSONObject, Unparsable, decode

PREFIX = "/__admin"

HANDLERS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        **catalog.OPERATIONS,
        **states.OPERATIONS,
        **settings.OPERATIONS,
        **faults.OPERATIONS,
        **requests.OPERATIONS,
    }
)

_errors = logging.getLogger("lago_mock.errors")


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
