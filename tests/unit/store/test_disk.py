from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from lago_mock.store.disk import Disk
from lago_mock.store.file import PagedTables, StoreFile
from lago_mock.store.journal import StoreUnwritable
from lago_mock.store.pages import RowPage
from tests.unit.store.stores import Row, disk_full_at, header, journal_of, on_disk, settle

ONE = len(header()) + 1
"""A size that the journals have with one commit."""


class Playing:
    """A disk with a memory that has each commit's code once `append` has returned, as a store's.

    While the gate is shut the thread that writes the file waits.
    """

    def __init__(self, path: Path, compact_bytes: int) -> None:
        file = StoreFile(path)
        file.lock()
        _, tables = file.read()
        rows = tables.get("taxes", {}).values()
        self.codes: list[str] = [row["code"] for row in rows]
        self.codes += [commit["code"] for _, commit in file.commits(pytest.fail)]
        self.gate = threading.Event()
        self.gate.set()
        self.disk = Disk(file, self._content, compact_bytes)

    def _content(self) -> tuple[Row, PagedTables]:
        rows = {n: orjson.dumps({"code": code}) for n, code in enumerate(self.codes, 1)}
        return {}, [("taxes", self._pages(RowPage(rows)))]

    def _pages(self, page: RowPage) -> Iterator[RowPage]:
        self.gate.wait(10)
        yield page

    def add(self, *codes: str) -> None:
        for code in codes:
            self.disk.append({"code": code})
            self.codes.append(code)

    def close(self) -> None:
        self.gate.set()
        self.disk.close()


def names(path: Path) -> list[str]:
    return [name.removeprefix(path.name) for name in sorted(on_disk(path.parent))]


def in_file(path: Path) -> list[str]:
    return [row["code"] for row in orjson.loads(path.read_bytes())["taxes"].values()]


def loaded(path: Path) -> list[str]:
    """Return the codes that are on disk now, read as after a kill."""
    file = StoreFile(path)
    _, tables = file.read()
    rows = tables.get("taxes", {}).values()
    journaled = [commit["code"] for _, commit in file.commits(pytest.fail)]
    return [*(row["code"] for row in rows), *journaled]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lago-mock.json"


@pytest.fixture
def playing(path: Path) -> Iterator[Playing]:
    """A disk that writes its file when it is told to, or closed."""
    playing = Playing(path, 10**6)
    yield playing
    playing.close()


def test_a_commit_is_in_the_journal(playing: Playing, path: Path) -> None:
    playing.add("a", "b")

    assert (names(path), loaded(path)) == ([".journal.0"], ["a", "b"])


def test_a_compaction_brings_all_commits_into_the_file(playing: Playing, path: Path) -> None:
    playing.add("a", "b")

    playing.disk.compact()
    settle()

    assert in_file(path) == ["a", "b"]
    assert names(path) == ["", ".journal.1"]
    assert journal_of(path, 1).read_bytes() == header(1)


def test_commits_while_the_file_is_written_are_kept(playing: Playing, path: Path) -> None:
    playing.add("a")
    playing.gate.clear()
    playing.disk.compact()
    playing.add("b", "c")

    assert loaded(path) == ["a", "b", "c"]
    playing.gate.set()
    settle()

    assert in_file(path) == ["a"]
    assert (names(path), loaded(path)) == (["", ".journal.1"], ["a", "b", "c"])


def test_a_second_compaction_at_the_same_time_is_none(playing: Playing, path: Path) -> None:
    playing.add("a")
    playing.gate.clear()
    playing.disk.compact()
    playing.add("b")

    playing.disk.compact()

    assert [name for name in names(path) if "journal" in name] == [".journal.0", ".journal.1"]


def test_there_is_nothing_to_compact_where_nothing_came(playing: Playing, path: Path) -> None:
    playing.disk.compact()
    settle()
    assert names(path) == []

    playing.add("a")
    playing.disk.compact()
    settle()
    before = on_disk(path.parent)
    playing.disk.compact()
    settle()

    assert on_disk(path.parent) == before


def test_the_file_is_written_when_the_journals_are_large_enough(path: Path) -> None:
    playing = Playing(path, ONE)

    playing.add("a")
    assert names(path) == [".journal.0"]
    playing.add("b")
    settle()

    assert (in_file(path), loaded(path)) == (["a"], ["a", "b"])
    playing.close()
    assert loaded(path) == ["a", "b"]


def test_no_commit_is_lost_however_often_the_file_is_written(path: Path) -> None:
    playing = Playing(path, 1)
    codes = [f"{number}" for number in range(40)]
    for number, code in enumerate(codes):
        stands = number % 3 == 0  # as a kill would find it: half of a file that is being written
        playing.gate.clear() if stands else playing.gate.set()
        playing.add(code)
        if not stands:
            settle()
        assert loaded(path) == codes[: number + 1]

    playing.close()

    assert (loaded(path), names(path)) == (codes, [""])


def test_a_file_larger_than_the_limit_waits_for_as_large_a_journal(path: Path) -> None:
    playing = Playing(path, 1)
    playing.add("a" * 1000)
    playing.close()

    playing = Playing(path, 1)
    for _ in range(3):
        playing.add("b" * 300)
    settle()
    assert in_file(path) == ["a" * 1000]

    playing.add("b" * 300, "c")
    settle()

    assert in_file(path) == ["a" * 1000, *["b" * 300] * 4]
    assert loaded(path)[-1] == "c"
    playing.close()


def test_after_a_compaction_the_next_waits_for_as_large_a_journal(path: Path) -> None:
    playing = Playing(path, ONE)
    playing.add("a" * 1000, "b")
    settle()
    assert in_file(path) == ["a" * 1000]

    playing.add("c", "d")
    settle()

    assert in_file(path) == ["a" * 1000]
    playing.close()


def test_a_compaction_that_the_disk_refuses_leaves_file_and_journals(
    playing: Playing, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    playing.add("a" * 1000)
    playing.gate.clear()
    with disk_full_at(900):
        playing.disk.compact()
        playing.add("b")
        playing.gate.set()
        settle()

    assert caplog.messages == [f"{path}: File too large: left to the journal"]
    assert names(path) == [".journal.0", ".journal.1"]
    assert loaded(path) == ["a" * 1000, "b"]


def test_a_refused_compaction_is_tried_again_when_as_much_came_once_more(path: Path) -> None:
    playing = Playing(path, 1000)
    playing.add("a" * 1000)
    with disk_full_at(900):
        playing.add("b")
        settle()
    assert names(path) == [".journal.0", ".journal.1"]

    playing.add("c" * 500)
    settle()
    assert names(path) == [".journal.0", ".journal.1"]
    playing.add("d" * 500, "e")
    settle()

    codes = ["a" * 1000, "b", "c" * 500, "d" * 500]
    assert (in_file(path), loaded(path)) == (codes, [*codes, "e"])
    assert names(path) == ["", ".journal.2"]
    playing.close()
    assert Playing(path, 1).codes == [*codes, "e"]


def test_a_commit_goes_on_where_the_next_journal_is_refused(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    playing = Playing(path, 1)
    playing.add("a")
    journal_of(path, 1).mkdir()

    playing.add("b")

    assert caplog.messages == [f"{journal_of(path, 1)}: Is a directory: left to the journal"]
    journal_of(path, 1).rmdir()
    assert loaded(path) == ["a", "b"]
    playing.add("c")
    playing.close()
    assert in_file(path) == ["a", "b", "c"]


def test_a_compaction_that_is_asked_for_tells_that_the_disk_refused(
    playing: Playing, path: Path
) -> None:
    playing.add("a")
    before = on_disk(path.parent)

    with disk_full_at(10), pytest.raises(StoreUnwritable) as caught:
        playing.disk.compact()

    assert str(caught.value) == f"{journal_of(path, 1)}: File too large"
    assert on_disk(path.parent) == before


def test_a_commit_that_the_disk_refuses_is_not_kept(playing: Playing, path: Path) -> None:
    playing.add("a")

    with disk_full_at(10), pytest.raises(StoreUnwritable):
        playing.add("b")

    assert (playing.codes, loaded(path)) == (["a"], ["a"])


def test_a_close_writes_what_came_since_and_leaves_one_file(playing: Playing, path: Path) -> None:
    playing.add("a")
    playing.disk.compact()
    playing.add("b")

    playing.close()

    assert (names(path), in_file(path)) == ([""], ["a", "b"])


def test_a_close_waits_for_the_file_that_is_being_written(playing: Playing, path: Path) -> None:
    playing.add("a")
    playing.gate.clear()
    playing.disk.compact()
    threading.Thread(target=playing.gate.set).start()

    playing.disk.close()

    assert (names(path), in_file(path)) == ([""], ["a"])


def test_a_close_with_nothing_new_writes_nothing(path: Path) -> None:
    playing = Playing(path, 10**6)
    playing.add("a")
    playing.close()
    before = path.stat().st_ino, path.read_bytes()

    Playing(path, 10**6).close()

    assert (path.stat().st_ino, path.read_bytes()) == before


@pytest.mark.parametrize("size", [10, 900], ids=["journal refused", "file refused"])
def test_a_close_that_the_disk_refuses_leaves_the_journals_and_warns(
    playing: Playing, path: Path, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    playing.add("a" * 1000)

    with disk_full_at(size):
        playing.close()

    (message,) = caplog.messages
    assert message.endswith(": File too large: left to the journal")
    assert (names(path), loaded(path)) == ([".journal.0"], ["a" * 1000])
    again = Playing(path, 10**6)
    assert again.codes == ["a" * 1000]
    again.close()
    assert in_file(path) == ["a" * 1000]


def test_about_tells_path_sizes_and_whether_the_file_is_being_written(
    playing: Playing, path: Path
) -> None:
    def about() -> list[object]:
        shown = playing.disk.about()
        assert shown.keys() == {"path", "file_bytes", "journal_bytes", "compacting"}
        assert shown["path"] == str(path)
        return [shown[key] for key in ("file_bytes", "journal_bytes", "compacting")]

    assert about() == [0, 0, False]
    playing.add("a")
    size = journal_of(path).stat().st_size
    assert about() == [0, size, False]
    playing.gate.clear()
    playing.disk.compact()
    assert about() == [0, size, True]
    playing.gate.set()
    settle()
    assert about() == [path.stat().st_size, 0, False]
