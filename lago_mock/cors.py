"""Which pages may call the API from a browser: those of the front end.

Rules: lago-api, config/initializers/cors.rb.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from lago_mock.answer import Answer, Headers
from lago_mock.request import Request

_USUAL_PORTS = (None, 80, 443)
_SHARED: Final = (
    (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE, OPTIONS, HEAD"),
    (b"access-control-expose-headers", b"x-lago-token"),
    (b"access-control-max-age", b"7200"),
)


class Cors:
    """Knows the front end by host, and by port where it is no usual one; http and https match."""

    def __init__(self, front_url: str | None) -> None:
        self._front = _place(front_url) if front_url else None

    def is_preflight(self, request: Request) -> bool:
        """Tell whether a browser asks before it calls; answered 200 whatever the path."""
        return (
            request.method == "OPTIONS"
            and b"origin" in request.headers
            and b"access-control-request-method" in request.headers
        )

    def headers(self, request: Request) -> Headers:
        """Return the headers that let the page read the answer, none for other pages."""
        origin = request.headers[b"origin"]
        if self._front is None or _place(origin.decode("latin-1")) != self._front:
            return []
        return [(b"access-control-allow-origin", origin), *_SHARED]


def preflight(cors: Cors, request: Request) -> Answer:
    """Answer a preflight: 200 without a body, with the headers when the page may call."""
    headers = list(cors.headers(request))
    asked = request.headers.get(b"access-control-request-headers")
    if headers and asked:
        headers.append((b"access-control-allow-headers", asked))
    return Answer(200, b"").with_headers(headers)


def _place(url: str) -> tuple[str | None, int | None] | None:
    """Return host and unusual port of a URL, or of a bare host; None of what is neither."""
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
        port = None if parts.port in _USUAL_PORTS else parts.port
    except ValueError:
        return None
    return parts.hostname, port
