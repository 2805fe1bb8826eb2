"""The store's file: a plain TinyDB JSON file, and beside it the journals of what came since.

- `lago-mock.json`: `{"lago_mock": {"1": head}, "customers:<organization>": {"1": row}}`
- `lago-mock.json.journal.7`: see `journal`
- `lago-mock.json.new`: the next file while it is written; it is then renamed
- `lago-mock.json.lock`: held for as long as a server has the file open
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from errno import EINVAL, ENOENT
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from filelock import FileLock, Timeout

from lago_mock.store.journal import (
    FORMAT,
    RESTORE,
    CommitJournal,
    StoreError,
    StoreUnwritable,
    read_bytes,
    refuse_newer,
    sync_folder,
)
from lago_mock.store.pages import RowPage
from lago_mock.wire import JSONObject, decode_own

_NUMBER = re.compile("[1-9][0-9]{0,17}")
"""How TinyDB writes a number, so that no two rows have the same."""

PagedTables = Iterable[tuple[str, Iterable[RowPage]]]


class StoreFile:
    """One path, locked from `lock` to `close`. Knows rows as JSON bytes and nothing of Lago."""

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self.path = path = path.resolve()  # a link to the file shares its lock and its journals
        self.size = 0
        self._durable = durable
        # Taken in the thread that starts the server, released in the one that serves.
        self._lock = FileLock(path.with_name(path.name + ".lock"), thread_local=False)
        self._journals = [self._journal(0)]

    def _journal(self, generation: int) -> CommitJournal:
        return CommitJournal(self.path, generation, durable=self._durable)

    def lock(self) -> None:
        """Take the file for this process; the kernel drops the lock when the process ends.

        Raises:
            StoreError: another process has it, or the folder cannot be written.
        """
        try:
            if not self.path.parent.is_dir():
                raise OSError(ENOENT, "its folder does not exist")
            if self.path.exists() and not self.path.is_file():  # a pipe would never end
                raise OSError(EINVAL, "it is a folder" if self.path.is_dir() else "it is no file")
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
        return StoreError(self.path, what, RESTORE)

    def read(self) -> tuple[JSONObject, JSONObject]:
        """Return the head and the tables of the file: table name -> number as text -> row.

        Raises:
            StoreError: the file is damaged, or of a later format; it is left untouched.
        """
        if not self.path.exists():
            return {}, {}
        content = read_bytes(self.path)
        try:
            raw = decode_own(content)
        except orjson.JSONDecodeError as error:
            place = f"line {error.lineno}, column {error.colno}"
            raise self.damaged(f"not JSON at {place}: {error.msg}") from error
        head = self._head_of(raw)
        del raw["lago_mock"]
        self._journals = [self._journal(head["generation"])]
        self.size = len(content)
        return head, raw

    def _head_of(self, raw: Any) -> JSONObject:
        try:
            head: JSONObject = raw["lago_mock"]["1"]
            whole = all(type(head[name]) is int for name in ("format", "generation"))
            whole = whole and head["format"] > 0
            sound = whole and all(map(_is_table, raw.values())) and _are_sequences(head)
        except (AttributeError, KeyError, TypeError):
            sound = False
        if not sound:
            raise self.damaged("no store of lago-mock")
        refuse_newer(self.path, head)
        return head

    def commits(self, warn: Callable[[str], None]) -> Iterator[tuple[CommitJournal, JSONObject]]:
        """Yield the commits that the file does not hold yet, in order, each with its journal.

        Raises:
            StoreError: a journal is damaged or missing.
        """
        first = self._journals[0].generation
        found = [each for each in self._generations() if each >= first]
        if not found:
            return
        for wanted, generation in enumerate(found, first):
            if generation != wanted:
                raise self._journal(generation).damaged(f"the journal before it, {wanted}, is gone")
        self._journals = [self._journal(each) for each in found]
        for journal in self._journals:
            last = journal is self._journals[-1]
            for commit in journal.commits(warn, last=last):
                yield journal, commit

    def _generations(self) -> list[int]:
        pattern = re.compile(re.escape(self.path.name) + r"\.journal\.(\d+)")
        names = (pattern.fullmatch(each.name) for each in self.path.parent.iterdir())
        return sorted(int(name[1]) for name in names if name)

    def journal_bytes(self) -> int:
        """Return the size of the journals with commits that the file does not hold yet."""
        return sum([journal.size for journal in self._journals if not journal.is_empty()])

    def append(self, commit: JSONObject, *, lasting: bool = True) -> None:
        """Write one commit; when this returns, a kill of the process loses nothing.

        `lasting` is as `CommitJournal.append` has it.

        Raises:
            StoreUnwritable: the disk refused it; nothing of it is kept.
        """
        self._journals[-1].append(commit, lasting=lasting)

    def turn(self) -> int:
        """Begin the next journal; returns its generation, which the next file has to have.

        Raises:
            StoreUnwritable: the disk refused it; commits go where they went before.
        """
        last = self._journals[-1]
        following = self._journal(last.generation + 1)
        try:
            last.settle()
            last.begin()  # without a torn end, which nothing may follow
            following.begin()
        except OSError as error:
            following.discard()
            refused = error.filename or following.path
            raise StoreUnwritable(f"{refused}: {error.strerror}") from error
        last.close()
        self._journals.append(following)
        return following.generation

    def write(self, generation: int, head: JSONObject, tables: PagedTables) -> None:
        """Write the whole file anew, and drop the journals that it holds; may run in a thread.

        Raises:
            StoreUnwritable: the disk refused it; file and journals are as before.
        """
        aside = self.path.with_name(self.path.name + ".new")
        whole_head = {**head, "format": FORMAT, "generation": generation}
        try:
            with aside.open("wb") as file:
                _write_all(file, whole_head, tables)
                os.fsync(file.fileno())
                size = file.tell()
            aside.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            with suppress(OSError):
                aside.unlink()
            raise StoreUnwritable(f"{self.path}: {error.strerror}") from error
        self.size = size
        self._drop_journals_before(generation)

    def _drop_journals_before(self, generation: int) -> None:
        self._journals = [each for each in self._journals if each.generation >= generation]
        for each in self._generations():
            if each < generation:
                self._journal(each).discard()

    def close(self) -> None:
        """Let go of the files and of the lock."""
        last = self._journals[-1]
        if last.is_open() and last.is_empty():
            last.discard()
        last.close()
        self._lock.release()


def _write_all(file: BinaryIO, head: JSONObject, tables: PagedTables) -> None:
    """Write the file page by page, so that a thread that does it leaves time to the others."""
    file.write(b'{"lago_mock":{"1":%b}' % orjson.dumps(head))
    for name, pages in tables:
        file.write(b",%b:{" % orjson.dumps(name))
        comma = b""
        for rows in filter(None, (page.rows for page in pages)):
            file.write(comma + b",".join(b'"%d":%b' % row for row in rows.items()))
            comma = b","
        file.write(b"}")
    file.write(b"}")
    file.flush()


def _is_table(table: Any) -> bool:
    return isinstance(table, dict) and all(
        _NUMBER.fullmatch(number) and isinstance(row, dict) for number, row in table.items()
    )


def _are_sequences(head: JSONObject) -> bool:
    return all(
        isinstance(number, int)
        for sequences in head.get("sequences", {}).values()
        for number in sequences.values()
    )
