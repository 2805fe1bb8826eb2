"""Who may steer the server: no page of a stranger in the developer's browser.

Such a page can send what a form can send, so a body must be JSON and a write must not come from
another origin; no answer has CORS headers. With an admin token only those who have it may.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from lago_mock.errors import LagoError
from lago_mock.hosts import Hosts, with_slashes
from lago_mock.redaction import TOKEN_HEADER
from lago_mock.request import Request
from lago_mock.wire import JSONObject

_OPEN: Final = ("/__admin/health", "/__admin/version")
_READS: Final = ("GET", "HEAD")
_USUAL_PORTS: Final = (":80", ":443")


class Refused(LagoError):
    """A call that is not let in; `error` says in a sentence why, and what to do."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self._status = status

    def body(self) -> JSONObject:
        """Return the body with the sentence."""
        return {"status": self._status, "error": str(self)}


@dataclass(frozen=True)
class Guard:
    """Lets admin calls in; without a `token` all that come from no stranger's page.

    Health and version are shown to those without the token too.
    """

    token: str | None = field(default=None, repr=False)
    hosts: Hosts = field(default_factory=Hosts)
    public_url: str | None = None

    def check(self, request: Request) -> None:
        """Refuse a call whose head and body are there.

        Raises:
            Refused: 403 a `Host` that is not this server's, or a write from another origin; 401 no
                admin token, or a false one; 415 a body that is not said to be JSON.
        """
        if sentence := self.hosts.refusal(request):
            raise Refused(403, sentence)
        if request.method not in (*_READS, "OPTIONS") and self._is_foreign(request):
            raise Refused(403, "A page of another origin must not steer this server.")
        is_open = request.method in _READS and request.raw_path in _OPEN
        if self.token and not is_open and not self._has_token(request):
            raise Refused(401, f"The admin token is needed in the header {TOKEN_HEADER}.")
        if request.body and _media_type(request) != "application/json":
            raise Refused(415, "A body must be JSON and say so: Content-Type: application/json.")

    def _is_foreign(self, request: Request) -> bool:
        if request.header(b"sec-fetch-site").lower() == "cross-site":
            return True
        origin = request.header(b"origin").lower()
        if not origin:
            return False
        own = {_place(request.header(b"host")), _place(self.public_url or "")} - {""}
        return _place(origin) not in own

    def _has_token(self, request: Request) -> bool:
        given = request.headers.get(TOKEN_HEADER.lower().encode(), b"")
        return hmac.compare_digest(given, (self.token or "").encode())


def _media_type(request: Request) -> str:
    return request.header(b"content-type").partition(";")[0].strip().lower()


def _place(url: str) -> str:
    """Return host and port of a URL, in lower case; its scheme may be that of a proxy before us."""
    try:
        place = urlsplit(with_slashes(url)).netloc.lower()
    except ValueError:
        return ""
    for port in _USUAL_PORTS:
        place = place.removesuffix(port)
    return place
