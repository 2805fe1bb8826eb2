"""The command `lago-mock run`: a server for as long as another command runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, MappingProxyType
from typing import Any, Final

from lago_mock.app import LagoMockApp
from lago_mock.feed import Reader
from lago_mock.journal import Entry
from lago_mock.settings import LoadedSettings, Settings
from lago_mock.testing.background import BackgroundServer
from lago_mock.testing.reach import environ_of

NOT_FOUND: Final = 127
NOT_EXECUTABLE: Final = 126
KILLED: Final = 128
"""A command that a signal ended has the status that a shell gives it: this and the signal."""

_OWN: Final[Mapping[str, Any]] = MappingProxyType(
    {"port": 0, "db": ":memory:", "log_level": "warning"}
)
_PASSED_ON: Final = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
_OF_TERMINALS: Final = ("SIGINT", "SIGQUIT")


def settings_for_run(loaded: LoadedSettings) -> Settings:
    """Return the settings for a run: a free port, nothing kept and no log, unless flags say so.

    A settings file and variables are for the server that stays: its port may be in use, and its
    state is not to be written by tests.
    """
    flags = {name for name, origin in loaded.origins.items() if origin.startswith("flag ")}
    own = {name: each for name, each in _OWN.items() if name not in flags}
    return replace(loaded.settings, **own)


def run(command: Sequence[str], settings: Settings) -> int:
    """Run a command beside a server; returns the command's exit status.

    What came to the server is summed up in a line on stderr.

    Raises:
        DocumentError: the document or the fixture set is broken.
        ListenError: the address cannot be listened on.
        StoreError: the state file is damaged or in use.
        StoreUnwritable: it cannot be written.
    """
    program = shutil.which(command[0])
    if program is None:
        return _no_program(command[0])
    tally = Tally()
    with BackgroundServer(settings, tally.join) as server:
        own = environ_of(server.url, server.api_key, server.token)
        try:
            status = _status_of([program, *command[1:]], {**os.environ, **own})
        except OSError as error:
            return _refuse(f"{command[0]} cannot be run: {error.strerror}", NOT_EXECUTABLE)
    _sum_up(tally)
    return status


def _sum_up(tally: Tally) -> None:
    """Say what came; that nobody can read it changes nothing of how the command has ended."""
    if sys.stderr is None:  # closed, and `print` would take stdout for it
        return
    try:
        print(f"lago-mock: {tally}", file=sys.stderr)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())  # flushed at the end


def _no_program(name: str) -> int:
    if os.path.exists(name):
        return _refuse(f"{name} cannot be run: it is no program", NOT_EXECUTABLE)
    return _refuse(f"{name}: there is no such command", NOT_FOUND)


def _refuse(why: str, status: int) -> int:
    print(f"lago-mock: {why}", file=sys.stderr)
    return status


def _status_of(command: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run a command to its end, handing on the signals that come; returns its exit status."""
    early: list[int] = []
    hand_on = early.append
    with _signals_to(lambda number: hand_on(number)):
        process = subprocess.Popen(command, env=environ)
        hand_on = process.send_signal
        for number in early:
            hand_on(number)
        status = process.wait()
    return KILLED - status if status < 0 else status


@contextmanager
def _signals_to(hand_on: Any) -> Iterator[None]:
    """Hand signals on, but for those that are ignored, as `nohup` has it."""

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if signal.Signals(number).name not in _OF_TERMINALS or not _terminal_tells_all():
            hand_on(number)

    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    before = {each: signal.getsignal(each) for each in numbers}
    taken = [each for each, handler in before.items() if handler is not signal.SIG_IGN]
    for each in taken:
        signal.signal(each, on_signal)
    try:
        yield
    finally:
        for each in taken:
            signal.signal(each, before[each])


def _terminal_tells_all() -> bool:
    """Tell whether we are in a terminal's foreground: its Ctrl-C reaches the command by itself."""
    try:
        with open("/dev/tty") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


class Tally(Reader[Entry]):
    """Counts the requests that come to a server; no reset and no full journal makes it forget."""

    def __init__(self) -> None:
        super().__init__(None, arrivals=False)
        self.requests = self.with_fault = self.without_key = 0
        self.statuses: Counter[int | None] = Counter()

    def join(self, app: LagoMockApp) -> None:
        """Count the requests of this server."""
        app.server.tenants.archive.feed.readers.add(self)

    def offer(self, entry: Entry) -> None:
        """Count a request that was answered, or never will be."""
        self.requests += 1
        self.statuses[entry.status] += 1
        self.with_fault += entry.fault_id is not None
        self.without_key += entry.organization_id is None and entry.status == 401

    def __str__(self) -> str:
        """Return it in a line."""
        return ", ".join(self._told())

    def _told(self) -> Iterator[str]:
        yield f"{self.requests} request{'' if self.requests == 1 else 's'}"
        refused = {status: n for status, n in self.statuses.items() if status and status >= 400}
        if refused:
            statuses = ", ".join(f"{status}: {n}" for status, n in sorted(refused.items()))
            yield f"{sum(refused.values())} refused ({statuses})"
        if self.statuses[None]:
            yield f"{self.statuses[None]} without an answer"
        if self.with_fault:
            yield f"{self.with_fault} met a fault"
        if self.without_key:
            yield f"{self.without_key} came without a key that it knows"
