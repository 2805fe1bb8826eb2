"""Runs wrk, the load tool, and reads what it prints."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.connection import LoadError
from benchmarks.customer import API_KEY, EXTERNAL_ID, HEADERS, PATH
from benchmarks.processes import LOAD_CPU, on_cpu

CONNECTIONS = 16
HOW_TO_INSTALL = (
    "wrk is missing. Install the package `wrk` (Debian, Ubuntu: apt-get install wrk; Fedora: "
    "dnf install wrk), then run `make bench` again."
)

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_TOTAL = re.compile(r"^\s*(\d+) requests in ", re.MULTILINE)
_RATE = re.compile(r"^Requests/sec:\s+([\d.]+)", re.MULTILINE)
_TROUBLE = re.compile(r"^\s*(Non-2xx or 3xx responses|Socket errors): .*", re.MULTILINE)


@dataclass(frozen=True)
class Load:
    """What wrk counted: requests answered, requests a second, latencies in milliseconds."""

    requests: int
    rate: float
    p50: float
    p99: float


def is_installed() -> bool:
    return shutil.which("wrk") is not None


def version() -> str:
    """Return name and version, `no wrk` where it is not installed."""
    if not is_installed():
        return "no wrk"
    # It prints its version above its usage, and ends with 1.
    printed = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False).stdout
    return printed.splitlines()[0].split(" [")[0]


def parse(printed: str) -> Load:
    """Return the figures in what `wrk --latency` printed.

    Raises:
        LoadError: an answer was refused, a connection broke, or the figures are missing.
    """
    trouble = _TROUBLE.search(printed)
    total, rate = _TOTAL.search(printed), _RATE.search(printed)
    if trouble or not total or not rate or total[1] == "0":
        raise LoadError(trouble[0].strip() if trouble else f"wrk printed: {printed.strip()}")
    return Load(int(total[1]), float(rate[1]), _latency(printed, 50), _latency(printed, 99))


def _latency(printed: str, percent: int) -> float:
    found = re.search(rf"^\s*{percent}%\s+([\d.]+)(us|ms|s|m) *$", printed, re.MULTILINE)
    if not found:
        raise LoadError(f"wrk printed no {percent} %: {printed.strip()}")
    return float(found[1]) * _UNITS[found[2]]


def read_one(port: int, seconds: int, _run: str) -> Load:
    """Get one customer again and again."""
    headers = [f"-H{name}: {value}" for name, value in HEADERS.items()]
    return _load(seconds, [*headers, f"http://127.0.0.1:{port}{PATH}/{EXTERNAL_ID}"])


def create_many(port: int, seconds: int, run: str, body_file: Path) -> Load:
    """Create customers whose ids begin with `run`, a letter, so that no two runs share one."""
    script = str(Path(__file__).with_name("create.lua"))
    arguments = [str(body_file), EXTERNAL_ID, run, API_KEY]
    return _load(seconds, ["-s", script, f"http://127.0.0.1:{port}{PATH}", "--", *arguments])


def _load(seconds: int, arguments: Sequence[str]) -> Load:
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", *arguments]
    with on_cpu(LOAD_CPU):
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds + 15, check=False
        )
    if done.returncode:
        raise LoadError(f"wrk ended with {done.returncode}: {done.stderr.strip()}")
    return parse(done.stdout)
