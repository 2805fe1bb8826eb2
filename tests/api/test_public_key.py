from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PATHS = ["/webhooks/public_key", "/webhooks/json_public_key", "/organizations/grpc_token"]


def public_key(client: httpx.Client) -> RSAPublicKey:
    """Fetch the key as a client of Lago does."""
    text = client.get("/webhooks/json_public_key").json()["webhook"]["public_key"]
    key = load_pem_public_key(base64.b64decode(text))
    assert isinstance(key, RSAPublicKey)
    return key


def token(client: httpx.Client) -> str:
    response = client.get("/organizations/grpc_token")
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["organization"]
    assert list(response.json()["organization"]) == ["grpc_token"]
    text: str = response.json()["organization"]["grpc_token"]
    return text


def decoded(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def test_the_key_as_text_is_mime_base64_of_a_pem(client: httpx.Client) -> None:
    response = client.get("/webhooks/public_key")

    lines = response.text.split("\n")
    pem = base64.b64decode(response.text)
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert lines[-1] == ""
    assert {len(line) for line in lines[:-2]} == {60}
    assert 0 < len(lines[-2]) <= 60
    assert pem.startswith(b"-----BEGIN PUBLIC KEY-----\n")
    assert pem.endswith(b"-----END PUBLIC KEY-----\n")
    assert isinstance(load_pem_public_key(pem), RSAPublicKey)


def test_the_key_in_json_is_the_same_text(client: httpx.Client) -> None:
    text = client.get("/webhooks/public_key").text

    response = client.get("/webhooks/json_public_key")

    assert response.json() == {"webhook": {"public_key": text}}
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json; charset=utf-8"


@pytest.mark.parametrize("path", PATHS)
def test_an_answer_can_be_kept_by_its_etag(client: httpx.Client, path: str) -> None:
    response = client.get(path)

    etag = response.headers.get("etag", "")
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', etag)
    assert response.headers["cache-control"] == "max-age=0, private, must-revalidate"
    again = client.get(path, headers={"If-None-Match": etag})
    assert (again.status_code, again.content) == (304, b"")


def test_the_key_stays_the_same_over_a_reset(client: httpx.Client, admin: httpx.Client) -> None:
    before = client.get("/webhooks/public_key").text

    admin.post("/reset").raise_for_status()

    assert client.get("/webhooks/public_key").text == before


def test_the_grpc_token_names_the_organization_and_nothing_else(client: httpx.Client) -> None:
    header, claims, _ = token(client).split(".")

    organization = client.get("/organizations").json()["organization"]
    named: dict[str, Any] = {"organization_id": organization["lago_id"], "aud": "lago-grpc"}
    assert json.loads(decoded(header)) == {"alg": "RS256"}
    assert json.loads(decoded(claims)) == named
    assert list(json.loads(decoded(claims))) == list(named)


def test_the_grpc_token_is_written_as_a_jwt_is(client: httpx.Client) -> None:
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token(client), re.ASCII)


def test_the_grpc_token_is_signed_with_the_public_keys_private_half(client: httpx.Client) -> None:
    signed, _, signature = token(client).rpartition(".")
    key = public_key(client)

    key.verify(decoded(signature), signed.encode(), PKCS1v15(), SHA256())
    with pytest.raises(InvalidSignature):
        key.verify(decoded(signature), f"{signed}x".encode(), PKCS1v15(), SHA256())


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", ["", "Bearer nobody"])
def test_a_valid_api_key_is_needed(client: httpx.Client, path: str, key: str) -> None:
    response = client.get(path, headers={"Authorization": key})

    assert response.status_code == 401
    assert response.json() == {"status": 401, "error": "Unauthorized"}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
def test_they_can_only_be_read(client: httpx.Client, verb: str, path: str) -> None:
    response = client.request(verb, path)

    expected = {"status": 404, "error": "Not Found", "code": "resource_not_found"}
    assert (response.status_code, response.json()) == (404, expected)


@pytest.mark.parametrize("path", PATHS)
def test_head_answers_like_get_without_the_body(client: httpx.Client, path: str) -> None:
    full, head = client.get(path), client.head(path)

    names = ("content-type", "content-length", "cache-control")
    assert (head.status_code, head.content) == (200, b"")
    assert [head.headers[name] for name in names] == [full.headers[name] for name in names]
