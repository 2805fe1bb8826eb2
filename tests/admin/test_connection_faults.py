"""What a client sees of a connection that breaks."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from lago_python_client import Client

from tests.conftest import API_KEY

OWN = {"Authorization": f"Bearer {API_KEY}"}
KINDS = (
    "EMPTY_RESPONSE",
    "CONNECTION_RESET_BY_PEER",
    "MALFORMED_RESPONSE_CHUNK",
    "RANDOM_DATA_THEN_CLOSE",
)


@pytest.fixture
def wire(server: str) -> Iterator[socket.socket]:
    """A connection of one's own."""
    address = urlsplit(server)
    with socket.create_connection((str(address.hostname), address.port), timeout=10) as wire:
        yield wire


def arm(admin: httpx.Client, kind: str, **words: object) -> None:
    fault = {"operation": "*", "connection": kind, **words}
    admin.post("/faults", json=fault, headers=OWN).raise_for_status()


def ask(wire: socket.socket) -> bytes:
    """Send one request; return all that comes until the connection ends."""
    head = f"GET /api/v1/organizations HTTP/1.1\r\nhost: mock\r\nauthorization: Bearer {API_KEY}"
    wire.sendall(head.encode() + b"\r\n\r\n")
    received = b""
    while chunk := wire.recv(65536):
        received += chunk
    return received


def test_an_empty_response_is_an_end_without_a_byte(
    admin: httpx.Client, wire: socket.socket
) -> None:
    arm(admin, "EMPTY_RESPONSE")
    assert ask(wire) == b""


def test_a_connection_can_be_reset(admin: httpx.Client, wire: socket.socket) -> None:
    arm(admin, "CONNECTION_RESET_BY_PEER")
    with pytest.raises(ConnectionResetError):
        ask(wire)


def test_an_answer_can_break_off_in_a_chunk(admin: httpx.Client, wire: socket.socket) -> None:
    arm(admin, "MALFORMED_RESPONSE_CHUNK")

    head, _, rest = ask(wire).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"transfer-encoding: chunked" in head
    with pytest.raises(ValueError, match="invalid literal"):
        int(rest.partition(b"\r\n")[0], 16)


def test_what_is_no_http_can_come(admin: httpx.Client, wire: socket.socket) -> None:
    arm(admin, "RANDOM_DATA_THEN_CLOSE")

    received = ask(wire)

    assert received
    assert not received.startswith(b"HTTP/")


@pytest.mark.parametrize("kind", KINDS)
def test_a_client_of_http_sees_an_error_and_the_next_call_works(
    client: httpx.Client, admin: httpx.Client, kind: str
) -> None:
    arm(admin, kind)

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        client.get("/organizations")

    assert client.get("/organizations").status_code == 200
    (fault,) = admin.get("/faults", headers=OWN).json()["faults"]
    broken, _ = admin.get("/requests", headers=OWN).json()["requests"]
    assert (fault["hits"], fault["requests"]) == (1, [broken["id"]])
    assert (broken["status"], broken["fault"]) == (None, fault["id"])
    assert broken["refusal"] == f"the connection breaks: {kind}"


@pytest.mark.parametrize("kind", KINDS)
def test_the_python_client_sees_an_error(
    server: str, client: httpx.Client, admin: httpx.Client, kind: str
) -> None:
    arm(admin, kind)
    lago = Client(api_key=API_KEY, api_url=server)

    with pytest.raises(Exception) as caught:  # noqa: PT011  # whatever its HTTP layer raises
        lago.customers.find_all()

    assert "lago_mock" not in str(caught.value)
    assert lago.customers.find_all()["customers"] == []


def test_a_write_happens_although_its_answer_is_lost(
    client: httpx.Client, admin: httpx.Client
) -> None:
    arm(admin, "EMPTY_RESPONSE", when="after")
    body = {"customer": {"external_id": "acct-1"}}

    with pytest.raises(httpx.RemoteProtocolError):
        client.post("/customers", json=body)
    found = client.get("/customers/acct-1").json()["customer"]
    again = client.post("/customers", json=body).json()["customer"]

    assert found["lago_id"] == again["lago_id"]
    assert found["sequential_id"] == again["sequential_id"] == 1


def test_a_refusal_is_noted_although_its_answer_is_lost(
    client: httpx.Client, admin: httpx.Client
) -> None:
    fault = {"operation": "*", "error": "bad_gateway", "when": "after"}
    admin.post("/faults", json=fault, headers=OWN).raise_for_status()

    answer = client.post("/customers", json={"customer": {"external_id": "a", "currency": "?"}})

    assert answer.status_code == 502
    (entry,) = admin.get("/requests", headers=OWN).json()["requests"]
    assert entry["status"] == 502
    assert entry["reasons"][0]["pointer"] == "/customer/currency"


def test_a_delay_stands_before_what_breaks(client: httpx.Client, admin: httpx.Client) -> None:
    arm(admin, "EMPTY_RESPONSE", delay_ms=30)

    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/organizations")

    (entry,) = admin.get("/requests", headers=OWN).json()["requests"]
    assert entry["fault"] is not None
