"""Two hundred clients that create one customer at the same time create one customer."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPResponse
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import API_KEY
from tests.durability.client import Client
from tests.process import ServerProcess, serving

CLIENTS = 200
PIECES = 4
DELAYS_MS = tuple(range(100, 300, 20))
EMPTY = ("--fixtures", "empty", "--log-level", "warning")

Answer = dict[str, Any]


@contextmanager
def connections(server: ServerProcess) -> Iterator[list[socket.socket]]:
    address = urlsplit(server.url)
    with ExitStack() as stack:
        yield [
            stack.enter_context(socket.create_connection((address.hostname, address.port), 20))
            for _ in range(CLIENTS)
        ]


def request(number: int) -> bytes:
    """Return a whole request; each names the customer differently."""
    body = json.dumps({"customer": {"external_id": "acct-1", "name": f"name {number}"}})
    head = (
        "POST /api/v1/customers HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {API_KEY}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "\r\n".join([*head, "", body]).encode()


def at_once(clients: list[socket.socket]) -> None:
    """Send each request whole."""
    for number, client in enumerate(clients):
        client.sendall(request(number))


def in_pieces(clients: list[socket.socket]) -> None:
    """Send the pieces of all requests in turn; the clients of each turn come in an order anew."""
    numbers = list(range(CLIENTS))
    for piece in range(PIECES):
        Random(piece).shuffle(numbers)
        for number in numbers:
            clients[number].sendall(piece_of(request(number), piece))


def piece_of(text: bytes, piece: int) -> bytes:
    """Return one of the pieces of a request; the last ones are of its body."""
    cuts = (0, len(text) - 60, len(text) - 40, len(text) - 1, len(text))
    return text[cuts[piece] : cuts[piece + 1]]


def answer_of(client: socket.socket) -> tuple[int, Answer]:
    with closing(HTTPResponse(client)) as response:
        response.begin()
        return response.status, json.loads(response.read())


def delay_creation(server: ServerProcess) -> None:
    """Let calls wait for different times, so that they overtake each other."""
    times = CLIENTS // len(DELAYS_MS)
    faults = [
        {"operation": "createCustomer", "delay_ms": delay, "times": times} for delay in DELAYS_MS
    ]
    httpx.put(f"{server.url}/__admin/faults", json={"faults": faults}).raise_for_status()


def do_not_delay(_server: ServerProcess) -> None:
    """Leave every call as it is."""


@pytest.mark.parametrize("send", [at_once, in_pieces])
@pytest.mark.parametrize("prepare", [do_not_delay, delay_creation])
def test_concurrent_creations_of_one_external_id_make_one_customer(
    prepare: Callable[[ServerProcess], None],
    send: Callable[[list[socket.socket]], None],
    tmp_path: Path,
) -> None:
    with serving(tmp_path, *EMPTY) as server:
        prepare(server)
        with connections(server) as clients:
            send(clients)
            answers = [answer_of(client) for client in clients]
        customer = assert_one_customer(answers, server)
        server.stop(signal.SIGKILL)

    with serving(tmp_path, *EMPTY) as server, closing(Client(server.url)) as client:
        assert client.customer("acct-1") == customer
        assert client.create("acct-2")["sequential_id"] == 2


def assert_one_customer(answers: list[tuple[int, Answer]], server: ServerProcess) -> Answer:
    """Hold all answers to one customer, each with its own name, and return it as it is served."""
    assert {status for status, _ in answers} == {200}
    rows = [answer["customer"] for _, answer in answers]
    (identity,) = {(row["lago_id"], row["sequential_id"], row["slug"]) for row in rows}
    assert identity[1:] == (1, "BLANK-001")
    assert [row["name"] for row in rows] == [f"name {number}" for number in range(CLIENTS)]
    with closing(Client(server.url)) as client:
        (listed,) = client.customers()
        served = client.customer("acct-1")
    assert served is not None
    assert served["lago_id"] == listed["lago_id"] == identity[0]
    assert served in rows
    return served
