"""Other stand-in servers beside lago-mock, each doing the work nearest to a create and a read.

    localstripe    Stripe: a customer of three fields, kept
    moto           AWS IAM: a user, kept; it closes the connection after each answer
    Prism          our own document: the example in it, the request validated, nothing kept

They are installed for the run alone, and run with their default settings.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import SubprocessError
from urllib.parse import urlencode

from benchmarks.connection import Connection, LoadError, request
from benchmarks.customer import PATH, body, get, put
from benchmarks.environments import install, python_in, run
from benchmarks.processes import (
    LOAD_CPU,
    Running,
    ServerError,
    foreign,
    free_port,
    lago_mock,
    lago_mock_command,
    on_cpu,
)
from benchmarks.table import Row

LOCALSTRIPE = "localstripe==1.15.10"
MOTO = "moto[server,iam]==5.2.5"
PRISM = "@stoplight/prism-cli@5.16.0"

WARM_UP_REQUESTS = 50
REQUESTS = 300

LOCALSTRIPE_LAUNCHER = """
import builtins, logging, sys
from aiohttp import web
from localstripe import resources
from localstripe.server import app

resources.open = lambda _path, mode: builtins.open(sys.argv[2], mode)  # else a file in /tmp
logger = logging.getLogger("aiohttp.access")
logger.setLevel(logging.DEBUG)
logger.addHandler(logging.StreamHandler())
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), access_log=logger)  # else all addresses
"""
"""Its own `start`, but for the address and the file that it writes."""


@dataclass(frozen=True)
class Work:
    """What is asked of a server: the create of a number, and the read of what that answered."""

    create: Callable[[int], bytes]
    read: Callable[[int, bytes], bytes]


@dataclass(frozen=True)
class Peer:
    """A server to compare with; `prepare` installs it into a folder.

    `command` is what runs it from there, on a port.
    """

    name: str
    prepare: Callable[[Path], None]
    command: Callable[[Path, int], Sequence[str]]
    work: Work


@dataclass(frozen=True)
class Taken:
    """What one round found: start in seconds, memory in MiB, CPU time in µs, waits in ms."""

    start: float
    memory: float
    create_cpu: float
    create: float
    read_cpu: float
    read: float


FIGURES: Mapping[str, tuple[str, Callable[[Taken], float]]] = {
    "start until it listens": ("s", lambda taken: taken.start),
    "memory after start": ("MiB", lambda taken: taken.memory),
    "create: CPU": ("µs", lambda taken: taken.create_cpu),
    "create: p50": ("ms", lambda taken: taken.create),
    "read: CPU": ("µs", lambda taken: taken.read_cpu),
    "read: p50": ("ms", lambda taken: taken.read),
}


def peer_rows(folder: Path, rounds: int) -> list[Row]:
    """Measure each peer and lago-mock in turn; what cannot be measured is told in one line."""
    rows = []
    for peer in PEERS:
        try:
            place = folder / peer.name.partition(" ")[0]
            place.mkdir()
            print(f"installing {peer.name} for this run", file=sys.stderr)
            peer.prepare(place)
            rows += _against(peer, place, rounds)
        except (OSError, SubprocessError, ServerError, LoadError) as error:
            print(f"not measured: {peer.name}: {error}", file=sys.stderr)
    return rows


def _against(peer: Peer, place: Path, rounds: int) -> list[Row]:
    theirs, ours = [], []
    for _ in range(rounds):
        theirs.append(_round(_started(peer, place), peer.work))
        with tempfile.TemporaryDirectory() as folder:
            ours.append(_round(_ours(Path(folder)), OUR_WORK))
    return [
        Row(
            f"{peer.name}, {what}", unit, list(map(of, theirs)), list(map(of, ours)), "left / right"
        )
        for what, (unit, of) in FIGURES.items()
    ]


@contextmanager
def _started(peer: Peer, place: Path) -> Iterator[Running]:
    port = free_port()
    with foreign(place, port, peer.command(place, port)) as running:
        yield running


def _ours(folder: Path) -> AbstractContextManager[Running]:
    return lago_mock(folder, "--db", str(folder / "store.json"))


def _round(start: AbstractContextManager[Running], work: Work) -> Taken:
    with start as server, on_cpu(LOAD_CPU), Connection(server.port) as connection:
        memory = server.memory_kib() / 1024
        answer = connection.answer(work.create(0)).body
        creates = [work.create(1 + number) for number in range(WARM_UP_REQUESTS + REQUESTS)]
        reads = [work.read(0, answer)] * len(creates)
        create_cpu, create = _timed(server, connection, creates)
        read_cpu, read = _timed(server, connection, reads)
    return Taken(server.seconds, memory, create_cpu, create, read_cpu, read)


def _timed(
    server: Running, connection: Connection, requests: Sequence[bytes]
) -> tuple[float, float]:
    """Return CPU time in µs for each request, and the median wait in ms; the first ones warm up."""
    for each in requests[:WARM_UP_REQUESTS]:
        connection.answer(each)
    before, waits = server.cpu_seconds_at_rest(), []
    for each in requests[WARM_UP_REQUESTS:]:
        began = time.perf_counter()
        connection.answer(each)
        waits.append(time.perf_counter() - began)
    spent = server.cpu_seconds_at_rest() - before
    return spent / len(waits) * 1e6, median(waits) * 1000


OUR_WORK = Work(
    create=lambda number: put(f"peer-{number:09d}"),
    read=lambda number, _answer: get(f"peer-{number:09d}"),
)


def _form(path: str, authorization: str, **fields: str) -> bytes:
    headers = {
        "Authorization": authorization,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    return request("POST", path, headers, urlencode(fields).encode())


STRIPE_KEY = "Bearer sk_test_bench"


def stripe_customer(number: int) -> bytes:
    """Return the create of a Stripe customer; the server chooses its id."""
    customer = body()["customer"]
    fields = {key: customer[key] for key in ("name", "email", "phone")}
    return _form("/v1/customers", STRIPE_KEY, **fields, description=str(number))


def read_stripe_customer(_number: int, created: bytes) -> bytes:
    """Return the read of the customer that an answer shows."""
    path = f"/v1/customers/{json.loads(created)['id']}"
    return request("GET", path, {"Authorization": STRIPE_KEY})


IAM_SIGNED = (
    "AWS4-HMAC-SHA256 Credential=bench/20260101/us-east-1/iam/aws4_request, "
    "SignedHeaders=host, Signature=0"
)


def iam(action: str, number: int) -> bytes:
    """Return a call of AWS IAM; the server knows the service by what the call is signed for."""
    user = f"bench-{number}"
    return _form("/", IAM_SIGNED, Action=action, Version="2010-05-08", UserName=user)


def _install_prism(place: Path) -> None:
    run(["npm", "install", "--no-fund", "--no-audit", "--prefix", str(place), PRISM])
    with (place / "openapi.json").open("w") as document:
        subprocess.run([lago_mock_command(), "openapi"], stdout=document, check=True, timeout=60)


def _prism_command(place: Path, port: int) -> Sequence[str]:
    prism = str(place / "node_modules" / ".bin" / "prism")
    return ["node", prism, "mock", str(place / "openapi.json"), "--port", str(port)]


def prism_path(request_of_ours: bytes) -> bytes:
    """Return our request as Prism takes it: it serves the paths without the base of the server."""
    return request_of_ours.replace(PATH.encode(), PATH.removeprefix("/api/v1").encode(), 1)


PEERS = (
    Peer(
        "localstripe 1.15.10",
        lambda place: install(place, [LOCALSTRIPE]),
        lambda place, port: [
            str(python_in(place)),
            "-c",
            LOCALSTRIPE_LAUNCHER,
            str(port),
            str(place / "store.pickle"),
        ],
        Work(stripe_customer, read_stripe_customer),
    ),
    Peer(
        "moto 5.2.5",
        lambda place: install(place, [MOTO]),
        lambda place, port: [
            str(place / "bin" / "moto_server"),
            *("-H", "127.0.0.1", "-p", str(port)),
        ],
        Work(
            lambda number: iam("CreateUser", number),
            lambda number, _answer: iam("GetUser", number),
        ),
    ),
    Peer(
        "Prism 5.16.0",
        _install_prism,
        _prism_command,
        Work(
            lambda number: prism_path(OUR_WORK.create(number)),
            lambda number, answer: prism_path(OUR_WORK.read(number, answer)),
        ),
    ),
)
