"""`lago-mock` as a process of its own, for the tests that need the real thing.

Imported as `tests.process`: pytest (8.3 or later, importlib mode) looks for it in this folder;
without pytest the `tests` of some installed package may come first.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

COMMAND = (sys.executable, "-m", "lago_mock")
START_SECONDS = 20
STOP_SECONDS = 3
"""How long an end may take before it is a failure; on an idle machine it takes a tenth of it."""


@dataclass
class ServerProcess:
    """A server that has said `Ready.`; `lines` is what it wrote to stdout, `Ready.` last."""

    process: subprocess.Popen[str]
    url: str
    lines: list[str]
    stderr_path: Path

    @property
    def stderr(self) -> str:
        """All that it has written to stderr by now."""
        return self.stderr_path.read_text("utf-8")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Send a signal to this process alone; return its exit status and the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(by)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"still there {STOP_SECONDS} s after {by.name}; its stderr: {self.stderr}"
            ) from None
        return status, time.monotonic() - began


def environment(variables: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this process's variables without those that could steer the command, plus others."""
    steering = ("LAGO_", "PYTHONPATH")
    inherited = {k: text for k, text in os.environ.items() if not k.startswith(steering)}
    return {**inherited, "PYTHONUTF8": "1", **(variables or {})}


def run(
    folder: Path,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    command: tuple[str, ...] = COMMAND,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder to its own end."""
    return subprocess.run(
        [*command, *arguments],
        cwd=folder,
        env=environment(variables),
        capture_output=True,
        encoding="utf-8",
        timeout=START_SECONDS,
        check=False,
    )


def arguments_of(folder: Path) -> tuple[str, ...]:
    """Return how `serve` is called in a folder; of a flag given twice the last one counts."""
    return ("serve", "--port", "0", "--db", str(folder / "state.json"))


@contextmanager
def serving(
    folder: Path,
    *arguments: str,
    variables: Mapping[str, str] | None = None,
    command: tuple[str, ...] = COMMAND,
) -> Iterator[ServerProcess]:
    """Serve in a folder, on a free port and with `state.json`, and give the ready server.

    Its stderr goes to `stderr.log` there, which a later server in the same folder begins anew.
    """
    stderr_path = folder / "stderr.log"
    with stderr_path.open("w", encoding="utf-8") as stderr:
        process = subprocess.Popen(
            [*command, *arguments_of(folder), *arguments],
            cwd=folder,
            env=environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
        )
    try:
        lines = _lines_until_ready(process)
        assert lines[-1:] == ["Ready."], f"no `Ready.`: {lines}, {stderr_path.read_text('utf-8')}"
        yield ServerProcess(process, _url_in(lines), lines, stderr_path)
    finally:
        _end(process)


def _lines_until_ready(process: subprocess.Popen[str]) -> list[str]:
    """Read stdout; a process that never says it is killed, which ends the reading."""
    assert process.stdout is not None
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    lines = []
    try:
        for line in process.stdout:
            lines.append(line.rstrip("\n"))
            if lines[-1] == "Ready.":
                break
    finally:
        watchdog.cancel()
    return lines


def _url_in(lines: list[str]) -> str:
    (url,) = (line.split()[2].rstrip(",") for line in lines if line.startswith("Listening on "))
    return url


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stdout is not None
    process.stdout.close()
