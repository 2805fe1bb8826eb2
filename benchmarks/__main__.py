"""The command `python -m benchmarks`: measures, and prints a table."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from subprocess import SubprocessError

from benchmarks.conditions import conditions, foreign_cpu_seconds
from benchmarks.loads import comparison, costs, create_rounds, get_rounds
from benchmarks.processes import ServerError, can_measure
from benchmarks.start import memory_row, start_rows
from benchmarks.table import Row, table
from benchmarks.wrk import HOW_TO_INSTALL, LoadError, is_installed

FAILED = 1
CANNOT_MEASURE = 2
SIDES = ("bare", "lago-mock")
COST_SIDES = ("without", "with")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; returns 0, 1 if a load failed, 2 if what it needs is missing."""
    parsed = _parser().parse_args(arguments)
    if not is_installed():
        print(HOW_TO_INSTALL, file=sys.stderr)
        return CANNOT_MEASURE
    if not can_measure():
        print("CPU time and memory are read from /proc: run this on Linux.", file=sys.stderr)
        return CANNOT_MEASURE
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    rounds, seconds = (2, 1) if parsed.quick else (parsed.rounds, parsed.seconds)
    began, foreign = time.monotonic(), foreign_cpu_seconds()
    try:
        with tempfile.TemporaryDirectory() as folder:
            against_bare, features = _measure(Path(folder), rounds, seconds)
    except (LoadError, ServerError, SubprocessError) as error:
        print(f"not measured: {error}", file=sys.stderr)
        return FAILED
    noise = (foreign_cpu_seconds() - foreign) / (time.monotonic() - began)
    told = conditions(rounds, seconds, noise)
    _print(told, against_bare, features)
    if parsed.json:
        parsed.json.write_text(_json(told, against_bare, features), "utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure lago-mock against bare Starlette."
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round's figures")
    parser.add_argument("--rounds", type=_positive, default=5, metavar="N")
    parser.add_argument(
        "--seconds", type=_positive, default=4, metavar="S", help="length of each load"
    )
    parser.add_argument("--quick", action="store_true", help="two rounds of one second: a glance")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give 1 or more")
    return number


def _measure(folder: Path, rounds: int, seconds: int) -> tuple[list[Row], list[Row]]:
    against_bare = [*start_rows(folder, rounds), memory_row(folder, rounds)]
    gets = get_rounds(folder, rounds, seconds)
    creates = create_rounds(folder, rounds, seconds)
    against_bare += comparison("GET one customer", gets, "≥ 1.0", "≥ 0.70")
    against_bare += comparison("POST create", creates, "≥ 0.70", "≥ 0.50")
    return against_bare, [*costs("GET one customer", gets), *costs("POST create", creates)]


def _print(told: dict[str, str], against_bare: Sequence[Row], features: Sequence[Row]) -> None:
    for name, text in told.items():
        print(f"{name}: {text}")
    print(f"\n{table(against_bare, *SIDES)}")
    print("\nCPU time of a request without and with a feature\n")
    print(table(features, *COST_SIDES))


def _json(told: dict[str, str], against_bare: Sequence[Row], features: Sequence[Row]) -> str:
    report = {
        "conditions": told,
        "against_bare": [row.as_json(*SIDES) for row in against_bare],
        "features": [row.as_json(*COST_SIDES) for row in features],
    }
    return json.dumps(report, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
