"""A create that is nothing but the calls of libraries that lago-mock's own cannot do without.

It reads JSON, holds it against the schemas, writes a row and a line of the journal, and answers an
object that is held against its schema. It finds no organization, no rule and no number.
"""

from __future__ import annotations

import gc
import hashlib
import os
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from lago_mock.app import load_contract
from lago_mock.contract.usual import usual_schema
from lago_mock.contract.validators import fitting
from lago_mock.resources import load_resources


def library_calls(shown: dict[str, Any]) -> Callable[[Request], Awaitable[Response]]:
    """Return the route; `shown` is the customer that it answers, with the id of each request."""
    operation = load_contract(load_resources()).operations["createCustomer"]
    assert operation.fields is not None
    assert operation.request is not None
    takes = (fitting(usual_schema(operation.fields)), operation.request.is_valid)
    gives = operation.answers[200].is_valid
    journal = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the process runs
    gc.freeze()  # as lago-mock does, once its document is there

    async def create(request: Request) -> Response:
        body = orjson.loads(await request.body())
        row = orjson.Fragment(orjson.dumps(body["customer"]))
        line = orjson.dumps({"number": 1, "rows": {"customers": {"1": row}}})
        answer = {"customer": {**shown, "external_id": body["customer"]["external_id"]}}
        if not all(fits(body) for fits in takes) or not gives(answer):
            return Response(status_code=500)
        os.write(journal.fileno(), b"%08x %b\n" % (zlib.crc32(line), line))
        text = orjson.dumps(answer)
        etag = hashlib.sha256(text).hexdigest()
        return Response(text, headers={"etag": etag}, media_type="application/json")

    return create
