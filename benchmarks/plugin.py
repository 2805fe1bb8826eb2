"""What the pytest plugin costs: where it is not used, for a session, for an empty test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.processes import SERVER_CPU, lago_mock, on_cpu
from benchmarks.table import Row

RUNS_PER_ROUND = 5
TESTS = 300
PYTEST_SECONDS = 60

PLUGIN = ("-p", "lago_mock.pytest_plugin")

_CONFTEST = f"""
import json, os, time
import pytest

took = []

@pytest.fixture(scope="session", autouse=True)
def begun(request):
    began = time.perf_counter()
    if os.environ["BENCH_FIXTURE"] == "lago_mock":
        request.getfixturevalue("lago_mock_server")
    seconds = time.perf_counter() - began
    yield
    with open(os.environ["BENCH_FILE"], "w") as file:
        json.dump({{"start": seconds, "tests": took[{TESTS // 3}:]}}, file)

@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol():
    began = time.perf_counter()
    try:
        return (yield)
    finally:
        took.append(time.perf_counter() - began)
"""

_SUITE = f"""
import pytest

@pytest.mark.parametrize("number", range({TESTS}))
def test_nothing(FIXTURE, number):
    pass
"""


def plugin_rows(folder: Path, rounds: int) -> list[Row]:
    """Measure each in turn with its counterpart; the first round fills the disk cache."""
    (folder / "test_one.py").write_text("def test_nothing(): pass\n")
    suites = {name: _suite(folder, name) for name in ("request", "lago_mock")}
    bare, loaded, serves, starts, empty, used = [], [], [], [], [], []
    for _ in range(1 + rounds):
        bare.append(_milliseconds(folder, ()))
        loaded.append(_milliseconds(folder, PLUGIN))
        with lago_mock(folder) as server:
            serves.append(server.seconds)
        empty.append(1000 * median(_told(suites["request"], "request")["tests"]))
        told = _told(suites["lago_mock"], "lago_mock")
        starts.append(told["start"])
        used.append(1000 * median(told["tests"]))
    more = [after - before for before, after in zip(bare, loaded, strict=True)]
    own = [after - before for before, after in zip(empty, used, strict=True)]
    return [
        Row("pytest run that does not use it", "ms", bare[1:], loaded[1:], "right / left"),
        Row("- so much longer", "ms", [], more[1:], goal="≤ 10 ms"),
        Row("start of a session, of `serve`", "s", serves[1:], starts[1:], "right / left", "≤ 1.2"),
        Row("test that does nothing", "ms", empty[1:], used[1:], "right / left"),
        Row("- so much longer", "ms", [], own[1:], goal="≤ 2 ms"),
    ]


def _suite(folder: Path, fixture: str) -> Path:
    """Write a suite of tests that ask for a fixture and do nothing."""
    suite = folder / fixture
    suite.mkdir()
    (suite / "conftest.py").write_text(_CONFTEST)
    (suite / "test_nothing.py").write_text(_SUITE.replace("FIXTURE", fixture))
    return suite


def _milliseconds(folder: Path, options: Sequence[str]) -> float:
    """Return how long the shortest of some runs without a test took: others were disturbed."""
    took = []
    for _ in range(RUNS_PER_ROUND):
        began = time.perf_counter()
        _pytest(folder, *options, "-q", "-p", "no:cacheprovider", "test_one.py")
        took.append(time.perf_counter() - began)
    return 1000 * min(took)


def _told(suite: Path, fixture: str) -> Any:
    file = suite / "told.json"
    options = (*PLUGIN, "-q", "-p", "no:cacheprovider", str(suite))
    _pytest(suite, *options, BENCH_FILE=str(file), BENCH_FIXTURE=fixture)
    return json.loads(file.read_bytes())


def _pytest(folder: Path, *options: str, **variables: str) -> None:
    """Run pytest with no plugin that is not named.

    Raises:
        SubprocessError: a test did not pass.
    """
    own = {name: text for name, text in os.environ.items() if not name.startswith("LAGO_")}
    with on_cpu(SERVER_CPU):
        done = subprocess.run(
            [sys.executable, "-m", "pytest", *options],
            cwd=folder,
            env={**own, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **variables},
            capture_output=True,
            text=True,
            timeout=PYTEST_SECONDS,
            check=False,
        )
    if done.returncode:
        raise subprocess.SubprocessError(f"pytest ended with {done.returncode}: {done.stdout}")
