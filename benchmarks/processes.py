"""Server processes: started on a CPU of their own, watched through /proc, always stopped."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

SERVER_CPU, LOAD_CPU = 0, 1
START_SECONDS = 20
REST_SECONDS = 0.001
POLL_SECONDS = 0.005

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
        """Return user and system time of the process so far, all its threads, to the nanosecond."""
        return time.clock_gettime(cpu_clock(self.process.pid))

    def cpu_seconds_at_rest(self) -> float:
        """Return the same once the process has nothing left to do, after its answers either."""
        before, now = -1.0, self.cpu_seconds()
        while now != before:
            time.sleep(REST_SECONDS)
            before, now = now, self.cpu_seconds()
        return now

    def memory_kib(self) -> int:
        """Return the memory that is resident now."""
        return resident_kib(Path(f"/proc/{self.process.pid}/status").read_text())


def can_measure() -> bool:
    return sys.platform == "linux" and Path("/proc/self/status").exists()


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


def cpu_clock(pid: int) -> int:
    """Return the clock of the CPU time of a process: Linux makes its id of the process's own."""
    scheduled = 2
    return ~pid << 3 | scheduled


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
def lago_mock(folder: Path, *flags: str, patience: float = START_SECONDS) -> Iterator[Running]:
    """Run `lago-mock serve` with warnings logged and a store in memory, unless flags say more."""
    flags = ("--db", ":memory:", "--log-level", "warning", *flags)
    command = [lago_mock_command(), "serve", "--port", "0", *flags]
    with _running(command, folder, folder, _says("Ready.", patience), subprocess.PIPE) as running:
        yield running


def lago_mock_command() -> str:
    return str(Path(sys.executable).with_name("lago-mock"))


@contextmanager
def bare(folder: Path, *arguments: str) -> Iterator[Running]:
    """Run `benchmarks.bare`."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-m", "benchmarks.bare", *arguments]
    with _running(command, folder, root, _says("", START_SECONDS), subprocess.PIPE) as running:
        yield running


@contextmanager
def foreign(folder: Path, port: int, command: Sequence[str]) -> Iterator[Running]:
    """Run a server that does not say when it is ready; the port is the one that it was told."""
    with _running(command, folder, folder, _accepts(port)) as running:
        yield running


def free_port() -> int:
    """Return a port that was free a moment ago, for a server that cannot take 0."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


Wait = Callable[[subprocess.Popen[str]], int | None]


@contextmanager
def _running(
    command: Sequence[str], logs: Path, cwd: Path, wait: Wait, stdout: int | None = None
) -> Iterator[Running]:
    """Run a server, its log in `logs`, with its output if `stdout` takes that to no other place.

    `wait` returns its port when it is ready, None if it never is.
    """
    with (logs / "server.log").open("w") as log:
        began = time.perf_counter()
        with on_cpu(SERVER_CPU):
            process = subprocess.Popen(
                command,
                stdout=log if stdout is None else stdout,
                stderr=log,
                text=True,
                cwd=cwd,
                env=_environment(),
            )
        try:
            port = wait(process)
            seconds = time.perf_counter() - began
            if port is None:
                text = Path(log.name).read_text()
                raise ServerError(f"{command[0]} did not start: {text.strip()[-500:]}")
            yield Running(process, port, seconds)
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    """Return our variables without those that would set lago-mock up."""
    return {name: text for name, text in os.environ.items() if not name.startswith("LAGO_")}


def _says(ready: str, patience: float) -> Wait:
    """Wait until the server named its port and said `ready`."""

    def wait(process: subprocess.Popen[str]) -> int | None:
        assert process.stdout is not None
        port = None
        limit = threading.Timer(patience, process.kill)
        limit.start()
        try:
            for line in process.stdout:
                port = port or port_in(line)
                if port and line.startswith(ready):
                    return port
        finally:
            limit.cancel()
        return None

    return wait


def _accepts(port: int) -> Wait:
    """Wait until a connection to the port is taken."""

    def wait(process: subprocess.Popen[str]) -> int | None:
        end = time.monotonic() + START_SECONDS
        while process.poll() is None and time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(POLL_SECONDS)
            else:
                return port
        return None

    return wait


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    process.kill()
    process.wait()
    if process.stdout:
        process.stdout.close()
