"""How long requests wait while the file of many customers is written anew behind them."""

from __future__ import annotations

import json
import time

from benchmarks.connection import Connection, longest_wait, request
from benchmarks.customer import create, page
from benchmarks.processes import LOAD_CPU, Running, on_cpu
from benchmarks.table import Row

WRITES = 100
LOOK_SECONDS = 0.1
STORE = request("GET", "/__admin/store", {})
COMPACT = request("POST", "/__admin/store/compact", {})


def compaction_rows(server: Running, customers: int, rounds: int) -> list[Row]:
    """Measure the waits of reads while the file is written anew, and for as long without."""
    during, quiet = [], []
    with on_cpu(LOAD_CPU):
        for number in range(rounds):
            create(server.port, WRITES, f"rewrite{number}")
            finish_compaction(server.port)
            longest, seconds = _while_it_compacts(server.port)
            during.append(longest)
            with Connection(server.port) as probe:
                quiet.append(longest_wait(probe, page(1), seconds))
    name = f"rewrite of the file of {customers:,} customers: longest wait"
    return [Row(name, "ms", quiet, during, "right / left", "≤ 5 ms")]


def _while_it_compacts(port: int) -> tuple[float, float]:
    """Return the longest wait in milliseconds, and how many seconds the rewrite took."""
    longest, began = 0.0, time.perf_counter()
    with Connection(port) as probe, Connection(port) as other:
        probe.answer(page(1))
        other.answer(COMPACT)
        compacting = True
        while compacting:
            longest = max(longest, longest_wait(probe, page(1), LOOK_SECONDS))
            compacting = json.loads(other.answer(STORE).body)["compacting"]
    return longest, time.perf_counter() - began


def finish_compaction(port: int) -> None:
    """Wait until the file is not being written."""
    with Connection(port) as connection:
        while json.loads(connection.answer(STORE).body)["compacting"]:
            time.sleep(LOOK_SECONDS)
