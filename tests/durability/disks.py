"""Disks that refuse to take more, each by means of the kernel, for a server that runs."""

from __future__ import annotations

import os
import resource
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.process import COMMAND, ServerProcess

ROOM = 50_000
"""Bytes that still fit on a disk that is `nearly` full, and the longest file of a limited one."""

_LIMITED = (ROOM, resource.RLIM_INFINITY)
_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
_BYTES = 4 * 2**20


class Disk(ABC):
    """Where a server has its store; `db` is the path for the server, `seen` the one for the test.

    A server on it is run by `command`. `reason` is what the kernel says when it is full.
    """

    reason: str
    command: tuple[str, ...] = COMMAND
    db: Path
    seen: Path

    @abstractmethod
    def fill(self, server: ServerProcess, room: int = 0) -> None:
        """Leave so much room, or none for what is larger than `ROOM` by now."""

    @abstractmethod
    def free(self, server: ServerProcess) -> None:
        """Give the room back."""


class LimitedFiles(Disk):
    """A disk like any other, and a server whose files may not grow beyond `ROOM`."""

    reason = "File too large"

    def __init__(self, folder: Path) -> None:
        self.db = self.seen = folder / "state.json"

    def fill(self, server: ServerProcess, room: int = 0) -> None:
        """Limit the size of each file; how much room there is for all makes no difference."""
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, _LIMITED)

    def free(self, server: ServerProcess) -> None:
        """Take the limit away; it has gone with a process that has ended."""
        if server.process.poll() is None:
            resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, _UNLIMITED)


class SmallFileSystem(Disk):
    """A file system of a few megabytes, in memory, which only the server's name space has."""

    reason = "No space left on device"

    def __init__(self, place: Path, holder: int) -> None:
        enter = ("nsenter", "--preserve-credentials", "--user", "--mount", f"--target={holder}")
        self.command = (*enter, *COMMAND)
        self.db = place / "state.json"
        self.seen = Path(f"/proc/{holder}/root{self.db}")
        self._filler = self.seen.with_name("filler")

    def fill(self, server: ServerProcess, room: int = 0) -> None:
        """Write a file until nothing more fits, and cut off as much of it as is to be left."""
        handle = os.open(self._filler, os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(handle, bytes(4096))
        os.ftruncate(handle, os.fstat(handle).st_size - room)
        os.close(handle)

    def free(self, server: ServerProcess) -> None:
        """Remove the file."""
        self._filler.unlink()


@contextmanager
def small_file_system(folder: Path) -> Iterator[SmallFileSystem]:
    """Mount a file system that goes with the process that holds it, which ends with this one."""
    place = folder / "disk"
    place.mkdir()
    mount = f'mount -t tmpfs -o size={_BYTES} none "$0" && echo mounted && exec cat'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", mount, str(place)]
    try:
        holder = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except FileNotFoundError as error:
        pytest.skip(f"no file system can be made: {error}")
    with holder:
        assert holder.stdout is not None
        assert holder.stderr is not None
        try:
            if holder.stdout.readline() != b"mounted\n":
                pytest.skip(f"no file system can be made: {holder.stderr.read().decode()}")
            yield SmallFileSystem(place, holder.pid)
        finally:
            holder.kill()
