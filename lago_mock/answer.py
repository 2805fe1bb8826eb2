"""Answers as the real server sends them: which headers go with which kind of answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from starlette.types import Scope, Send

from lago_mock.version import __version__
from lago_mock.wire import JSON, JSONObject, encode

Headers = list[tuple[bytes, bytes]]

EXTENSION = "lago_mock"
"""Name of the ASGI extension by which our own server takes a whole answer at once."""

_JSON = (b"content-type", b"application/json; charset=utf-8")

_SECURITY: Headers = [
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"x-xss-protection", b"0"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-permitted-cross-domain-policies", b"none"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
]
"""Headers of every answer that a controller of the real server makes."""

_WITHOUT_CONTENT = (204, 304)

_ALWAYS: Headers = [(b"vary", b"Origin"), (b"x-lago-mock", __version__.encode())]


class Connection(Protocol):
    """What the extension of our own server offers."""

    def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Send a whole answer; its headers are known to be sound."""


@dataclass(frozen=True)
class Answer:
    """One answer, ready to be sent."""

    status: int
    body: bytes
    headers: Headers = field(default_factory=list)

    async def send(self, scope: Scope, send: Send, request_id: str, seconds: float) -> None:
        """Send it; a HEAD request gets the same headers and no body."""
        has_content = self.status not in _WITHOUT_CONTENT
        headers = [
            *self.headers,
            *_ALWAYS,
            (b"x-request-id", request_id.encode("latin-1")),
            (b"x-runtime", b"%.6f" % seconds),
        ]
        if has_content:
            headers.append((b"content-length", b"%d" % len(self.body)))
        body = self.body if has_content and scope["method"] != "HEAD" else b""
        connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
        if connection is not None:
            connection.answer(self.status, headers, body)
            return
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def success(body: JSONObject, if_none_match: str = "") -> Answer:
    """Answer 200 with a weak `etag`, or 304 when a reading client has just that already."""
    return _fresh(encode(body), _JSON, if_none_match)


def _fresh(encoded: bytes, kind: tuple[bytes, bytes], if_none_match: str) -> Answer:
    etag = f'W/"{hashlib.sha256(encoded).hexdigest()[:32]}"'
    headers = [
        kind,
        *_SECURITY,
        (b"etag", etag.encode()),
        (b"cache-control", b"max-age=0, private, must-revalidate"),
    ]
    if if_none_match and etag in if_none_match:
        return Answer(304, b"", headers[1:])
    return Answer(200, encoded, headers)


def plain_text(text: str, if_none_match: str = "") -> Answer:
    """Answer 200 with text that is no JSON."""
    return _fresh(text.encode(), (b"content-type", b"text/plain; charset=utf-8"), if_none_match)


def html(page: str, status: int = 200) -> Answer:
    """Answer a page for people."""
    kind = (b"content-type", b"text/html; charset=utf-8")
    return Answer(status, page.encode(), [kind, *_SECURITY, (b"cache-control", b"no-store")])


def failure(body: JSONObject) -> Answer:
    """Answer an error that a controller of the real server makes; the body holds the status."""
    headers = [_JSON, *_SECURITY, (b"cache-control", b"no-cache")]
    return Answer(body["status"], encode(body), headers)


def bare(status: int, error: str, *, as_json: bool) -> Answer:
    """Answer an error from below the controllers: few headers, a body only where JSON is wanted."""
    if not as_json:
        return Answer(status, b"", [(b"content-type", b"text/html; charset=UTF-8")])
    body = encode({"status": status, "error": error})
    return Answer(status, body, [(b"content-type", b"application/json; charset=UTF-8")])


def made_up(status: int, headers: Mapping[str, str], body: JSON) -> Answer:
    """Answer what a fault says; text goes as it is, all else as JSON."""
    own = {name.lower().encode("latin-1"): v.encode("latin-1") for name, v in headers.items()}
    usual = dict([_JSON, *_SECURITY, (b"cache-control", b"no-cache")])
    data = body.encode() if isinstance(body, str) else encode(body)
    return Answer(status, data, list({**usual, **own}.items()))
