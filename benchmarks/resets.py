"""How long a reset takes in the server, and how long others wait while old rows are let go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.connection import Connection, longest_wait, request
from benchmarks.customer import create, fixture_set, page
from benchmarks.processes import LOAD_CPU, Running, lago_mock, on_cpu
from benchmarks.table import Row

FEW, MANY = 1_000, 100_000
WRITES = 1_000
STARTS_PER_ROUND = 3
FILL_SECONDS = 180
"""How long a server may take to make a set of many customers into rows."""

PROBE_SECONDS = 1
WAITS = "longest wait from its answer on"
WAIT_GOAL = "≤ 5 ms"
RESET = request("POST", "/__admin/reset", {})


def few_rows(folder: Path, rounds: int) -> list[Row]:
    """Measure resets to a set of few customers, on a new server each time."""
    flags = _flags(folder, FEW)
    fresh, written = [], []
    for number in range(rounds * STARTS_PER_ROUND):
        store = ("--db", str(folder / f"few-{number}.json"))
        with lago_mock(folder, *flags, *store) as server, on_cpu(LOAD_CPU):
            fresh.append(_reset(server))
            create(server.port, WRITES, "extra")
            written.append(_reset(server))
    name = f"reset to {FEW:,} customers"
    return [
        Row(f"{name}, just started", "ms", [], fresh, goal="≤ 1 ms"),
        Row(f"{name}, after {WRITES:,} creates", "ms", [], written, goal="≤ 1 ms"),
    ]


def many_rows(folder: Path, rounds: int) -> list[Row]:
    """Measure resets to a set of many customers, each after writes, and the waits after them."""
    flags = (*_flags(folder, MANY), "--db", str(folder / "many.json"))
    took, quiet, after = [], [], []
    with lago_mock(folder, *flags, patience=FILL_SECONDS) as server, on_cpu(LOAD_CPU):
        for number in range(rounds):
            create(server.port, WRITES, f"extra{number}")
            found = _reset_with_waits(server)
            took.append(found.took)
            quiet.append(found.quiet)
            after.append(found.after)
    name = f"reset to {MANY:,} customers"
    return [
        Row(f"{name}, after {WRITES:,} creates", "ms", [], took, goal="≤ 100 ms"),
        Row(f"{name}: {WAITS}", "ms", quiet, after, "right / left", WAIT_GOAL),
    ]


def _flags(folder: Path, customers: int) -> Sequence[str]:
    """Write a fixture set of so many customers; return the flags that name it."""
    file = folder / f"set-{customers}.json"
    file.write_text(fixture_set(f"bench-{number:08d}" for number in range(customers)))
    return ("--fixtures", str(file))


def emptying_rows(server: Running, created: int) -> list[Row]:
    """Measure the one reset of a server that lets go of all customers that were created there."""
    with on_cpu(LOAD_CPU):
        found = _reset_with_waits(server)
    name = f"reset to no customer, after {created:,} creates"
    return [
        Row(name, "ms", [], [found.took], goal="≤ 100 ms"),
        Row(f"{name}: {WAITS}", "ms", [found.quiet], [found.after], "right / left", WAIT_GOAL),
    ]


@dataclass(frozen=True)
class _Found:
    """Milliseconds that a reset took, and the longest wait of reads before and after it."""

    took: float
    quiet: float
    after: float


def _reset_with_waits(server: Running) -> _Found:
    with Connection(server.port) as probe:
        quiet = longest_wait(probe, page(1), PROBE_SECONDS)
        took = _reset(server)
        return _Found(took, quiet, longest_wait(probe, page(1), PROBE_SECONDS))


def _reset(server: Running) -> float:
    """Put the whole server back to its set; return the milliseconds that it says that took."""
    with Connection(server.port) as connection:
        return connection.answer(RESET).milliseconds()
