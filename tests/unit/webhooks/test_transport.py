"""Posts to sockets that answer byte for byte as a test says."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from lago_mock.version import __version__
from lago_mock.webhooks import transport as module
from lago_mock.webhooks.targets import Refused, Targets
from lago_mock.webhooks.transport import Received, Transport, Undelivered


async def exchange(
    answer: bytes | None,
    *,
    url: str = "http://127.0.0.1:{port}/in?a=b",
    timeout: float = 5,
    way: Transport | None = None,
    tls: ssl.SSLContext | None = None,
    body: bytes = b"{}",
) -> tuple[Received, bytes]:
    """Return the answer, and the request as it came; None answers nothing."""
    got = bytearray()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            got.extend(await reader.readuntil(b"\r\n\r\n"))
            got.extend(await reader.readexactly(len(body)))
            if answer is None:
                await over.wait()
            else:
                writer.write(answer)
                await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            way = way or Transport(timeout=timeout)
            received = await way.post(url.format(port=port), {"X-A": "b"}, body)
        finally:
            over.set()
    return received, bytes(got)


def run(coroutine: Coroutine[Any, Any, tuple[Received, bytes]]) -> tuple[Received, bytes]:
    return asyncio.run(coroutine)


def test_a_post_is_one_whole_request() -> None:
    answer, request = run(exchange(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok"))

    head, _, body = request.partition(b"\r\n\r\n")
    first, host, *others = head.decode().split("\r\n")
    assert first == "POST /in?a=b HTTP/1.1"
    assert host.startswith("Host: 127.0.0.1:")
    assert others == [
        "Accept: */*",
        f"User-Agent: lago-mock/{__version__}",
        "X-A: b",
        "Content-Length: 2",
        "Connection: close",
    ]
    assert body == b"{}"
    assert answer == Received(201, b"ok")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", Received(204), id="no content"),
        pytest.param(b"HTTP/1.0 200 OK\r\n\r\nuntil the end", Received(200, b"until the end"),
                     id="until the end"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            Received(200, b"abc"),
            id="chunked",
        ),
        pytest.param(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
            Received(202),
            id="after a continue",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + b"x" * 5000,
            Received(200, b"x" * 4096),
            id="cut",
        ),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
            Received(302),
            id="redirect",
        ),
        pytest.param(
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n",
            Received(101),
            id="other protocol",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
            b"HTTP/1.1 500 No\r\nContent-Length: 1\r\n\r\nx",
            Received(200, b"ok"),
            id="two answers",
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok and more",
            Received(200, b"ok"),
            id="something behind it",
        ),
    ],
)  # fmt: skip
def test_answers_are_read_as_http_says(answer: bytes, expected: Received) -> None:
    assert run(exchange(answer))[0] == expected


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "the connection was closed before the answer was whole"),
        (b"HTTP/1.1 200 OK\r\nContent-Le", "the connection was closed before the answer was whole"),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort",
            "the connection was closed before the answer was whole",
        ),
        (b"SSH-2.0-x\r\n", "no answer of HTTP: "),
    ],
)
def test_what_is_no_whole_answer_is_a_failure(answer: bytes, reason: str) -> None:
    with pytest.raises(Undelivered, match=reason):
        run(exchange(answer))


def test_silence_ends_with_the_time() -> None:
    with pytest.raises(Undelivered, match=r"^read timed out after 0\.05 s$"):
        run(exchange(None, timeout=0.05))


def test_a_receiver_that_reads_nothing_ends_the_writing_with_the_time() -> None:
    async def post() -> None:
        async def ignore(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await over.wait()
            writer.transport.abort()

        over = asyncio.Event()
        server = await asyncio.start_server(ignore, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            try:
                way = Transport(timeout=0.2)
                await way.post(f"http://127.0.0.1:{port}/", {}, bytes(64 * 2**20))
            finally:
                over.set()

    with pytest.raises(Undelivered, match=r"^write timed out after 0\.2 s$"):
        asyncio.run(post())


def test_a_broken_connection_is_a_failure() -> None:
    async def post() -> None:
        async def reset(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readexactly(1)
            writer.transport.abort()

        server = await asyncio.start_server(reset, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            await Transport().post(f"http://127.0.0.1:{port}/", {}, b"x" * 2**20)

    with pytest.raises(Undelivered, match=r"^the connection (broke|was closed)"):
        asyncio.run(post())


def test_a_name_is_looked_up_and_judged_by_its_address() -> None:
    nowhere = Transport(Targets(["192.0.2.1"]))

    with pytest.raises(Refused, match=r"^localhost is (127\.0\.0\.1|::1), which webhook_allow"):
        run(exchange(b"", url="http://localhost:{port}/", way=nowhere))


def test_a_name_with_an_address_that_nobody_listens_on_has_another() -> None:
    answer, _ = run(
        exchange(b"HTTP/1.0 200 OK\r\n\r\n", url="http://localhost:{port}/", timeout=10)
    )

    assert answer.status == 200


@pytest.mark.parametrize("host", ["nowhere.invalid", "x" * 70 + ".test"])
def test_a_name_without_an_address_is_a_failure(host: str) -> None:
    with pytest.raises(Undelivered, match=f"^{host} has no address: "):
        run(exchange(b"", url=f"http://{host}/"))


def test_a_look_up_may_outlive_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in a thread of its own, and the answer comes too late for the time-out."""
    import threading

    gate, done = threading.Event(), threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        gate.wait()
        return [(0, 0, 0, "", ("127.0.0.1", 1))]

    async def post() -> None:
        try:
            with pytest.raises(Undelivered, match=r"^connect timed out"):
                await Transport(timeout=0.05).post("http://a.test/", {}, b"")
        finally:
            gate.set()
            await asyncio.to_thread(lambda: [t.join() for t in look_ups()])
        done.set()

    def look_ups() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each.name == "lago-mock look-up"]

    monkeypatch.setattr(module.socket, "getaddrinfo", slow)
    asyncio.run(post())
    assert done.is_set()


def test_an_answer_to_a_look_up_after_the_end_of_the_loop_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import threading

    gate = threading.Event()

    def slow(*_: Any, **__: Any) -> list[Any]:
        gate.wait()
        raise OSError("too late")

    async def post() -> None:
        with pytest.raises(Undelivered):
            await Transport(timeout=0.05).post("http://a.test/", {}, b"")

    monkeypatch.setattr(module.socket, "getaddrinfo", slow)
    asyncio.run(post())
    (thread,) = (each for each in threading.enumerate() if each.name == "lago-mock look-up")
    gate.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_trusted_certificate_is_asked_for_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tool: Callable[[str], str]
) -> None:
    tool("openssl")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem"
        " -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run(command.split(), cwd=tmp_path, check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    fine = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"

    answer, _ = run(exchange(fine, url="https://localhost:{port}/", tls=tls))

    assert answer.status == 200
    with pytest.raises(Undelivered, match=r"not valid for .127\.0\.0\.1."):
        run(exchange(fine, url="https://127.0.0.1:{port}/", tls=tls))
