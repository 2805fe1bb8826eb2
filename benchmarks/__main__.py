"""The command `python -m benchmarks`: measures, and prints tables."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from subprocess import SubprocessError

from benchmarks.conditions import conditions, foreign_cpu_seconds
from benchmarks.connection import LoadError
from benchmarks.parts import LOADED, OPTIONAL, PARTS, Plan
from benchmarks.processes import ServerError, can_measure
from benchmarks.report import Section
from benchmarks.wrk import HOW_TO_INSTALL, is_installed

FAILED = 1
CANNOT_MEASURE = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0, 1 if a load failed, 2 if what it needs is missing."""
    parsed = _parser().parse_args(arguments)
    chosen = chosen_parts(parsed.only, peers=parsed.peers)
    missing = _missing(chosen)
    if missing:
        print(missing, file=sys.stderr)
        return CANNOT_MEASURE
    signal.signal(signal.SIGTERM, _end)
    rounds, seconds = (2, 1) if parsed.quick else (parsed.rounds, parsed.seconds)
    began, foreign = time.monotonic(), foreign_cpu_seconds()
    sections = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            for section in _measured(chosen, Plan(Path(folder), rounds, seconds, parsed.quick)):
                print(f"\n{section.text()}", flush=True)
                sections.append(section)
    except (LoadError, OSError, ServerError, SubprocessError) as error:
        print(f"not measured: {error}", file=sys.stderr)
        return FAILED
    noise = (foreign_cpu_seconds() - foreign) / (time.monotonic() - began)
    told = conditions(rounds, seconds, noise)
    print("\n".join(f"{name}: {text}" for name, text in told.items()))
    if parsed.json:
        parsed.json.write_text(_json(told, sections), "utf-8")
    return 0


def _end(number: int, _frame: object) -> None:
    """Leave by way of every `finally`, which stop the servers; a second signal does not disturb."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure lago-mock against bare Starlette."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures")
    parser.add_argument("--rounds", type=_positive, default=5, metavar="N")
    parser.add_argument(
        "--seconds", type=_positive, default=4, metavar="S", help="length of each load"
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="a glance: two rounds of one second, 1,000 customers at most",
    )
    parser.add_argument(
        "--only", type=part_names, metavar="PART,…", help=f"parts to measure: {', '.join(PARTS)}"
    )
    parser.add_argument(
        "--peers", action="store_true", help="other servers too, installed for this run alone"
    )
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give 1 or more")
    return number


def part_names(text: str) -> list[str]:
    """Return the parts that an argument names, split at its commas."""
    names = text.split(",")
    for name in names:
        if name not in PARTS:
            raise argparse.ArgumentTypeError(f"no part {name!r}; there are: {', '.join(PARTS)}")
    return names


def chosen_parts(only: Sequence[str] | None, *, peers: bool) -> list[str]:
    """Return the parts to measure, in their order; without `only` all but the optional ones."""
    wanted = {*(only or PARTS.keys() - OPTIONAL), *(OPTIONAL if peers else ())}
    return [name for name in PARTS if name in wanted]


def _missing(chosen: Sequence[str]) -> str | None:
    """Return what this machine lacks for these parts, None when it lacks nothing."""
    if not can_measure():
        return "CPU time and memory are read from Linux's own books: run this on Linux."
    return HOW_TO_INSTALL if {*LOADED} & {*chosen} and not is_installed() else None


def _measured(chosen: Sequence[str], plan: Plan) -> Iterator[Section]:
    for name in chosen:
        print(f"measuring {name} …", file=sys.stderr)
        yield from PARTS[name](plan)


def _json(told: Mapping[str, str], sections: Sequence[Section]) -> str:
    report = {"conditions": told, **{section.name: section.rows for section in sections}}
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
