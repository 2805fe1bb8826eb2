"""A store's place on disk: takes each commit, and has the file written anew in its own time."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread

from lago_mock.store.file import PagedTables, StoreFile
from lago_mock.store.journal import StoreUnwritable
from lago_mock.wire import JSONObject

_logger = logging.getLogger("lago_mock.store")

Content = Callable[[], tuple[JSONObject, PagedTables]]
"""Returns head and tables as they are now, in pages that nothing changes any more."""


class Disk:
    """The file, its journals, and the thread that brings these into the file.

    `compact_bytes` is the size of the journals at which that is due, unless the file is larger.
    """

    def __init__(self, file: StoreFile, content: Content, compact_bytes: int) -> None:
        self._file = file
        self._content = content
        self._compact_bytes = compact_bytes
        self._compact_at = max(compact_bytes, file.size)
        self._compaction: Thread | None = None

    def append(self, commit: JSONObject, *, lasting: bool = True) -> None:
        """Keep a commit; when this returns, a kill of the process loses nothing.

        What is not `lasting` is not made to outlive a loss of power, whatever the store's level.

        Raises:
            StoreUnwritable: the disk refused it; nothing of it is kept.
        """
        # Before this commit, which memory does not have yet: the new file would not have it either.
        if self._file.journal_bytes() >= self._compact_at:
            try:
                self.compact()
            except StoreUnwritable as error:
                self._put_off(error)
        self._file.append(commit, lasting=lasting)

    def compact(self) -> None:
        """Write the file anew in a thread, unless it has everything or is being written.

        Raises:
            StoreUnwritable: the disk refused the next journal; nothing has changed.
        """
        if self._is_compacting() or not self._file.journal_bytes():
            return
        generation = self._file.turn()
        head, tables = self._content()
        self._compaction = Thread(
            target=self._write, args=(generation, head, tables), name="lago-mock compaction"
        )
        self._compaction.start()

    def _is_compacting(self) -> bool:
        return self._compaction is not None and self._compaction.is_alive()

    def _write(self, generation: int, head: JSONObject, tables: PagedTables) -> None:
        try:
            self._file.write(generation, head, tables)
        except StoreUnwritable as error:
            self._put_off(error)
        else:
            self._compact_at = max(self._compact_bytes, self._file.size)

    def _put_off(self, error: StoreUnwritable) -> None:
        """Try again when the journals have grown by as much once more."""
        _logger.warning("%s: left to the journal", error)
        self._compact_at = self._file.journal_bytes() + self._compact_bytes

    def close(self) -> None:
        """Write the file anew if there is something new, and let go of it; commits are safe."""
        self._finish()
        try:
            self.compact()
        except StoreUnwritable as error:
            self._put_off(error)
        self._finish()
        self._file.close()

    def _finish(self) -> None:
        if self._compaction is not None:
            self._compaction.join()

    def about(self) -> JSONObject:
        """Return the `Store` object of the admin document."""
        return {
            "path": str(self._file.path),
            "file_bytes": self._file.size,
            "journal_bytes": self._file.journal_bytes(),
            "compacting": self._is_compacting(),
        }
