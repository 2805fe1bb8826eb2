"""Server processes: started on a CPU of their own, watched through /proc, always stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SERVER_CPU, LOAD_CPU = 0, 1
START_SECONDS = 20

_PORT = re.compile(r"^(?:Listening on http://127\.0\.0\.1:)?(\d+)(?:,|$)")


class ServerError(Exception):
    """A server did not start."""


@dataclass(frozen=True)
class Running:
    """A server that listens; `seconds` is how long it took from exec until it said so."""

    process: subprocess.Popen[str]
    port: int
    seconds: float

    def cpu_seconds(self) -> float:
        """Return user and system time of the process so far, all its threads."""
        ticks = cpu_ticks(Path(f"/proc/{self.process.pid}/stat").read_text())
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory_kib(self) -> int:
        """Return the memory that is resident now."""
        return resident_kib(Path(f"/proc/{self.process.pid}/status").read_text())


def can_measure() -> bool:
    return Path("/proc/self/stat").exists()


def can_pin() -> bool:
    """Return whether the server and the load can have a CPU each."""
    return hasattr(os, "sched_setaffinity") and {SERVER_CPU, LOAD_CPU} <= _allowed()


def _allowed() -> set[int]:
    return os.sched_getaffinity(0)


@contextmanager
def on_cpu(number: int) -> Iterator[None]:
    """Start what is started inside on one CPU; without effect where that cannot be."""
    if not can_pin():
        yield
        return
    before = _allowed()
    os.sched_setaffinity(0, {number})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_ticks(stat: str) -> int:
    """Return utime + stime from the text of /proc/PID/stat; the name in it may hold anything."""
    fields = stat.rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def resident_kib(status: str) -> int:
    """Return VmRSS from the text of /proc/PID/status."""
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    if not found:
        raise ServerError("the server ended before its memory was read")
    return int(found[1])


def port_in(line: str) -> int | None:
    """Return the port that a line of a server's output names, None if it names none."""
    found = _PORT.match(line.strip())
    return int(found[1]) if found else None


@contextmanager
def lago_mock(folder: Path, *flags: str) -> Iterator[Running]:
    """Run `lago-mock serve` with warnings logged and a store in memory, unless flags say more."""
    command = [str(Path(sys.executable).with_name("lago-mock")), "serve", "--port", "0"]
    flags = ("--db", ":memory:", "--log-level", "warning", *flags)
    with _running([*command, *flags], folder, "Ready.", folder) as running:
        yield running


@contextmanager
def bare(folder: Path, *arguments: str) -> Iterator[Running]:
    """Run `benchmarks.bare`."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "benchmarks.bare", *arguments]
    with _running(command, folder, "", root) as running:
        yield running


@contextmanager
def _running(command: Sequence[str], logs: Path, ready: str, cwd: Path) -> Iterator[Running]:
    """Run a server, its log in `logs`; it listens once it named its port and said `ready`."""
    with (logs / "server.log").open("w") as log:
        began = time.perf_counter()
        with on_cpu(SERVER_CPU):
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=cwd, env=_environment()
            )
        try:
            port = _wait(process, ready)
            seconds = time.perf_counter() - began
            if port is None:
                raise ServerError(f"{command!r} did not start: {Path(log.name).read_text()}")
            yield Running(process, port, seconds)
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    """Return our variables without those that would set lago-mock up."""
    return {name: text for name, text in os.environ.items() if not name.startswith("LAGO_")}


def _wait(process: subprocess.Popen[str], ready: str) -> int | None:
    """Return the port once the server is ready, None if it never is."""
    assert process.stdout is not None
    port = None
    limit = threading.Timer(START_SECONDS, process.kill)
    limit.start()
    try:
        for line in process.stdout:
            port = port or port_in(line)
            if port and line.startswith(ready):
                return port
    finally:
        limit.cancel()
    return None


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()
