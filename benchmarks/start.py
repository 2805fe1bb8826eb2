"""What the start costs: seconds until lago-mock listens, and memory, empty and per customer."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.customer import create
from benchmarks.environments import install, python_in
from benchmarks.processes import LOAD_CPU, SERVER_CPU, bare, lago_mock, on_cpu
from benchmarks.table import Row

BARE_PACKAGES = ("starlette", "uvicorn", "jsonschema", "tinydb")
BARE_IMPORT = f"import {', '.join(BARE_PACKAGES)}"
STARTS_PER_ROUND = 3

WARM_UP_CUSTOMERS = 1000
"""They fill the journal and the room that the start left in the heap."""

CUSTOMERS = 5000


def bare_python() -> Path:
    """Return Python in a venv that holds those packages alone; made once, then kept.

    It lies in the user's cache folder; their versions are those that lago-mock runs with.
    """
    pins = [f"{name}=={version(name)}" for name in BARE_PACKAGES]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    python = ".".join(map(str, sys.version_info[:3]))
    folder = cache / "lago-mock-benchmarks" / "-".join([f"python=={python}", *pins])
    complete = folder / "complete"
    if not complete.exists():
        print(f"installing {' '.join(pins)} into {folder}", file=sys.stderr)
        install(folder, pins)
        complete.touch()
    return python_in(folder)


def start_rows(folder: Path, rounds: int) -> list[Row]:
    """Measure starts in turn; the first of each is not counted, for it fills the disk cache."""
    python = bare_python()
    imports, starts, bare_memory, memory = [], [], [], []
    for _ in range(1 + rounds * STARTS_PER_ROUND):
        imports.append(_import_seconds(python))
        with lago_mock(folder) as server:
            starts.append(server.seconds)
            memory.append(server.memory_kib() / 1024)
        with bare(folder, "constant") as server:
            bare_memory.append(server.memory_kib() / 1024)
    return [
        Row("start, bare: imports", "s", imports[1:], starts[1:], "right / left", "≤ 2.0"),
        Row("memory after start", "MiB", bare_memory, memory, "right / left", "≤ 90 MiB"),
    ]


def _import_seconds(python: Path) -> float:
    began = time.perf_counter()
    with on_cpu(SERVER_CPU):
        subprocess.run([python, "-c", BARE_IMPORT], check=True, timeout=20)
    return time.perf_counter() - began


def memory_row(folder: Path, rounds: int) -> Row:
    """Measure the memory that a stored customer takes, journal and heap being filled before."""
    return Row(
        "memory per customer",
        "KiB",
        [],
        [_kib_per_customer(folder) for _ in range(rounds)],
        goal="≤ 6 KiB",
    )


def _kib_per_customer(folder: Path) -> float:
    with lago_mock(folder) as server, on_cpu(LOAD_CPU):
        create(server.port, WARM_UP_CUSTOMERS, "warm")
        before = server.memory_kib()
        create(server.port, CUSTOMERS)
        return (server.memory_kib() - before) / CUSTOMERS
