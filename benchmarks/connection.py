"""A kept-alive connection that sends ready requests: it costs less than what it measures."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial

PATIENCE_SECONDS = 60


class LoadError(Exception):
    """The load was not what it had to be, so its figures mean nothing."""


@dataclass(frozen=True)
class Answer:
    """An answer whose length was declared; the names of `headers` are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def milliseconds(self) -> float:
        """Return how long the server says that it took."""
        return float(self.headers["x-runtime"]) * 1000


class Connection:
    """One connection to a server on this machine, opened anew where the server closes it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        if self._socket:
            self._socket.close()
        self._socket = None

    def send(self, request: bytes) -> None:
        """Send a request; the answer is left to `receive`."""
        if self._socket is None:
            address = ("127.0.0.1", self._port)
            self._socket = socket.create_connection(address, PATIENCE_SECONDS)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(request)

    def receive(self) -> Answer:
        """Return the answer to the request sent last.

        Raises:
            LoadError: the connection ended before the answer did.
        """
        assert self._socket is not None, "a request was sent before"
        answer = read_answer(partial(self._socket.recv, 65536))
        if answer.headers.get("connection", "").lower() == "close":
            self._close()
        return answer

    def answer(self, request: bytes) -> Answer:
        """Return the answer to a request.

        Raises:
            LoadError: its status is not 200, or the connection broke.
        """
        self.send(request)
        return accepted(self.receive())


def accepted(answer: Answer) -> Answer:
    """Return the answer.

    Raises:
        LoadError: its status is not 200.
    """
    if answer.status != 200:
        raise LoadError(f"a request was refused: {answer.status} {answer.body[:500]!r}")
    return answer


def request(method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a whole request, ready to be sent."""
    length = {"Content-Length": str(len(body))} if body else {}
    sent = {"Host": "127.0.0.1", **headers, **length}
    lines = (f"{name}: {value}" for name, value in sent.items())
    head = "\r\n".join([f"{method} {path} HTTP/1.1", *lines])
    return f"{head}\r\n\r\n".encode() + body


def read_answer(receive: Callable[[], bytes]) -> Answer:
    """Return the answer that comes in parts; an empty part is the end of the connection.

    Raises:
        LoadError: that end came before the answer was whole.
    """

    def more() -> bytes:
        part = receive()
        if not part:
            raise LoadError("the server closed the connection before its answer was whole")
        return part

    text = b""
    while b"\r\n\r\n" not in text:
        text += more()
    head, _, body = text.partition(b"\r\n\r\n")
    status, headers = parse_head(head)
    while len(body) < int(headers.get("content-length", "0")):
        body += more()
    return Answer(status, headers, body)


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Return status and headers of an answer."""
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in lines)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in fields}


@contextmanager
def connections(port: int, count: int) -> Iterator[list[Connection]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Connection(port)) for _ in range(count)]


def ask_at_once(over: Sequence[Connection], requests: Iterable[bytes]) -> None:
    """Send one request over each connection, and wait for all answers.

    Raises:
        LoadError: one was refused.
    """
    used = []
    for connection, each in zip(over, requests, strict=False):
        connection.send(each)
        used.append(connection)
    for connection in used:
        accepted(connection.receive())


def longest_wait(connection: Connection, ready: bytes, seconds: float) -> float:
    """Return the longest that an answer took, in milliseconds, of requests sent back to back."""
    longest = 0.0
    end = time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        connection.answer(ready)
        longest = max(longest, time.perf_counter() - began)
    return longest * 1000
