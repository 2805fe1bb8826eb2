"""Sends one request of HTTP/1.1 and reads the answer: no redirect followed, no connection kept."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_address
from typing import Final

import httptools

from lago_mock.version import __version__
from lago_mock.webhooks.targets import Refused, Target, Targets

MAX_ANSWER: Final = 4096
"""Bytes of an answer's body that are kept; no more are waited for."""

_CHUNK: Final = 65536


class Undelivered(Exception):
    """No answer came; the text says why."""


@dataclass
class Received:
    """The status of an answer and the beginning of its body."""

    status: int = 0
    body: bytes = b""


@dataclass
class _Reading:
    """What httptools tells of an answer while it comes."""

    parser: httptools.HttpResponseParser = field(init=False)
    answer: Received = field(default_factory=Received)
    has_length: bool = False
    has_head: bool = False
    is_whole: bool = False

    def __post_init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)

    def on_header(self, name: bytes, _value: bytes) -> None:
        self.has_length |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        if not self.is_whole:
            self.answer.status = self.parser.get_status_code()
            self.has_head = self.answer.status >= 200

    def on_body(self, data: bytes) -> None:
        if not self.is_whole:
            self.answer.body = (self.answer.body + data)[:MAX_ANSWER]
            self.is_whole = len(self.answer.body) == MAX_ANSWER

    def on_message_complete(self) -> None:
        if self.has_head:  # else it was `100 Continue` or the like
            self.is_whole = True

    def feed(self, data: bytes) -> None:
        """Take in bytes; none mean that the connection was closed."""
        if data:
            self._parse(data)
        elif not self.has_head or self.has_length:
            raise Undelivered("the connection was closed before the answer was whole")
        else:
            self.is_whole = True

    def _parse(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.is_whole = True  # `101 Switching Protocols`, which nobody asked for
        except httptools.HttpParserError as error:
            if not self.is_whole:  # what stands behind a whole answer counts for nothing
                raise Undelivered(f"no answer of HTTP: {error}") from error


class Transport:
    """Posts to the targets that may be sent to.

    `timeout` is in seconds: for connecting, for sending, and for the whole answer, each.
    """

    def __init__(self, targets: Targets | None = None, timeout: float = 30) -> None:
        self._targets = targets or Targets()
        self._timeout = timeout

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Received:
        """Return the answer to a POST.

        Raises:
            Refused: the target must not be sent to; nothing was.
            Undelivered: no answer came, or none in time.
        """
        target = Target.of(url)
        async with self._in_time("connect"):
            reader, writer = await self._connect(target)
        try:
            async with self._in_time("write"):
                writer.write(_request(target, headers, body))
                await writer.drain()
            # Differs from Lago: the time-out is for the answer as a whole, there for each part.
            async with self._in_time("read"):
                return await _read(reader)
        except OSError as error:
            raise Undelivered(f"the connection broke: {error}") from error
        finally:
            writer.transport.abort()

    def _in_time(self, step: str) -> _InTime:
        return _InTime(step, self._timeout)

    async def _connect(self, target: Target) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        found = await _addresses(target)
        allowed = [each for each in found if self._targets.permits(target.host, each)]
        if not allowed:
            raise Refused(
                f"{target.host} is {found[0]}, which webhook_allow does not let webhooks go to"
            )
        context = self._tls if target.scheme == "https" else None
        failed: OSError | None = None
        for address in allowed:
            try:
                return await asyncio.open_connection(
                    address,
                    target.port,
                    ssl=context,
                    server_hostname=target.host if context else None,
                )
            except OSError as error:
                failed = error
        raise Undelivered(f"no connection to {target.authority}: {failed}") from failed

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return ssl.create_default_context()


class _InTime:
    """Lets a step take so many seconds; then it is `Undelivered`."""

    def __init__(self, step: str, seconds: float) -> None:
        self._limit = asyncio.timeout(seconds)
        self._text = f"{step} timed out after {seconds:g} s"

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(self, *error: object) -> None:
        try:
            await self._limit.__aexit__(*error)  # type: ignore[arg-type]
        except TimeoutError:
            raise Undelivered(self._text) from None


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [
        f"POST {target.path} HTTP/1.1",
        f"Host: {target.authority}",
        "Accept: */*",
        f"User-Agent: lago-mock/{__version__}",
        *(f"{name}: {value}" for name, value in headers.items()),
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _read(reader: asyncio.StreamReader) -> Received:
    reading = _Reading()
    while not reading.is_whole:
        reading.feed(await reader.read(_CHUNK))
    return reading.answer


async def _addresses(target: Target) -> list[str]:
    """Return the addresses of a host, in the order to try them."""
    with suppress(ValueError):
        return [str(ip_address(target.host))]
    loop = asyncio.get_running_loop()
    found: asyncio.Future[list[str]] = loop.create_future()

    def tell(result: list[str] | OSError) -> None:
        if found.done():
            return
        if isinstance(result, OSError):
            found.set_exception(Undelivered(f"{target.host} has no address: {result}"))
        else:
            found.set_result(result)

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
            result: list[str] | OSError = list(dict.fromkeys(str(each[4][0]) for each in infos))
        except OSError as error:
            result = error
        except UnicodeError as error:
            result = OSError(str(error))
        with suppress(RuntimeError):  # the loop is closed by now
            loop.call_soon_threadsafe(tell, result)

    # A thread that nobody waits for at the end, as they would for the loop's own.
    threading.Thread(target=look_up, name="lago-mock look-up", daemon=True).start()
    return await found
