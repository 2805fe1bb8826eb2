"""Talks to the admin API of a running server; needs the standard library alone."""

from __future__ import annotations

import copy
import json
import os
import ssl
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import SplitResult, quote, urlencode, urlsplit

from lago_mock.redaction import TOKEN_HEADER
from lago_mock.wire import JSONObject

PREFIX: Final = "/__admin"


class AdminError(Exception):
    """An admin call that was refused, or found no server; the text says what and why.

    `status` and `body` are the answer's; None and empty where there was none.
    """

    def __init__(self, text: str, status: int | None = None, body: Any = None) -> None:
        super().__init__(text)
        self.status = status
        self.body: JSONObject = body if isinstance(body, dict) else {}


class AdminClient:
    """The admin API of the server at a URL.

    With an API key calls act on that key's organization, without it on the whole server.
    `timeout` is in seconds; a call that waits on the server may take as much longer. `certificate`
    is the file of the server's own, which is then believed whoever has signed it.
    """

    def __init__(
        self,
        url: str,
        api_key: str | None = None,
        token: str | None = None,
        timeout: float = 10.0,
        certificate: str | None = None,
    ) -> None:
        parts = _parts_of(url)
        self.url = f"{parts.scheme}://{parts.netloc}"
        place = (parts.hostname or "", parts.port)
        connect: Callable[[], HTTPConnection] = partial(HTTPConnection, *place)
        if parts.scheme == "https":
            connect = partial(_secured, *place, certificate)
        self._connections = _Connections(connect)
        self._api_key = api_key
        self._token = token
        self._timeout = timeout

    def for_organization(self, api_key: str | None) -> AdminClient:
        """Return a client of the same server that acts on another organization."""
        client = copy.copy(self)  # with the same connections
        client._api_key = api_key
        return client

    def get(self, path: str, wait: float = 0.0, **query: Any) -> JSONObject:
        """Read what stands at a path below `/__admin`; a query of None is not sent."""
        given = {name: value for name, value in query.items() if value is not None}
        return self.call("GET", f"{path}?{urlencode(given)}" if given else path, None, wait)

    def post(self, path: str, body: JSONObject | None = None, wait: float = 0.0) -> JSONObject:
        """Send an object; `wait` says how many seconds the server may take to find its answer."""
        return self.call("POST", path, body, wait)

    def call(
        self, method: str, path: str, body: JSONObject | None = None, wait: float = 0.0
    ) -> JSONObject:
        """Make one call; returns the answer's object.

        Raises:
            AdminError: the server refused it, or there is none.
        """
        with self._answered(method, path, body, wait) as response:
            answer = self._decoded(response.read())
            if response.status >= 300:
                text = _explained(f"{method} {PREFIX}{path}", response.status, answer)
                raise AdminError(text, response.status, answer)
        return answer

    def _decoded(self, content: bytes) -> JSONObject:
        try:
            answer = json.loads(content)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise self.stranger()
        return answer

    def stranger(self) -> AdminError:
        """Return the error of a server that answers in a way that ours does not."""
        return AdminError(f"{self.url} does not answer as lago-mock does; is it one?")

    def events(self, after: str | None = None) -> Iterator[JSONObject | int]:
        """Yield each request of `GET /events` as it is answered, until the server ends.

        With an id, first those that were answered after that one and are kept; "0" is before all.
        A number says that so many were dropped, as they were taken too slowly.

        Raises:
            AdminError: the server refused it, or there is none.
        """
        last = {} if after is None else {"Last-Event-ID": after}
        with self._answered("GET", "/events", None, wait=60.0, headers=last) as response:
            if response.status != 200:
                answer = self._decoded(response.read())
                raise AdminError(_explained("GET /events", response.status, answer))
            for line in response:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    @contextmanager
    def _answered(
        self,
        method: str,
        path: str,
        body: JSONObject | None,
        wait: float,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> Iterator[HTTPResponse]:
        content = None if body is None else json.dumps(body).encode()
        request = (method, PREFIX + path, content, {**dict(self._headers()), **headers})
        try:
            with self._connections.answer(request, self._timeout + wait) as response:
                yield response
        except (OSError, HTTPException) as error:
            running = "; is it running?" if isinstance(error, ConnectionRefusedError) else ""
            raise AdminError(f"no answer from lago-mock at {self.url}: {error}{running}") from error

    def _headers(self) -> Iterator[tuple[str, str]]:
        yield "Content-Type", "application/json"
        if self._api_key:
            yield "Authorization", f"Bearer {_sendable(self._api_key, 'API key')}"
        if self._token:
            yield TOKEN_HEADER, _sendable(self._token, "admin token")


def _secured(host: str, port: int | None, certificate: str | None) -> HTTPSConnection:
    """Return a connection to a server whose certificate is at hand, or signed by one we trust."""
    if certificate is None:
        return HTTPSConnection(host, port)
    known = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    known.check_hostname = False  # it may be for a name that others call the server by
    known.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    known.load_verify_locations(certificate)
    return HTTPSConnection(host, port, context=known)


def _sendable(secret: str, name: str) -> str:
    if not secret.isprintable() or max(secret) > "\xff":
        raise AdminError(f"the {name} has a character that no header can carry")
    return secret


def _parts_of(url: str) -> SplitResult:
    with suppress(ValueError):  # of the port, of an IPv6 address, of a name that cannot be
        parts = urlsplit(url if "//" in url else f"//{url}", scheme="http")
        host = (parts.hostname or "").encode("idna")
        if parts.scheme in ("http", "https") and host and parts.port != 0:
            return parts
    raise AdminError(f"{url!r} is no URL of a server; give one like http://127.0.0.1:3000")


class _Connections:
    """Connections to a server that stay open between calls, each of one call at a time.

    They halve what a call costs; a test without a call of its own makes two.
    """

    def __init__(self, connect: Callable[[], HTTPConnection]) -> None:
        self._connect = connect
        self._idle: list[tuple[int, HTTPConnection]] = []
        weakref.finalize(self, _close, self._idle)

    @contextmanager
    def answer(self, request: tuple[Any, ...], seconds: float) -> Iterator[HTTPResponse]:
        """Give the answer to a request; its connection stays open if it is read to its end."""
        connection, response = self._asked(request, seconds)
        try:
            yield response
        finally:
            if response.isclosed():
                self._idle.append((os.getpid(), connection))
            else:
                connection.close()

    def _asked(
        self, request: tuple[Any, ...], seconds: float
    ) -> tuple[HTTPConnection, HTTPResponse]:
        """Ask over a connection that is open, or a new one where the server has closed those."""
        while kept := self._kept():
            with suppress(ConnectionError):
                return kept, _ask(kept, request, seconds)
        connection = self._connect()
        return connection, _ask(connection, request, seconds)

    def _kept(self) -> HTTPConnection | None:
        with suppress(IndexError):
            while True:
                process, connection = self._idle.pop()
                if process == os.getpid():
                    return connection
                connection.close()  # a fork has it too, and may be using it
        return None


def _ask(connection: HTTPConnection, request: tuple[Any, ...], seconds: float) -> HTTPResponse:
    if connection.timeout != seconds:
        connection.timeout = seconds
        if connection.sock:
            connection.sock.settimeout(seconds)
    try:
        connection.request(*request)
        return connection.getresponse()
    except BaseException:
        connection.close()
        raise


def _close(idle: list[tuple[int, HTTPConnection]]) -> None:
    for _, connection in idle:
        connection.close()


def _explained(call: str, status: int, answer: Mapping[str, Any]) -> str:
    """Return a refusal as a sentence, with every field that is wrong."""
    details = answer.get("error_details")
    if isinstance(details, dict):
        reasons = "; ".join(
            f"{field}: {', '.join(map(str, texts))}" for field, texts in details.items()
        )
    else:
        reasons = str(answer.get("code", answer.get("error", "")))
        if reasons == "Unauthorized":
            reasons += ": no organization has this key (any more)"
        if known := answer.get("known"):
            reasons += f"; there are {', '.join(map(str, known))}"
    return f"{call} was answered {status}: {reasons}"


def segment(name: str) -> str:
    """Return a name as one segment of a path."""
    return quote(name, safe="")
