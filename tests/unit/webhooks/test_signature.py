from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from lago_mock.signing import Signing
from lago_mock.webhooks.signature import headers_of, spoiled

BODY = '{"a":"é\\u0026"}'


@pytest.fixture(scope="module")
def signing() -> Signing:
    kept: dict[str, Any] = {}
    return Signing(lambda: kept, kept.update)


def checked(signing: Signing, token: str) -> dict[str, Any]:
    key: Any = load_pem_public_key(base64.b64decode(signing.public_key()))
    return jwt.decode(token, key, algorithms=["RS256"])


def test_a_token_holds_the_body_as_text_and_the_issuer_in_this_order(signing: Signing) -> None:
    headers = headers_of("k", "jwt", BODY, "http://mock.test", signing, "")

    claims = checked(signing, headers.pop("X-Lago-Signature"))
    assert list(claims.items()) == [("data", BODY), ("iss", "http://mock.test")]
    assert headers == {
        "Content-Type": "application/json",
        "X-Lago-Signature-Algorithm": "jwt",
        "X-Lago-Unique-Key": "k",
    }


def test_hmac_is_over_the_bytes_of_the_body(signing: Signing) -> None:
    headers = headers_of("k", "hmac", BODY, "", signing, "sécret")

    digest = hmac.digest("sécret".encode(), BODY.encode(), hashlib.sha256)
    assert headers["X-Lago-Signature"] == base64.b64encode(digest).decode()
    assert headers["X-Lago-Signature-Algorithm"] == "hmac"


@pytest.mark.parametrize("number", range(30))
def test_a_spoiled_token_has_true_claims_and_a_false_signature(
    signing: Signing, number: int
) -> None:
    headers = headers_of("k", "jwt", f"{number}", "i", signing, "")

    token = spoiled(headers)["X-Lago-Signature"]

    assert jwt.decode(token, options={"verify_signature": False})["data"] == f"{number}"
    with pytest.raises(jwt.InvalidSignatureError):
        checked(signing, token)


@pytest.mark.parametrize("number", range(30))
def test_a_spoiled_hmac_is_another_one_of_the_same_length(signing: Signing, number: int) -> None:
    headers = headers_of("k", "hmac", f"{number}", "", signing, "key")

    before, after = (
        base64.b64decode(each["X-Lago-Signature"], validate=True)
        for each in (headers, spoiled(headers))
    )

    assert before != after
    assert len(before) == len(after) == 32
