from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lago_mock.store.journal import (
    CommitJournal,
    StoreError,
    StoreUnwritable,
    read_bytes,
    refuse_newer,
    sync_folder,
)
from tests.unit.store.stores import (
    RESTORE,
    Row,
    checked,
    disk_full_at,
    header,
    journal_of,
    line,
    numbered,
)

Codes = list[str]


def commit(code: str) -> Row:
    return {"code": code}


@contextmanager
def opened(path: Path, *, durable: bool = False) -> Iterator[CommitJournal]:
    """Give the first journal of a store, read when it is there."""
    journal = CommitJournal(path, 0, durable=durable)
    if journal.path.exists():
        list(journal.commits(lambda _: None, last=True))
    try:
        yield journal
    finally:
        journal.close()


def read(path: Path, generation: int = 0, *, last: bool = True) -> tuple[Codes, Codes]:
    """Return the codes of a journal's commits, and what was warned of."""
    warnings: list[str] = []
    journal = CommitJournal(path, generation, durable=False)
    codes = [each["code"] for each in journal.commits(warnings.append, last=last)]
    return codes, warnings


def refusal(path: Path, generation: int = 0, *, last: bool = True) -> str:
    """Return why a journal is refused; it must stay as it is."""
    before = journal_of(path, generation).read_bytes()
    with pytest.raises(StoreError) as caught:
        read(path, generation, last=last)
    assert journal_of(path, generation).read_bytes() == before
    return str(caught.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lago-mock.json"


def test_a_journal_has_no_file_until_its_first_commit(path: Path) -> None:
    with opened(path) as journal:
        assert (journal.is_empty(), journal.is_open(), journal.size) == (True, False, 0)

    assert list(path.parent.iterdir()) == []


def test_a_journal_is_a_header_and_one_checksummed_line_a_commit(path: Path) -> None:
    with opened(path) as journal:
        journal.append(commit("a"))
        journal.append(commit("b"))

    assert journal_of(path).read_bytes() == header() + numbered(1, "a") + numbered(2, "b")
    assert read(path) == (["a", "b"], [])


def test_a_journal_is_named_after_its_generation(path: Path) -> None:
    journal = CommitJournal(path, 12, durable=False)
    journal.append(commit("a"))
    journal.close()

    assert journal.path == journal_of(path, 12)
    assert journal_of(path, 12).read_bytes() == header(12) + numbered(1, "a")


def test_a_commit_is_in_the_file_when_append_returns(path: Path) -> None:
    with opened(path) as journal:
        journal.append(commit("a"))

        assert journal_of(path).read_bytes() == header() + numbered(1, "a")
        assert journal.size == journal_of(path).stat().st_size


def test_commits_are_read_in_order_also_by_those_who_write_on(path: Path) -> None:
    with opened(path) as journal:
        journal.append(commit("a"))
    with opened(path) as journal:
        assert (journal.size, journal.is_empty()) == (journal_of(path).stat().st_size, False)
        journal.append(commit("b"))
        journal.append(commit("c"))

    assert read(path) == (["a", "b", "c"], [])


def test_a_journal_that_is_begun_is_a_header(path: Path) -> None:
    with opened(path) as journal:
        journal.begin()
        journal.begin()

        assert journal_of(path).read_bytes() == header()
        assert (journal.is_empty(), journal.is_open()) == (True, True)
        journal.append(commit("a"))
        assert not journal.is_empty()

    assert read(path) == (["a"], [])


def test_a_discarded_journal_is_gone_and_begins_anew(path: Path) -> None:
    journal = CommitJournal(path, 0, durable=False)
    journal.begin()

    journal.discard()
    journal.discard()

    assert not journal_of(path).exists()
    assert not journal.is_open()


@pytest.mark.parametrize("left", range(1, len(numbered(2, "b"))))
def test_a_last_line_torn_at_any_byte_is_dropped_with_a_warning(path: Path, left: int) -> None:
    whole = header() + numbered(1, "a")
    journal_of(path).write_bytes(whole + numbered(2, "b")[:left])

    assert read(path) == (["a"], [f"{journal_of(path)}: the torn last line was dropped"])


@pytest.mark.parametrize("left", range(1, len(numbered(2, "b"))))
def test_a_torn_line_is_refused_where_another_journal_follows(path: Path, left: int) -> None:
    whole = header() + numbered(1, "a")
    journal_of(path).write_bytes(whole + numbered(2, "b")[:left])

    assert refusal(path, last=False) == (
        f"{journal_of(path)}: its last line is torn, and another journal follows it. {RESTORE}"
    )


@pytest.mark.parametrize(
    "write", [CommitJournal.begin, lambda journal: journal.append({"code": 1})]
)
def test_a_torn_line_is_cut_off_by_the_next_write(
    path: Path, write: Callable[[CommitJournal], None]
) -> None:
    journal_of(path).write_bytes(header() + numbered(1, "a") + numbered(2, "a longer line")[:-1])

    with opened(path) as journal:
        write(journal)

    assert read(path)[0][:1] == ["a"]
    assert read(path)[1] == []


@pytest.mark.parametrize("left", [0, 1, 8, len(header()) - 1])
def test_a_journal_torn_in_its_header_is_begun_anew(path: Path, left: int) -> None:
    journal_of(path).write_bytes(header()[:left])
    codes, warnings = read(path)
    assert (codes, len(warnings)) == ([], 1 if left else 0)

    with opened(path) as journal:
        journal.append(commit("a"))

    assert read(path) == (["a"], [])


def test_a_header_without_commits_is_an_empty_journal(path: Path) -> None:
    journal_of(path).write_bytes(header())

    with opened(path) as journal:
        assert journal.is_empty()
        journal.append(commit("a"))

    assert read(path) == (["a"], [])


def flipped(text: bytes) -> bytes:
    return text.replace(b'"code":"', b'"code":"x')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(
            header() + flipped(numbered(1, "a")) + numbered(2, "b"),
            "line 2 does not match its checksum",
            id="a middle line is changed",
        ),
        pytest.param(
            header() + numbered(1, "a") + flipped(numbered(2, "b")),
            "line 3 does not match its checksum",
            id="the last line is whole and changed",
        ),
        pytest.param(
            header() + numbered(1, "a")[:-9] + b"\n" + numbered(2, "b"),
            "line 2 does not match its checksum",
            id="a middle line is cut",
        ),
        pytest.param(
            header() + b"\n" + numbered(1, "a"),
            "line 2 does not match its checksum",
            id="an empty line",
        ),
        pytest.param(
            b"rubbish\n", "line 1 does not match its checksum", id="the header is no header"
        ),
        pytest.param(
            header() + numbered(2, "b"), "line 2 is numbered 2", id="a middle line is gone"
        ),
        pytest.param(
            header() + numbered(1, "a") + numbered(1, "a"),
            "line 3 is numbered 1",
            id="a line twice",
        ),
        pytest.param(numbered(1, "a"), "line 1 is numbered 1", id="the header is gone"),
        pytest.param(header(3), "it is of generation 3", id="the header of another journal"),
        pytest.param(
            line({"number": 0, "format": 1}),
            "line 1 is none of a journal (KeyError('generation'))",
            id="a header without generation",
        ),
        pytest.param(
            line({"number": 0, "generation": 0, "format": "one"}),
            "line 1 is none of a journal "
            "(TypeError(\"'>' not supported between instances of 'str' and 'int'\"))",
            id="a header with a text for its format",
        ),
        pytest.param(
            header() + line([1]),
            "line 2 is none of a journal "
            "(TypeError('list indices must be integers or slices, not str'))",
            id="a line that is a list",
        ),
    ],
)
@pytest.mark.parametrize("last", [True, False], ids=["last", "not last"])
def test_a_damaged_journal_is_refused_and_left_alone(
    path: Path, content: bytes, reason: str, last: bool
) -> None:
    journal_of(path).write_bytes(content)

    assert refusal(path, last=last) == f"{journal_of(path)}: {reason}. {RESTORE}"


def test_a_line_that_is_no_json_is_refused_whatever_its_checksum(path: Path) -> None:
    journal_of(path).write_bytes(header() + checked(b"oops"))

    text = refusal(path)

    assert text.startswith(f"{journal_of(path)}: line 2 is none of a journal (JSONDecodeError(")
    assert text.endswith(f"). {RESTORE}")


def test_a_journal_of_a_newer_format_is_refused(path: Path) -> None:
    journal_of(path).write_bytes(line({"number": 0, "generation": 0, "format": 2}))

    assert refusal(path) == (
        f"{journal_of(path)}: written in format 2 by lago-mock unknown. "
        "This version reads format 1: install a newer one."
    )


def test_what_is_of_this_format_is_not_refused(path: Path) -> None:
    refuse_newer(path, {"format": 1})
    refuse_newer(path, {"format": 0})


def test_a_journal_that_cannot_be_read_is_refused(path: Path) -> None:
    journal_of(path).mkdir()

    with pytest.raises(StoreError) as caught:
        read(path)

    assert str(caught.value) == f"{journal_of(path)}: cannot be read: Is a directory. {RESTORE}"


def test_what_can_be_read_is_read(path: Path) -> None:
    path.write_bytes(b"content")

    assert read_bytes(path) == b"content"


def test_damaged_gives_an_error_of_this_journal(path: Path) -> None:
    error = CommitJournal(path, 4, durable=False).damaged("it smells")

    assert str(error) == f"{journal_of(path, 4)}: it smells. {RESTORE}"


@pytest.mark.parametrize("written", [0, 1, 20])
def test_a_commit_that_the_disk_refuses_is_cut_off_the_journal(path: Path, written: int) -> None:
    with opened(path) as journal:
        journal.append(commit("a"))
        before = journal_of(path).read_bytes()

        with disk_full_at(len(before) + written), pytest.raises(StoreUnwritable) as caught:
            journal.append(commit("refused"))

        assert str(caught.value) == f"{journal_of(path)}: File too large"
        assert journal_of(path).read_bytes() == before
        assert journal.size == len(before)
        journal.append(commit("b"))

    assert read(path) == (["a", "b"], [])


@pytest.mark.parametrize("written", [0, 1, 20, len(header()), len(header()) + 1])
def test_a_first_commit_that_the_disk_refuses_leaves_a_journal_to_write_on(
    path: Path, written: int
) -> None:
    with opened(path) as journal:
        with disk_full_at(written), pytest.raises(StoreUnwritable):
            journal.append(commit("refused"))
        assert read(path) == ([], [])

        journal.append(commit("a"))

    assert read(path) == (["a"], [])


@pytest.mark.parametrize("written", [0, 1, len(header()) - 1])
def test_a_begin_that_the_disk_refuses_leaves_a_journal_to_begin(path: Path, written: int) -> None:
    with opened(path) as journal:
        with disk_full_at(written), pytest.raises(OSError, match="File too large"):
            journal.begin()
        assert (journal_of(path).read_bytes(), journal.is_open()) == (b"", False)

        journal.append(commit("a"))

    assert read(path) == (["a"], [])


def test_a_journal_that_cannot_be_made_refuses_the_commit(path: Path) -> None:
    with opened(path) as journal:
        journal_of(path).mkdir()
        with pytest.raises(StoreUnwritable) as caught:
            journal.append(commit("refused"))
        journal_of(path).rmdir()
        journal.append(commit("a"))

    assert str(caught.value) == f"{journal_of(path)}: Is a directory"
    assert read(path) == (["a"], [])


class Syncs:
    """What the disk was asked to keep, in order: the size of a file, or the name of a folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[int | str] = []
        for name in ("fsync", "fdatasync"):
            monkeypatch.setattr(os, name, self._noting(getattr(os, name)))

    def _noting(self, sync: Callable[[int], None]) -> Callable[[int], None]:
        def noting(handle: int) -> None:
            place = os.readlink(f"/proc/self/fd/{handle}")
            self.seen.append(Path(place).name if Path(place).is_dir() else os.fstat(handle).st_size)
            sync(handle)

        return noting


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> Syncs:
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("no names of open files")
    return Syncs(monkeypatch)


def test_a_durable_journal_has_each_line_kept_and_the_folder_when_it_is_opened(
    path: Path, syncs: Syncs
) -> None:
    with opened(path, durable=True) as journal:
        journal.append(commit("a"))
        journal.append(commit("b"))

    sizes = [len(header()), len(header() + numbered(1, "a"))]
    whole = journal_of(path).stat().st_size
    assert syncs.seen == [sizes[0], path.parent.name, sizes[1], whole]

    with opened(path, durable=True) as journal:
        journal.append(commit("c"))

    assert syncs.seen[4:] == [path.parent.name, journal_of(path).stat().st_size]


def test_a_journal_that_is_not_durable_waits_for_no_disk(path: Path, syncs: Syncs) -> None:
    with opened(path) as journal:
        journal.append(commit("a"))

    assert syncs.seen == []


def test_a_durable_journal_works_where_there_is_one_way_to_sync(
    path: Path, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "fdatasync")

    with opened(path, durable=True) as journal:
        journal.append(commit("a"))

    assert len(syncs.seen) == 3


def test_a_line_that_the_disk_did_not_keep_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path, durable=True) as journal:
        journal.append(commit("a"))
        before = journal_of(path).read_bytes()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", _broken)
            with pytest.raises(StoreUnwritable) as caught:
                journal.append(commit("refused"))
        assert journal_of(path).read_bytes() == before
        journal.append(commit("b"))

    assert str(caught.value) == f"{journal_of(path)}: Input/output error"
    assert read(path) == (["a", "b"], [])


def _broken(_handle: int) -> None:
    raise OSError(5, "Input/output error")


def test_what_could_not_be_cut_off_is_cut_off_by_the_next_commit(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path, durable=True) as journal:
        journal.append(commit("a"))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", _broken)
            patch.setattr(os, "ftruncate", lambda _handle, _size: _broken(0))
            with pytest.raises(StoreUnwritable):
                journal.append(commit("refused"))
        journal.append(commit("b"))

    assert read(path) == (["a", "b"], [])


def test_a_folder_is_kept_where_it_has_a_handle(
    path: Path, syncs: Syncs, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync_folder(path.parent)
    monkeypatch.setattr(os, "name", "nt")
    sync_folder(path.parent)
    monkeypatch.undo()

    assert syncs.seen == [path.parent.name]
