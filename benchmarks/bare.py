"""The bare server: one Starlette route on uvicorn, uvloop and httptools, without access log.

    python -m benchmarks.bare get FILE    the customer in FILE as a JSONResponse, made each time
    python -m benchmarks.bare create      the request's JSON, parsed, as a JSONResponse
    python -m benchmarks.bare calls FILE  what no create of lago-mock can do without, and no more:
                                          its libraries parse, judge, encode, write and hash
    python -m benchmarks.bare constant    bytes that are ready, whatever the verb

Prints its port, then serves until SIGTERM.
"""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from benchmarks.customer import PATH


def route(work: str, customer: Any) -> Route:
    async def get(_request: Request) -> Response:
        return JSONResponse(customer)

    async def create(request: Request) -> Response:
        return JSONResponse(await request.json())

    async def constant(_request: Request) -> Response:
        return Response(b'{"customer":null}', media_type="application/json")

    if work == "get":
        return Route(f"{PATH}/{{external_id}}", get)
    if work == "create":
        return Route(PATH, create, methods=["POST"])
    if work == "calls":
        from benchmarks.calls import library_calls  # what the others must not carry

        return Route(PATH, library_calls(customer["customer"]), methods=["POST"])
    return Route(f"{PATH}{{rest:path}}", constant, methods=["GET", "POST"])


def main(work: str, file: str | None = None) -> None:
    customer = json.loads(Path(file).read_bytes()) if file else None
    app = Starlette(routes=[route(work, customer)])
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", access_log=False, log_level="warning"
    )
    # asyncio sets TCP_NODELAY only where the protocol is named: the same care as lago-mock takes.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen(2048)
        print(bound.getsockname()[1], flush=True)
        uvicorn.Server(config).run([bound])


if __name__ == "__main__":
    main(*sys.argv[1:])
