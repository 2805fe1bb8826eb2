"""The checks that official clients make of a webhook, or that their guides ask for."""

from __future__ import annotations

import base64
import json

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from lago_python_client import Client

from tests.conftest import API_KEY
from tests.webhooks.receiver import Got, Receiver


@pytest.fixture
def got(client: httpx.Client, receiver: Receiver) -> Got:
    """A webhook of a customer whose name no JSON writer escapes."""
    body = {"webhook_endpoint": {"webhook_url": receiver.url}}
    client.post("/webhook_endpoints", json=body).raise_for_status()
    customer = {"customer": {"external_id": "a", "name": "Zoë / Søn"}}
    client.post("/customers", json=customer).raise_for_status()
    return receiver.wait(1)[0]


def test_python_takes_the_key_from_its_client_and_checks_with_pyjwt(server: str, got: Got) -> None:
    pem = Client(api_key=API_KEY, api_url=server).webhooks.public_key()

    token = got.headers["x-lago-signature"]
    claims = jwt.decode(token, load_pem_public_key(pem), algorithms=["RS256"], issuer=server)  # type: ignore[arg-type]

    assert json.loads(claims["data"]) == got.json


def test_go_compares_the_data_with_the_body_byte_for_byte(client: httpx.Client, got: Got) -> None:
    answer = client.get("/webhooks/json_public_key").json()
    key = load_pem_public_key(base64.b64decode(answer["webhook"]["public_key"]))

    token = got.headers["x-lago-signature"]
    claims = jwt.decode(token, key, algorithms=["RS256"])  # type: ignore[arg-type]

    assert claims["data"].encode() == got.body


def test_ruby_writes_the_payload_anew_and_compares_the_issuer_with_its_url(
    server: str, got: Got
) -> None:
    claims = jwt.decode(got.headers["x-lago-signature"], options={"verify_signature": False})

    rewritten = json.dumps(json.loads(got.body), separators=(",", ":"), ensure_ascii=False)
    assert claims == {"data": rewritten, "iss": server}


@pytest.mark.parametrize("algorithm", ["jwt", "hmac"])
def test_the_header_says_which_check_to_make(
    client: httpx.Client, receiver: Receiver, algorithm: str
) -> None:
    endpoint = {"webhook_url": receiver.url, "signature_algo": algorithm}
    client.post("/webhook_endpoints", json={"webhook_endpoint": endpoint}).raise_for_status()
    client.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()

    assert receiver.wait(1)[0].headers["x-lago-signature-algorithm"] == algorithm
