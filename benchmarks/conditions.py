"""On what machine and with what versions the figures were taken."""

from __future__ import annotations

import os
import platform
import re
import resource
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import LOAD_CPU, SERVER_CPU, can_pin
from benchmarks.wrk import CONNECTIONS
from benchmarks.wrk import version as wrk_version

PACKAGES = (
    "lago-mock",
    "starlette",
    "uvicorn",
    "uvloop",
    "httptools",
    "jsonschema",
    "jsonschema-rs",
    "tinydb",
    "orjson",
)


def conditions(rounds: int, seconds: int, noise: float) -> dict[str, str]:
    """Return what a reader must know to judge the figures, by name.

    `noise` is how many CPUs other work on the machine took while they were taken.
    """
    pinned = f"server on CPU {SERVER_CPU}, load on CPU {LOAD_CPU}" if can_pin() else "not pinned"
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "CPUs": f"{os.cpu_count()} of {cpu_model(Path('/proc/cpuinfo').read_text())}, {pinned}",
        "other work": f"{noise:.0%} of a CPU during the run; from 10% on, measure again",
        "system": platform.platform(),
        "Python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": ", ".join(f"{name} {version(name)}" for name in PACKAGES),
        "load tool": f"{wrk_version()}, 1 thread, {CONNECTIONS} connections; our own for the rest",
        "rounds": f"{rounds} in turn, {seconds} s a load; medians, ratios of each round",
    }


def cpu_model(cpuinfo: str) -> str:
    """Return the model named in the text of /proc/cpuinfo; some processors name none."""
    found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo, re.MULTILINE)
    return found[1] if found else platform.machine()


def foreign_cpu_seconds() -> float:
    """Return the CPU time that all but us and our ended children took since the machine started."""
    ours = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    all_seconds = busy_ticks(Path("/proc/stat").read_text()) / os.sysconf("SC_CLK_TCK")
    return all_seconds - sum(each.ru_utime + each.ru_stime for each in ours)


def busy_ticks(stat: str) -> int:
    """Return what all processes and other guests of the host took, from the text of /proc/stat.

    Interrupts are left out: most of them carry the load's own packets.
    """
    ticks = [int(each) for each in stat.split("\n", 1)[0].split()[1:]]
    user, nice, system, stolen = ticks[0], ticks[1], ticks[2], ticks[7]
    return user + nice + system + stolen
