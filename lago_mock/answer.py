"""Answers as the real server sends them: which headers go with which kind of answer."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from starlette.types import Scope, Send

from lago_mock.version import __version__
from lago_mock.wire import JSON, JSONObject, encode

Headers = list[tuple[bytes, bytes]]

EXTENSION = "lago_mock"
"""Name of the ASGI extension by which our own server takes a whole answer at once."""

_JSON = b"content-type: application/json; charset=utf-8\r\n"

_SECURITY = (
    b"x-frame-options: SAMEORIGIN\r\n"
    b"x-xss-protection: 0\r\n"
    b"x-content-type-options: nosniff\r\n"
    b"x-permitted-cross-domain-policies: none\r\n"
    b"referrer-policy: strict-origin-when-cross-origin\r\n"
)
"""Headers of every answer that a controller of the real server makes."""

_NO_CACHE = b"cache-control: no-cache\r\n"
_REVALIDATE = b"cache-control: max-age=0, private, must-revalidate\r\n"

_WITHOUT_CONTENT = (204, 304)

_ALWAYS = b"vary: Origin\r\nx-lago-mock: %b\r\n" % __version__.encode()


class ConnectionBroken(ConnectionError):
    """The connection breaks in place of an answer, in the way that `kind` names.

    `EMPTY_RESPONSE` closes it, `CONNECTION_RESET_BY_PEER` resets it, `MALFORMED_RESPONSE_CHUNK`
    closes it inside an answer that began well, `RANDOM_DATA_THEN_CLOSE` sends what is no HTTP.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(f"the connection breaks: {kind}")
        self.kind = kind


class Connection(Protocol):
    """What the extension of our own server offers."""

    def break_off(self, kind: str) -> None:
        """Break the connection in the way named."""

    def answer(self, status: int, head: bytes, body: bytes) -> None:
        """Send a whole answer; the lines of its headers are known to be sound."""


class Answer(NamedTuple):
    """One answer, ready to be sent; `head` are the lines of its headers, as they are sent."""

    status: int
    body: bytes
    head: bytes = b""

    def with_headers(self, headers: Headers) -> Answer:
        """Return the answer with further headers."""
        return Answer(self.status, self.body, self.head + lines_of(headers))

    async def send(self, scope: Scope, send: Send, request_id: str, seconds: float) -> None:
        """Send it; a HEAD request gets the same headers and no body."""
        has_content = self.status not in _WITHOUT_CONTENT
        trace = request_id.encode("latin-1")
        head = b"%b%bx-request-id: %b\r\nx-runtime: %.6f\r\n" % (self.head, _ALWAYS, trace, seconds)
        if has_content:
            head += b"content-length: %d\r\n" % len(self.body)
        body = self.body if has_content and scope["method"] != "HEAD" else b""
        connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
        if connection is not None:
            connection.answer(self.status, head, body)
            return
        headers = headers_in(head)
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def break_off(scope: Scope, broken: ConnectionBroken) -> None:
    """Break the connection of a request.

    Raises:
        ConnectionBroken: there is no connection of ours, as where a client calls the application
            itself: the error is the client's.
    """
    connection: Connection | None = scope.get("extensions", {}).get(EXTENSION)
    if connection is None:
        raise broken
    connection.break_off(broken.kind)


def lines_of(headers: Headers) -> bytes:
    """Return headers as lines of a head."""
    return b"".join([b"%b: %b\r\n" % header for header in headers])


def text_header(name: bytes, text: str) -> tuple[bytes, bytes]:
    """Return a header of text for people, as a header may carry it: ASCII, 512 bytes at most."""
    return name, printable(text).encode("ascii", "backslashreplace")[:512]


def printable(text: str) -> str:
    r"""Return text in which what cannot be printed is written as `\u000a`."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def headers_in(head: bytes) -> Headers:
    """Return the headers that lines of a head hold."""
    split = (line.partition(b": ") for line in head.split(b"\r\n")[:-1])
    return [(name, value) for name, _, value in split]


def success(body: JSONObject, if_none_match: str = "") -> Answer:
    """Answer 200 with a weak `etag`, or 304 when a reading client has just that already."""
    return _fresh(encode(body), _JSON, if_none_match)


def _fresh(encoded: bytes, kind: bytes, if_none_match: str) -> Answer:
    etag = f'W/"{hashlib.sha256(encoded).hexdigest()[:32]}"'
    head = b"%betag: %b\r\n%b" % (_SECURITY, etag.encode(), _REVALIDATE)
    if if_none_match and etag in if_none_match:
        return Answer(304, b"", head)
    return Answer(200, encoded, kind + head)


def plain_text(text: str, if_none_match: str = "") -> Answer:
    """Answer 200 with text that is no JSON."""
    return _fresh(text.encode(), b"content-type: text/plain; charset=utf-8\r\n", if_none_match)


def html(page: str, status: int = 200) -> Answer:
    """Answer a page for people."""
    kind = b"content-type: text/html; charset=utf-8\r\n"
    return Answer(status, page.encode(), b"%b%bcache-control: no-store\r\n" % (kind, _SECURITY))


def failure(body: JSONObject) -> Answer:
    """Answer an error that a controller of the real server makes; the body holds the status."""
    return Answer(body["status"], encode(body), _JSON + _SECURITY + _NO_CACHE)


def bare(status: int, error: str, *, as_json: bool) -> Answer:
    """Answer an error from below the controllers: few headers, a body only where JSON is wanted."""
    if not as_json:
        return Answer(status, b"", b"content-type: text/html; charset=UTF-8\r\n")
    body = encode({"status": status, "error": error})
    return Answer(status, body, b"content-type: application/json; charset=UTF-8\r\n")


def made_up(status: int, headers: Mapping[str, str], body: JSON) -> Answer:
    """Answer what a fault says; text goes as it is, all else as JSON."""
    own = {name.lower().encode("latin-1"): v.encode("latin-1") for name, v in headers.items()}
    usual = dict(headers_in(_JSON + _SECURITY + _NO_CACHE))
    data = body.encode() if isinstance(body, str) else encode(body)
    return Answer(status, data, lines_of(list({**usual, **own}.items())))
