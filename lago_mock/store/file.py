"""The store's file: a plain TinyDB JSON file, and beside it a journal of what came since.

    lago-mock.json            {"lago_mock": {"1": head}, "customers:<organization>": {"1": row}}
    lago-mock.json.journal    one line a commit: checksum, space, JSON; the first is its header
    lago-mock.json.lock       held for as long as a server has the file open

The file is written whole, aside, and renamed; the journal is appended to before an answer leaves.
Both carry a generation: a journal whose commits are in the file already is told from a fresh one.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from errno import ENOENT
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock, Timeout

from lago_mock.wire import JSONObject

FORMAT = 1
Tables = dict[str, dict[int, bytes]]


class StoreError(Exception):
    """A store that cannot be opened; the text says file, place, what is wrong and what to do."""

    def __init__(self, path: Path, what: str, advice: str) -> None:
        super().__init__(f"{path}: {what}. {advice}")


class StoreUnwritable(Exception):
    """A commit that the disk refused; nothing of it is kept, in memory or on disk."""


_RESTORE = "Put a good copy in its place, or move it away to begin with the fixture set."


class StoreFile:
    """One path, locked from `open` to `close`. Knows rows as JSON bytes and nothing of Lago."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.journal_path = path.with_name(path.name + ".journal")
        # Taken in the thread that starts the server, released in the one that serves.
        self._lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)
        self._generation = 0
        self._number = 0
        self._journal: int | None = None
        self._size = 0

    def lock(self) -> None:
        """Take the file for this process; the kernel drops the lock when the process ends.

        Raises:
            StoreError: another process has it, or the folder cannot be written.
        """
        try:
            if not self.path.parent.is_dir():
                raise OSError(ENOENT, "its folder does not exist")
            self._lock.acquire(timeout=0)
        except Timeout:
            if not Path(self._lock.lock_file).exists():  # filelock takes this for contention, too
                raise self._unwritable("no file can be made beside it") from None
            raise StoreError(
                self.path,
                "another lago-mock has this file open",
                "Stop that one, or give this one a file of its own with --db.",
            ) from None
        except OSError as error:
            raise self._unwritable(str(error.strerror)) from error

    def _unwritable(self, reason: str) -> StoreError:
        advice = "Name a path that can be with --db, or :memory: for none."
        return StoreError(self.path, f"cannot be written: {reason}", advice)

    def damaged(self, what: str) -> StoreError:
        """Return the error for content that makes no store."""
        return StoreError(self.path, what, _RESTORE)

    def damaged_journal(self, what: str) -> StoreError:
        """Return the error for commits that fit no store."""
        return StoreError(self.journal_path, what, _RESTORE)

    def read(self) -> tuple[JSONObject, Tables]:
        """Return the head and the tables of the file: table name -> number -> row as JSON.

        Raises:
            StoreError: the file is damaged, or of a later format; it is left untouched.
        """
        if not self.path.exists():
            return {}, {}
        try:
            raw = orjson.loads(self._bytes(self.path))
        except orjson.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise StoreError(self.path, f"not JSON at {place}: {error.msg}", _RESTORE) from error
        head = self._head_of(raw)
        tables = {name: encoded_rows(rows) for name, rows in raw.items() if name != "lago_mock"}
        self._generation = head["generation"]
        return head, tables

    def _bytes(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise StoreError(path, f"cannot be read: {error.strerror}", _RESTORE) from error

    def _head_of(self, raw: Any) -> JSONObject:
        try:
            head: JSONObject = raw["lago_mock"]["1"]
            whole = isinstance(head["format"] + head["generation"], int)
            sound = whole and all(map(_is_table, raw.values())) and _are_sequences(head)
        except (AttributeError, KeyError, TypeError):
            sound = False
        if not sound:
            raise self.damaged("no store of lago-mock")
        self._refuse_newer(self.path, head)
        return head

    def _refuse_newer(self, path: Path, head: JSONObject) -> None:
        if head["format"] > FORMAT:
            raise StoreError(
                path,
                f"written in format {head['format']} by lago-mock {head.get('version', 'unknown')}",
                f"This version reads format {FORMAT}: install a newer one.",
            )

    def commits(self, warn: Callable[[str], None]) -> Iterator[JSONObject]:
        """Yield the journal's commits in order, those that the file does not hold yet.

        A torn last line is what a kill leaves: it was never answered, is dropped and warned of.

        Raises:
            StoreError: a line before the last one is damaged, or the journal is of another file.
        """
        if not self.journal_path.exists():
            return
        data = self._bytes(self.journal_path)
        lines = data.split(b"\n")
        torn = lines.pop()
        for number, line in enumerate(lines):
            commit = self._checked(line, number)
            if number == 0:
                if not self._is_of_this_file(commit):
                    return
                continue
            self._number = number
            yield commit
        if torn:
            warn(f"{self.journal_path}: the torn last line was dropped")
        self._size = len(data) - len(torn)

    def _checked(self, line: bytes, number: int) -> JSONObject:
        checksum, _, text = line.partition(b" ")
        if checksum != _checksum(text):
            raise self.damaged_journal(f"line {number + 1} does not match its checksum")
        commit: JSONObject = orjson.loads(text)
        if commit["number"] != number:
            raise self.damaged_journal(f"line {number + 1} is numbered {commit['number']}")
        return commit

    def _is_of_this_file(self, header: JSONObject) -> bool:
        self._refuse_newer(self.journal_path, header)
        if header["generation"] > self._generation:
            raise self.damaged_journal("belongs to a later file than the one beside it")
        return bool(header["generation"] == self._generation)

    def append(self, commit: JSONObject) -> None:
        """Write one commit to the journal; when this returns, a kill of the process loses nothing.

        Raises:
            StoreUnwritable: the disk refused it; the journal is cut back to its last good byte.
        """
        try:
            if self._journal is None:
                self._journal = self._open_journal()
            self._write({"number": self._number + 1, **commit})
        except OSError as error:
            if self._journal is not None:
                os.ftruncate(self._journal, self._size)
            if self._size == 0:
                self._close_journal()  # its header is not there: the next commit writes it
            raise StoreUnwritable(f"{self.journal_path}: {error.strerror}") from error
        self._number += 1

    def _open_journal(self) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._journal = os.open(self.journal_path, flags, 0o644)
        os.ftruncate(self._journal, self._size)
        if self._size == 0:
            self._number = 0
            self._write({"number": 0, "generation": self._generation, "format": FORMAT})
        return self._journal

    def _write(self, commit: JSONObject) -> None:
        assert self._journal is not None
        text = orjson.dumps(commit)
        line = b"%b %b\n" % (_checksum(text), text)
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._journal, rest) :]
        self._size += len(line)

    def compact(self, head: JSONObject, tables: Iterable[tuple[str, Mapping[int, bytes]]]) -> None:
        """Write the whole file anew, and begin the journal anew.

        Raises:
            StoreUnwritable: the disk refused it; file and journal are as before.
        """
        generation = self._generation + 1
        aside = self.path.with_name(self.path.name + ".new")
        whole = {name: fragments(rows) for name, rows in tables}
        whole["lago_mock"] = {"1": {**head, "format": FORMAT, "generation": generation}}
        try:
            with aside.open("wb") as file:
                file.write(orjson.dumps(whole))
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self.path)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise StoreUnwritable(f"{self.path}: {error.strerror}") from error
        self._generation = generation
        self._drop_journal()

    def _drop_journal(self) -> None:
        self._close_journal()
        self.journal_path.unlink(missing_ok=True)
        self._number = self._size = 0

    def _close_journal(self) -> None:
        if self._journal is not None:
            os.close(self._journal)
            self._journal = None

    def close(self) -> None:
        """Let go of the files and of the lock."""
        self._close_journal()
        self._lock.release()


def _checksum(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


def _is_table(table: Any) -> bool:
    return isinstance(table, dict) and all(
        number.isdecimal() and isinstance(row, dict) for number, row in table.items()
    )


def _are_sequences(head: JSONObject) -> bool:
    return all(
        isinstance(number, int)
        for sequences in head.get("sequences", {}).values()
        for number in sequences.values()
    )


def encoded_rows(rows: Mapping[str, Any]) -> dict[int, bytes]:
    """Return the rows of a table by number, as they are kept."""
    return {int(number): copied(orjson.dumps(row)) for number, row in rows.items()}


def copied(encoded: bytes) -> bytes:
    """Return the same bytes in no more memory than they need: orjson's own result keeps 8 KiB."""
    return bytes(memoryview(encoded))


def fragments(rows: Mapping[int, bytes]) -> JSONObject:
    """Return kept rows as a table that orjson writes without looking into them."""
    return {str(number): orjson.Fragment(row) for number, row in rows.items()}


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows has no handle of a folder, and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
