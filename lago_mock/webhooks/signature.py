"""The headers of a webhook: signed by the server's key, or by the organization's HMAC key.

Rules: lago-api, app/models/webhook.rb.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from lago_mock.signing import Signing


def headers_of(
    unique_key: str, algorithm: str, body: str, issuer: str, signing: Signing, hmac_key: str
) -> dict[str, str]:
    """Return the headers that Lago sends beside the usual ones; takes milliseconds for `jwt`."""
    signature = (
        hmac_signature(body, hmac_key)
        if algorithm == "hmac"
        else signing.token({"data": body, "iss": issuer})
    )
    return {
        "Content-Type": "application/json",
        "X-Lago-Signature": signature,
        "X-Lago-Signature-Algorithm": algorithm,
        "X-Lago-Unique-Key": unique_key,
    }


def hmac_signature(body: str, key: str) -> str:
    """Return the standard Base64 of the HMAC-SHA256 of the body."""
    return base64.b64encode(hmac.new(key.encode(), body.encode(), hashlib.sha256).digest()).decode()


def spoiled(headers: dict[str, str]) -> dict[str, str]:
    """Return headers whose signature is well formed and of something else.

    Of a token the claims stay as they are, so that only a check of the signature itself finds it.
    """
    before, dot, signature = headers["X-Lago-Signature"].rpartition(".")
    # Letters of the middle: the last one of Base64 may hold bits that count for nothing.
    turned = signature[:8] + ("A" if signature[8] != "A" else "B") + signature[9:]
    return {**headers, "X-Lago-Signature": f"{before}{dot}{turned}"}
