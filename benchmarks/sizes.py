"""What a request costs beside few customers and beside many, on servers that run side by side."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from benchmarks.compaction import finish_compaction
from benchmarks.connection import Connection, ask_at_once, connections
from benchmarks.customer import delete, fixture_set, get, page, put, update
from benchmarks.growth import Growth
from benchmarks.processes import LOAD_CPU, Running, lago_mock, on_cpu
from benchmarks.table import Row

SIZES = (10, 1_000, 10_000, 100_000)
QUICK_SIZES = SIZES[:2]

BLOCK = 10
"""So many requests are sent at once, each over its own connection."""

PER_PAGE = 10
"""As many as the fewest customers, so that the page is full at each size."""

CYCLES_PER_TURN = 10
TURNS_PER_ROUND = 5

WARM_UP_CUSTOMERS = 2_000
"""They fill the journal and the room that the start left in the heap."""


class Customers:
    """The customers of one server, and requests that leave it with as many as it had.

    Those read, updated and deleted are chosen anew each time, the same way in each run.
    """

    def __init__(self) -> None:
        self._ids: list[str] = []
        self._numbers = count(1)
        self._random = random.Random(len(SIZES))

    def __len__(self) -> int:
        return len(self._ids)

    def create(self) -> list[bytes]:
        """Return creates of new customers."""
        made = [f"bench-{next(self._numbers):08d}" for _ in range(BLOCK)]
        self._ids += made
        return [put(each) for each in made]

    def read(self) -> list[bytes]:
        """Return reads, each of another customer."""
        return [get(each) for each in self._random.sample(self._ids, BLOCK)]

    def update(self) -> list[bytes]:
        """Return creates of customers that are there, each with another phone than it has."""
        phone = f"+45 {self._random.randrange(10**8):08d}"
        return [update(each, phone) for each in self._random.sample(self._ids, BLOCK)]

    def first_page(self) -> list[bytes]:
        """Return reads of the first page of the list."""
        return [page(PER_PAGE)] * BLOCK

    def delete(self) -> list[bytes]:
        """Return deletes of customers that are there, old and new."""
        return [delete(self._take()) for _ in range(BLOCK)]

    def _take(self) -> str:
        chosen = self._random.randrange(len(self._ids))
        self._ids[chosen], self._ids[-1] = self._ids[-1], self._ids[chosen]
        return self._ids.pop()


OPERATIONS: Mapping[str, Callable[[Customers], list[bytes]]] = {
    "POST create": Customers.create,
    "GET one, after a write": Customers.read,
    "POST update": Customers.update,
    f"GET list, first page of {PER_PAGE}": Customers.first_page,
    "DELETE": Customers.delete,
}
"""In this order, so that each read follows a write and finds no answer kept from the one before."""


@dataclass(frozen=True)
class Filled:
    """A server with so many customers; each took it `kib` of memory."""

    server: Running
    customers: Customers
    kib: float


@contextmanager
def filled(folder: Path, sizes: Sequence[int]) -> Iterator[dict[int, Filled]]:
    """Run a server for each size, its store in a file."""
    with ExitStack() as stack:
        yield {size: stack.enter_context(_filled(folder / str(size), size)) for size in sizes}


@contextmanager
def _filled(folder: Path, size: int) -> Iterator[Filled]:
    folder.mkdir()
    fixtures = folder / "fixtures.json"
    fixtures.write_text(fixture_set(()))
    flags = ("--db", str(folder / "store.json"), "--fixtures", str(fixtures))
    with lago_mock(folder, *flags) as server:
        customers, warm = Customers(), min(size, WARM_UP_CUSTOMERS)
        with on_cpu(LOAD_CPU):
            _fill(server.port, customers, warm)
            before = server.memory_kib()
            _fill(server.port, customers, size)
            finish_compaction(server.port)
        kib = (server.memory_kib() - before) / max(size - warm, 1)
        yield Filled(server, customers, kib)


def _fill(port: int, customers: Customers, size: int) -> None:
    with connections(port, BLOCK) as over:
        while len(customers) < size:
            ask_at_once(over, customers.create())


def growth_rows(servers: Mapping[int, Filled], rounds: int) -> list[Growth]:
    """Measure all sizes in turn, forwards and backwards, so that what disturbs hits all alike."""
    found: dict[str, dict[int, list[float]]] = {
        name: {size: [] for size in servers} for name in OPERATIONS
    }
    for number in range(rounds * TURNS_PER_ROUND):
        sizes = list(servers)
        for size in sizes if number % 2 == 0 else reversed(sizes):
            for name, figure in _turn(servers[size]).items():
                found[name][size].append(figure)
    goal = f"≤ 1.2 at {max(SIZES):,}"
    return [Growth(name, "µs", figures, goal) for name, figures in found.items()]


def _turn(filled: Filled) -> dict[str, float]:
    """Return the microseconds of CPU time that each operation took; the first cycle warms up."""
    spent = dict.fromkeys(OPERATIONS, 0.0)
    with on_cpu(LOAD_CPU), connections(filled.server.port, BLOCK) as over:
        for cycle in range(1 + CYCLES_PER_TURN):
            for name, requests in OPERATIONS.items():
                seconds = _cost(filled.server, over, requests(filled.customers))
                spent[name] += seconds if cycle else 0
    requests_each = CYCLES_PER_TURN * BLOCK
    return {name: seconds / requests_each * 1e6 for name, seconds in spent.items()}


def _cost(server: Running, over: Sequence[Connection], requests: Sequence[bytes]) -> float:
    """Return the seconds of CPU time that a block of requests took."""
    before = server.cpu_seconds()
    ask_at_once(over, requests)
    return server.cpu_seconds_at_rest() - before


def size_memory_row(filled: Filled) -> Row:
    """Return what a customer took of the server's memory."""
    name = f"memory per customer of {len(filled.customers):,}"
    return Row(name, "KiB", [], [filled.kib], goal="≤ 6 KiB")
