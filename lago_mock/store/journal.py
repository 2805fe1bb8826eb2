"""The store's journals: one line a commit, appended before the answer leaves.

A line of `lago-mock.json.journal.7` is a checksum, a space, and JSON with the line's number; the
first is a header. The file beside it has a generation, too: a journal begins where the file of its
generation ends. While the next file is written commits go to the next journal already, so journals
are read one after the other, and those that the file holds are left out.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from lago_mock.wire import JSONObject, decode_own

FORMAT = 1


class StoreError(Exception):
    """A store that cannot be opened; the text says file, place, what is wrong and what to do."""

    def __init__(self, path: Path, what: str, advice: str) -> None:
        super().__init__(f"{path}: {what}. {advice}")


class StoreUnwritable(Exception):
    """A commit that the disk refused; nothing of it is kept, in memory or on disk."""


RESTORE = "Put a good copy in its place, or move it away to begin with the fixture set."


class CommitJournal:
    """One journal; `durable` makes each line outlive a loss of power, not of the process alone.

    It has no file until its first commit.
    """

    def __init__(self, path: Path, generation: int, *, durable: bool) -> None:
        self.path = path.with_name(f"{path.name}.journal.{generation}")
        self.generation = generation
        self.size = 0
        self._durable = durable
        self._number = 0
        self._handle: int | None = None
        self._unsettled = False

    def commits(self, warn: Callable[[str], None], *, last: bool) -> Iterator[JSONObject]:
        """Yield the commits in order.

        A torn end of the last journal is what a kill leaves: it was never answered, is dropped and
        warned of.

        Raises:
            StoreError: a line is damaged, or of a later format.
        """
        lines = read_bytes(self.path).split(b"\n")
        torn = lines.pop()
        if torn and not last:
            raise self.damaged("its last line is torn, and another journal follows it")
        for number, line in enumerate(lines):
            commit = self._checked(line, number)
            self.size += len(line) + 1
            self._number = number
            if number:
                yield commit
        if torn:
            warn(f"{self.path}: the torn last line was dropped")

    def _checked(self, line: bytes, number: int) -> JSONObject:
        checksum, _, text = line.partition(b" ")
        if checksum != _checksum(text):
            raise self.damaged(f"line {number + 1} does not match its checksum")
        try:
            return self._numbered(decode_own(text), number)
        except (KeyError, TypeError, ValueError) as error:
            raise self.damaged(f"line {number + 1} is none of a journal ({error!r})") from error

    def _numbered(self, commit: JSONObject, number: int) -> JSONObject:
        if commit["number"] != number:
            raise self.damaged(f"line {number + 1} is numbered {commit['number']}")
        if number == 0:
            refuse_newer(self.path, commit)
            if commit["generation"] != self.generation:
                raise self.damaged(f"it is of generation {commit['generation']}")
        return commit

    def damaged(self, what: str) -> StoreError:
        """Return the error for commits that fit no store."""
        return StoreError(self.path, what, RESTORE)

    def append(self, commit: JSONObject, *, lasting: bool = True) -> None:
        """Write one commit; when this returns, a kill of the process loses nothing.

        One that is not `lasting` is not made durable; it is with the next one that lasts.

        Raises:
            StoreUnwritable: the disk refused it; the journal is cut back to its last good byte.
        """
        try:
            self.begin()
            self._write({"number": self._number + 1, **commit}, lasting=lasting)
        except OSError as error:
            self._cut_back()
            raise StoreUnwritable(f"{self.path}: {error.strerror}") from error
        self._number += 1

    def begin(self) -> None:
        """Open the file, cut off its torn end, and write its header if it has none."""
        if self._handle is not None:
            return
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._handle = os.open(self.path, flags, 0o644)
        try:
            self._begin(self._handle)
        except OSError:
            self._cut_back()
            raise

    def _begin(self, handle: int) -> None:
        os.ftruncate(handle, self.size)
        if self.size == 0:
            self._number = 0
            self._write({"number": 0, "generation": self.generation, "format": FORMAT})
        if self._durable:
            sync_folder(self.path.parent)

    def _write(self, line: JSONObject, *, lasting: bool = True) -> None:
        assert self._handle is not None
        text = orjson.dumps(line)
        whole = b"%b %b\n" % (_checksum(text), text)
        rest = memoryview(whole)
        while rest:
            rest = rest[os.write(self._handle, rest) :]
        self._unsettled = True
        if lasting:
            self.settle()
        self.size += len(whole)

    def settle(self) -> None:
        """Make durable what is not yet, where that is wished: no torn journal may have a next one.

        Raises:
            OSError: the disk refused it.
        """
        if self._durable and self._unsettled and self._handle is not None:
            _sync(self._handle)
        self._unsettled = False

    def _cut_back(self) -> None:
        """Cut off what came after the last good byte; where that fails `begin` does it again."""
        if self._handle is not None:
            with suppress(OSError):
                os.ftruncate(self._handle, self.size)
            self.close()

    def is_open(self) -> bool:
        """Tell whether it was begun, so that its file is this one's own."""
        return self._handle is not None

    def is_empty(self) -> bool:
        """Tell whether nothing was committed to it."""
        return self._number == 0

    def discard(self) -> None:
        """Remove a journal that nobody needs; one that stays all the same is harmless."""
        self.close()
        with suppress(OSError):
            self.path.unlink()

    def close(self) -> None:
        """Let go of the file."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _checksum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


def _sync(handle: int) -> None:
    """Have the disk keep what was written; the time of the last change may come later."""
    getattr(os, "fdatasync", os.fsync)(handle)  # macOS and Windows have one of the two


def read_bytes(path: Path) -> bytes:
    """Return the content of a file of the store.

    Raises:
        StoreError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(path, f"cannot be read: {error.strerror}", RESTORE) from error


def refuse_newer(path: Path, head: Any) -> None:
    """Refuse a file of a later format.

    Raises:
        StoreError: names the versions.
    """
    if head["format"] > FORMAT:
        raise StoreError(
            path,
            f"written in format {head['format']} by lago-mock {head.get('version', 'unknown')}",
            f"This version reads format {FORMAT}: install a newer one.",
        )


def sync_folder(folder: Path) -> None:
    """Make a new name durable; Windows has no handle of a folder, and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
