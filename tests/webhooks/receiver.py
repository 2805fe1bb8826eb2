"""A receiver of webhooks on a socket of its own, which answers as a test says.

Imported as `tests.webhooks.receiver`.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WAIT_SECONDS = 10


@dataclass(frozen=True)
class Got:
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        return json.loads(self.body)  # type: ignore[no-any-return]

    @property
    def external_id(self) -> str:
        return str(self.json["customer"]["external_id"])


@dataclass
class Receiver:
    """Takes POSTs; `statuses` are what it answers next, 200 when there are none.

    Paths that begin with `/hang` are not answered before `let_go` is set.
    """

    url: str = ""
    got: list[Got] = field(default_factory=list)
    statuses: deque[int] = field(default_factory=deque)
    let_go: threading.Event = field(default_factory=threading.Event)
    changed: threading.Condition = field(default_factory=threading.Condition)
    open: int = 0
    most_open: int = 0

    def wait(self, count: int) -> list[Got]:
        """Return what came, once it is so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, WAIT_SECONDS), self.got
            return list(self.got)

    def take(self, got: Got) -> int:
        with self.changed:
            self.got.append(got)
            self.open += 1
            self.most_open = max(self.most_open, self.open)
            self.changed.notify_all()
            return self.statuses.popleft() if self.statuses else 200


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        names = {name.lower(): value for name, value in self.headers.items()}
        status = self.receiver.take(Got(self.path, names, body))
        if self.path.startswith("/hang"):
            self.receiver.let_go.wait()
        with self.receiver.changed:
            self.receiver.open -= 1
        answer = b"" if status == 204 else f"answered {status}".encode()
        try:
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("location", f"{self.receiver.url}/elsewhere")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
        except OSError:
            self.close_connection = True  # nobody waited for it

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Give a receiver that listens on a free port."""
    receiver = Receiver()
    handler = type("Handler", (_Handler,), {"receiver": receiver})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        thread.join()
        server.server_close()
