"""Loads on bare Starlette and on lago-mock in turn: CPU time a request, throughput, latencies."""

from __future__ import annotations

import json
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.connection import Connection, request
from benchmarks.customer import body, create, subscribe
from benchmarks.processes import Running, bare, lago_mock
from benchmarks.table import Row
from benchmarks.wrk import Load, create_many, read_one

WARM_UP_SECONDS = 1
ARMED = (1, 100)
"""How many faults stand armed that a request must be held against and does not meet."""

Start = Callable[[Path], AbstractContextManager[Running]]
Put = Callable[[int, int, str], Load]


@dataclass(frozen=True)
class Measured:
    """A load, and the microseconds of CPU time that the server took for each request."""

    load: Load
    cpu: float


Rounds = Mapping[str, Sequence[Measured]]


def _ours(*flags: str) -> Start:
    """Return a start of lago-mock with a store in a file and the customer that is read."""

    @contextmanager
    def start(folder: Path) -> Iterator[Running]:
        with lago_mock(folder, "--db", str(folder / "store.json"), *flags) as server:
            create(server.port, 1)
            yield server

    return start


def _with_faults(count: int) -> Start:
    @contextmanager
    def start(folder: Path) -> Iterator[Running]:
        with _ours()(folder) as server, Connection(server.port) as connection:
            connection.answer(_faults(count))
            yield server

    return start


def _faults(count: int) -> bytes:
    """Return the request that arms so many faults."""
    faults = [{"operation": "*", "path": "/api/v1/taxes", "status": 503}] * count
    content = json.dumps({"faults": faults}).encode()
    return request("PUT", "/__admin/faults", {"Content-Type": "application/json"}, content)


def _bare(*arguments: str) -> Start:
    def start(folder: Path) -> AbstractContextManager[Running]:
        return bare(folder, *arguments)

    return start


def get_rounds(folder: Path, rounds: int, seconds: int) -> Rounds:
    """Measure reads of one customer."""
    return _rounds(_starts(_bare("get", _customer(folder))), read_one, rounds, seconds)


def _customer(folder: Path) -> str:
    """Return the path of a file with a customer as lago-mock answers it."""
    customer = folder / "customer.json"
    with lago_mock(folder) as server:
        customer.write_bytes(create(server.port, 1))
    return str(customer)


def create_rounds(folder: Path, rounds: int, seconds: int) -> Rounds:
    """Measure creates, each of a new customer."""
    starts = {
        **_starts(_bare("create")),
        "in memory": _ours("--db", ":memory:"),
        "library calls": _bare("calls", _customer(folder)),
    }
    return _rounds(starts, _creates(folder), rounds, seconds)


def hanging_rounds(folder: Path, rounds: int, seconds: int) -> Rounds:
    """Measure creates that nobody is told of, and that are told to one who never answers."""
    starts = {"quiet": _ours(), "hanging": _hanging}
    return _rounds(starts, _creates(folder), rounds, seconds)


@contextmanager
def _hanging(folder: Path) -> Iterator[Running]:
    """Start lago-mock with a webhook endpoint that is connected to and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent, _ours()(folder) as server:
        subscribe(server.port, f"http://127.0.0.1:{silent.getsockname()[1]}/")
        yield server


def _creates(folder: Path) -> Put:
    body_file = folder / "body.json"
    body_file.write_text(json.dumps(body()))

    def put(port: int, seconds: int, run: str) -> Load:
        return create_many(port, seconds, run, body_file)

    return put


def _starts(bare_start: Start) -> dict[str, Start]:
    return {
        "bare": bare_start,
        "lago-mock": _ours(),
        "constant": _bare("constant"),
        "log lines": _ours("--log-level", "info"),
        "no journal": _ours("--journal-size", "0"),
        **{f"{count} faults": _with_faults(count) for count in ARMED},
    }


def _rounds(starts: Mapping[str, Start], put: Put, rounds: int, seconds: int) -> Rounds:
    """Measure all in turn, forwards and backwards, so that a drift of the machine evens out."""
    found: dict[str, list[Measured]] = {name: [] for name in starts}
    for number in range(rounds):
        names = list(starts)
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(_measure(starts[name], put, seconds))
    return found


def _measure(start: Start, put: Put, seconds: int) -> Measured:
    """Load a fresh server, first to warm it, then for the figures."""
    with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as server:
        put(server.port, WARM_UP_SECONDS, "w")
        before = server.cpu_seconds()
        load = put(server.port, seconds, "m")
        spent = server.cpu_seconds() - before
    return Measured(load, spent / load.requests * 1e6)


def comparison(title: str, rounds: Rounds, cpu_goal: str, rate_goal: str) -> list[Row]:
    """Return the rows of one operation against bare Starlette."""
    bare, ours, constant = rounds["bare"], rounds["lago-mock"], rounds["constant"]

    def against_constant(name: str, unit: str, figure: Callable[[Load], float]) -> Row:
        left, right = ([figure(each.load) for each in side] for side in (constant, ours))
        return Row(f"{title}: {name}, bare: constant", unit, left, right, "right / left")

    left, right = ([each.load.p99 for each in side] for side in (bare, ours))
    return [
        Row(f"{title}: CPU", "µs", _cpu(bare), _cpu(ours), "left / right", cpu_goal),
        Row(f"{title}: p99", "ms", left, right, "right / left", "≤ 3"),
        replace(against_constant("requests", "1/s", lambda load: load.rate), goal=rate_goal),
        against_constant("p50", "ms", lambda load: load.p50),
        against_constant("p99", "ms", lambda load: load.p99),
    ]


def library_calls(title: str, rounds: Rounds) -> list[Row]:
    """Return the row of what the libraries alone take of an operation, in a bare route."""
    bare, calls = _cpu(rounds["bare"]), _cpu(rounds["library calls"])
    return [Row(f"{title}: CPU of its library calls alone", "µs", bare, calls, "left / right")]


def costs(title: str, rounds: Rounds) -> list[Row]:
    """Return a row for what each feature costs: CPU time without it and with it."""
    ours = _cpu(rounds["lago-mock"])
    rows = [
        Row(f"{title}: log lines", "µs", ours, _cpu(rounds["log lines"]), "right / left"),
        Row(f"{title}: journal", "µs", _cpu(rounds["no journal"]), ours, "right / left"),
    ]
    for count in ARMED:
        armed = _cpu(rounds[f"{count} faults"])
        rows.append(Row(f"{title}: armed faults, {count}", "µs", ours, armed, "right / left"))
    if "in memory" in rounds:
        memory = _cpu(rounds["in memory"])
        rows.append(Row(f"{title}: durability", "µs", memory, ours, "right / left"))
    return rows


def hanging_costs(rounds: Rounds) -> list[Row]:
    """Return what a webhook endpoint that never answers costs the creates."""
    quiet, hanging = rounds["quiet"], rounds["hanging"]

    def row(name: str, unit: str, figure: Callable[[Load], float]) -> Row:
        left, right = ([figure(each.load) for each in side] for side in (quiet, hanging))
        return Row(f"POST create: {name}", unit, left, right, "right / left")

    return [
        Row("POST create: CPU", "µs", _cpu(quiet), _cpu(hanging), "right / left"),
        row("requests", "1/s", lambda load: load.rate),
        row("p50", "ms", lambda load: load.p50),
        row("p99", "ms", lambda load: load.p99),
    ]


def _cpu(measured: Sequence[Measured]) -> list[float]:
    return [each.cpu for each in measured]
