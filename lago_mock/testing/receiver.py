"""Receives webhooks in the process of a test, and tells whether Lago has signed them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from lago_mock.client import AdminClient
from lago_mock.wire import JSONObject

LOOPBACK: Final = "127.0.0.1"

_POLL_SECONDS: Final = 0.01

_LONGEST_WAIT: Final = 60.0
"""Seconds that one call may wait in the server."""


@dataclass(frozen=True)
class Webhook:
    """One webhook as it was received; `headers` have lower-case names, `body` is as it came."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def content(self) -> JSONObject:
        """The body's JSON: `webhook_type`, `object_type`, `organization_id`, and the object."""
        content: JSONObject = json.loads(self.body)
        return content

    @property
    def type(self) -> str:
        """Its `webhook_type`."""
        return str(self.content["webhook_type"])

    @property
    def object(self) -> JSONObject:
        """What it tells of."""
        content = self.content
        told: JSONObject = content[content["object_type"]]
        return told


Handler = Callable[[Webhook], object]


class Receiver:
    """A webhook endpoint on a free port of this machine, which hands each webhook to a callable.

    What that returns counts for nothing; when it raises, the answer is 500 and says so, and the
    server tries again. The callable runs in another thread. As a context manager it ends with its
    block. `host` is what the server calls this machine; by another name than the usual one it is
    heard on all addresses.
    """

    def __init__(self, handler: Handler, host: str = LOOPBACK) -> None:
        bound = LOOPBACK if host == LOOPBACK else ""
        server = ThreadingHTTPServer((bound, 0), _answering(handler))
        self.url = f"http://{host}:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, args=(_POLL_SECONDS,), daemon=True)
        thread.start()
        self._ends = ExitStack()
        for end in (server.server_close, thread.join, server.shutdown):
            self._ends.callback(end)

    def before_close(self, call: Callable[[], object]) -> None:
        """Have something done while webhooks are still taken; it ends even if that fails."""
        self._ends.callback(call)

    def close(self) -> None:
        """Take no more webhooks."""
        self._ends.close()

    def __enter__(self) -> Receiver:
        """Return it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def _answering(handler: Handler) -> type[BaseHTTPRequestHandler]:
    class Answering(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, answer = 200, b""
            try:
                handler(Webhook(headers, body))
            except Exception as error:
                status, answer = 500, f"{type(error).__name__}: {error}".encode(errors="replace")
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            """Be silent."""

    return Answering


class SignatureError(ValueError):
    """A webhook that was not signed by this Lago; the text says what is wrong."""


def verified(headers: Mapping[str, str], body: bytes, admin: AdminClient) -> JSONObject:
    """Return the content of a webhook whose signature is right; names of headers in any case.

    Raises:
        SignatureError: a header is missing, or the signature is not of this body or of this Lago.
    """
    given = {name.lower(): value for name, value in headers.items()}
    for name in ("x-lago-signature", "x-lago-signature-algorithm", "x-lago-unique-key"):
        if not given.get(name):
            raise SignatureError(f"the header {name} is missing")
    algorithm, signature = given["x-lago-signature-algorithm"], given["x-lago-signature"]
    if algorithm == "hmac":
        _check_hmac(signature, body, admin)
    elif algorithm == "jwt":
        _check_token(signature, body, admin)
    else:
        raise SignatureError(f"there is no algorithm {algorithm!r}, but jwt and hmac")
    content: JSONObject = json.loads(body)
    return content


def _check_hmac(signature: str, body: bytes, admin: AdminClient) -> None:
    (organization,) = admin.get("/organizations")["organizations"]
    digest = hmac.new(organization["hmac_key"].encode(), body, hashlib.sha256).digest()
    if not hmac.compare_digest(base64.b64encode(digest), signature.encode()):
        raise SignatureError("the HMAC is of another body, or made with another hmac_key")


def _check_token(signature: str, body: bytes, admin: AdminClient) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    signed, _, last = signature.rpartition(".")
    try:
        header, claims = (_object(part) for part in signed.split("."))
        proof = _decoded(last)
    except ValueError as error:
        raise SignatureError(f"the signature is no JSON Web Token: {error}") from error
    if header.get("alg") != "RS256":
        raise SignatureError(f"the token is signed with {header.get('alg')!r}, not RS256")
    shown = admin.post("/operations/fetchJsonPublicKey")["webhook"]["public_key"]
    key = load_pem_public_key(base64.b64decode(shown))
    assert isinstance(key, RSAPublicKey), "Lago has RSA keys"
    try:
        key.verify(proof, signed.encode(), PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise SignatureError("the token is not signed with this server's key") from error
    if claims.get("data") != body.decode(errors="replace"):
        raise SignatureError("the token is of another body")


def _object(part: str) -> JSONObject:
    value = json.loads(_decoded(part))
    if not isinstance(value, dict):
        raise ValueError(f"{part[:20]!r} is no object")
    return value


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError(f"{part[:20]!r} is no Base64") from error


def waited(
    admin: AdminClient, words: Mapping[str, Any], times: int, timeout: float
) -> list[JSONObject]:
    """Return the deliveries that match as soon as there are so many.

    Raises:
        AssertionError: there were fewer after `timeout` seconds; the text says which there were.
    """
    end, left = time.monotonic() + timeout, timeout
    found: list[JSONObject] = []
    while left >= 0:
        wait = min(left, _LONGEST_WAIT)
        query = {**words, "count": times, "timeout_ms": round(wait * 1000)}
        found = admin.get("/webhooks", wait, **query)["webhooks"]
        if len(found) >= times:
            return found
        left = end - time.monotonic()
    seen = admin.get("/webhooks")["webhooks"]
    lines = [_told(each) for each in seen] or ["none"]
    wanted = ", ".join(f"{name} {value}" for name, value in words.items() if value is not None)
    text = f"{len(found)} webhooks with {wanted or 'anything'} came in {timeout:g} s, not {times}"
    raise AssertionError("\n  ".join([f"{text}; there were:", *lines]))


def _told(delivery: JSONObject) -> str:
    why = delivery["reason"]
    if not why and delivery["state"] != "succeeded" and delivery["attempts"]:
        last = delivery["attempts"][-1]
        why = last["error"] or f"{last['status']} {last['answer']}".strip()
    url = delivery["endpoint"]["webhook_url"]
    return f"{delivery['type']} to {url}: {delivery['state']}{f' ({why})' if why else ''}"
