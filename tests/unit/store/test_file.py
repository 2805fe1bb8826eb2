from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from lago_mock.store.file import StoreError, StoreFile, StoreUnwritable

HEAD = {"version": "9.8.7", "sequences": {"org": {"taxes": 2}}}
ROWS = {1: b'{"code":"vat"}', 12: b'{"code":"gst"}'}
TABLES = {"taxes:org": ROWS}
RESTORE = "Put a good copy in its place, or move it away to begin with the fixture set."

HOLDER = """
import sys
from pathlib import Path
from lago_mock.store.file import StoreFile
file = StoreFile(Path(sys.argv[1]))
file.lock()
file.append({"code": "answered"})
print("held", flush=True)
sys.stdin.read()
"""


def commit(code: str) -> dict[str, Any]:
    return {"code": code}


def line(content: dict[str, Any]) -> bytes:
    text = orjson.dumps(content)
    return b"%08x %b\n" % (zlib.crc32(text), text)


def header(generation: int = 0) -> bytes:
    return line({"number": 0, "generation": generation, "format": 1})


def numbered(number: int, code: str) -> bytes:
    return line({"number": number, "code": code})


def journal_of(path: Path) -> Path:
    return path.with_name("lago-mock.json.journal")


@contextmanager
def opened(path: Path) -> Iterator[StoreFile]:
    """Give a store file that has read what there is, as a server does before it writes."""
    file = StoreFile(path)
    file.lock()
    try:
        file.read()
        list(file.commits(pytest.fail))
        yield file
    finally:
        file.close()


def read(path: Path) -> tuple[Any, Any, list[str], list[str]]:
    """Return head, tables, the codes of the journal's commits, and what was warned of."""
    file = StoreFile(path)
    warnings: list[str] = []
    head, tables = file.read()
    codes = [each["code"] for each in file.commits(warnings.append)]
    file.close()
    return head, tables, codes, warnings


def on_disk(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def refusal(path: Path) -> str:
    """Return why a store is refused; whatever is on disk must stay as it is."""
    before = on_disk(path.parent)
    with pytest.raises(StoreError) as caught:
        read(path)
    assert on_disk(path.parent) == before
    return str(caught.value)


def write_head(path: Path, generation: int) -> None:
    head = {"format": 1, "generation": generation}
    path.write_bytes(orjson.dumps({"lago_mock": {"1": head}}))


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """Let the kernel refuse what would make any file larger, after it took the bytes before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lago-mock.json"


def test_where_there_is_no_file_there_is_nothing_to_read(path: Path) -> None:
    assert read(path) == ({}, {}, [], [])
    assert on_disk(path.parent) == {}


def test_a_compacted_file_is_read_as_it_was_written(path: Path) -> None:
    with opened(path) as file:
        file.compact(HEAD, TABLES.items())

    assert read(path) == ({**HEAD, "format": 1, "generation": 1}, TABLES, [], [])


def test_a_compacted_file_is_one_json_object_of_tables(path: Path) -> None:
    with opened(path) as file:
        file.compact(HEAD, TABLES.items())

    assert orjson.loads(path.read_bytes()) == {
        "taxes:org": {"1": {"code": "vat"}, "12": {"code": "gst"}},
        "lago_mock": {"1": {**HEAD, "format": 1, "generation": 1}},
    }


def test_rows_of_a_file_that_was_indented_by_hand_are_read_trimmed(path: Path) -> None:
    tables = {"lago_mock": {"1": {"format": 1, "generation": 0}}, "taxes:org": {"1": {"a": [1]}}}
    path.write_bytes(orjson.dumps(tables, option=orjson.OPT_INDENT_2))

    assert read(path)[1] == {"taxes:org": {1: b'{"a":[1]}'}}


def test_a_journal_is_a_header_and_one_checksummed_line_a_commit(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        file.append(commit("b"))

    assert journal_of(path).read_bytes() == header() + numbered(1, "a") + numbered(2, "b")
    assert not path.exists()


def test_commits_are_read_in_order_also_by_those_who_write_on(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
    with opened(path) as file:
        file.append(commit("b"))
        file.append(commit("c"))

    assert read(path) == ({}, {}, ["a", "b", "c"], [])


def test_a_commit_is_on_disk_when_append_returns(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))

        assert journal_of(path).read_bytes().endswith(numbered(1, "a"))


def test_a_compaction_takes_the_journal_away_and_the_next_begins_anew(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        file.compact(HEAD, TABLES.items())
        assert not journal_of(path).exists()
        file.append(commit("b"))

    assert journal_of(path).read_bytes() == header(1) + numbered(1, "b")
    assert read(path)[1:] == (TABLES, ["b"], [])


def test_each_compaction_is_a_generation_later(path: Path) -> None:
    for _ in range(3):
        with opened(path) as file:
            file.compact(HEAD, TABLES.items())

    assert read(path)[0]["generation"] == 3
    assert sorted(on_disk(path.parent)) == ["lago-mock.json", "lago-mock.json.lock"]


def test_a_journal_whose_commits_the_file_holds_is_ignored_and_begun_anew(path: Path) -> None:
    write_head(path, generation=2)
    journal_of(path).write_bytes(header(1) + numbered(1, "in the file already") + b"torn")

    assert read(path)[2:] == ([], [])

    with opened(path) as file:
        file.append(commit("new"))
    assert journal_of(path).read_bytes() == header(2) + numbered(1, "new")


@pytest.mark.parametrize("generation", [None, 1], ids=["no file", "an earlier file"])
def test_a_journal_of_a_later_file_is_refused(path: Path, generation: int | None) -> None:
    if generation is not None:
        write_head(path, generation)
    journal_of(path).write_bytes(header(2) + numbered(1, "a"))

    assert refusal(path) == (
        f"{journal_of(path)}: belongs to a later file than the one beside it. {RESTORE}"
    )


@pytest.mark.parametrize("left", range(1, len(numbered(2, "b"))))
def test_a_last_line_torn_at_any_byte_is_dropped_with_a_warning(path: Path, left: int) -> None:
    whole = header() + numbered(1, "a")
    journal_of(path).write_bytes(whole + numbered(2, "b")[:left])

    warning = f"{journal_of(path)}: the torn last line was dropped"
    assert read(path) == ({}, {}, ["a"], [warning])


def test_a_commit_takes_the_place_of_a_torn_line(path: Path) -> None:
    journal_of(path).write_bytes(header() + numbered(1, "a") + numbered(2, "torn")[:-1])
    file = StoreFile(path)
    list(file.commits(lambda _: None))

    file.append(commit("b"))
    file.close()

    assert read(path) == ({}, {}, ["a", "b"], [])


@pytest.mark.parametrize("left", [0, 1, 8, len(header()) - 1])
def test_a_journal_torn_in_its_header_is_begun_anew(path: Path, left: int) -> None:
    journal_of(path).write_bytes(header()[:left])
    file = StoreFile(path)
    warnings: list[str] = []
    assert list(file.commits(warnings.append)) == []
    assert len(warnings) == (1 if left else 0)

    file.append(commit("a"))
    file.close()

    assert read(path) == ({}, {}, ["a"], [])


def test_a_header_without_commits_is_an_empty_journal(path: Path) -> None:
    journal_of(path).write_bytes(header())

    with opened(path) as file:
        file.append(commit("a"))

    assert read(path) == ({}, {}, ["a"], [])


def flipped(text: bytes) -> bytes:
    return text.replace(b'"code":"', b'"code":"x')


@pytest.mark.parametrize(
    ("journal", "reason"),
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
    ],
)
def test_a_damaged_journal_is_refused_and_left_alone(
    path: Path, journal: bytes, reason: str
) -> None:
    journal_of(path).write_bytes(journal)

    assert refusal(path) == f"{journal_of(path)}: {reason}. {RESTORE}"


@pytest.mark.parametrize(
    ("content", "place"),
    [
        pytest.param(b"", "line 1, column 1", id="empty"),
        pytest.param(b'{"lago_mock": {"1"', "line 1, column 19", id="truncated"),
        pytest.param(b'{"lago_mock":\n  {"1": oops}}', "line 2, column 9", id="no JSON"),
        pytest.param(b'{"\xff": 1}', "line 1, column 1", id="not UTF-8"),
    ],
)
def test_a_file_that_is_not_json_is_refused_and_left_alone(
    path: Path, content: bytes, place: str
) -> None:
    path.write_bytes(content)

    text = refusal(path)

    assert text.startswith(f"{path}: not JSON at {place}: ")
    assert text.endswith(f". {RESTORE}")


def store_of(head: Any, **tables: Any) -> dict[str, Any]:
    return {"lago_mock": {"1": head}, **tables}


GOOD_HEAD = {"format": 1, "generation": 0, "sequences": {}}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param([], id="a list"),
        pytest.param(None, id="null"),
        pytest.param("lago_mock", id="a text"),
        pytest.param({}, id="an empty object"),
        pytest.param({"_default": {"1": {"a": 1}}}, id="another TinyDB file"),
        pytest.param({"lago_mock": []}, id="no table of ours"),
        pytest.param({"lago_mock": {"2": GOOD_HEAD}}, id="no head"),
        pytest.param(store_of([]), id="the head is a list"),
        pytest.param(store_of({"generation": 0}), id="no format"),
        pytest.param(store_of({"format": "1", "generation": 0}), id="the format is a text"),
        pytest.param(store_of({"format": 1}), id="no generation"),
        pytest.param(store_of({"format": 1, "generation": "0"}), id="the generation is a text"),
        pytest.param(store_of(GOOD_HEAD, taxes=[]), id="a table is a list"),
        pytest.param(store_of(GOOD_HEAD, taxes={"x": {}}), id="a row has no number"),
        pytest.param(store_of(GOOD_HEAD, taxes={"-1": {}}), id="a row has a negative number"),
        pytest.param(store_of(GOOD_HEAD, taxes={"1": 5}), id="a row is no object"),
    ],
)
def test_json_that_is_no_store_is_refused_and_left_alone(path: Path, content: Any) -> None:
    path.write_bytes(orjson.dumps(content))

    assert refusal(path) == f"{path}: no store of lago-mock. {RESTORE}"


def test_a_file_of_a_newer_format_is_refused_with_the_version_that_wrote_it(path: Path) -> None:
    path.write_bytes(orjson.dumps(store_of({"format": 2, "generation": 3, "version": "4.0.0"})))

    assert refusal(path) == (
        f"{path}: written in format 2 by lago-mock 4.0.0. "
        "This version reads format 1: install a newer one."
    )


def test_a_journal_of_a_newer_format_is_refused(path: Path) -> None:
    journal_of(path).write_bytes(line({"number": 0, "generation": 0, "format": 2}))

    assert "format 2" in refusal(path)


@pytest.mark.parametrize("suffix", ["", ".journal"], ids=["file", "journal"])
def test_what_cannot_be_read_is_refused(path: Path, suffix: str) -> None:
    folder = path.with_name(path.name + suffix)
    folder.mkdir()

    assert refusal(path) == f"{folder}: cannot be read: Is a directory. {RESTORE}"


def test_damaged_gives_an_error_of_this_file(path: Path) -> None:
    assert str(StoreFile(path).damaged("it smells")) == f"{path}: it smells. {RESTORE}"


IN_USE = (
    "{}: another lago-mock has this file open. "
    "Stop that one, or give this one a file of its own with --db."
)


def test_a_file_is_open_once_in_a_process(path: Path) -> None:
    with opened(path):
        second = StoreFile(path)
        with pytest.raises(StoreError) as caught:
            second.lock()
        second.close()

    assert str(caught.value) == IN_USE.format(path)
    with opened(path):
        pass


def test_a_file_that_another_thread_closed_can_be_opened(path: Path) -> None:
    file = StoreFile(path)
    file.lock()
    thread = threading.Thread(target=file.close)
    thread.start()
    thread.join()

    with opened(path) as again:
        again.append(commit("a"))

    file.close()


def test_another_process_is_refused_until_the_first_one_is_killed(path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            with pytest.raises(StoreError) as caught:
                StoreFile(path).lock()
        finally:
            holder.kill()

    assert str(caught.value) == IN_USE.format(path)
    with opened(path) as file:
        file.append(commit("more"))
    assert read(path)[2] == ["answered", "more"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("plain/a.json", "its folder does not exist", id="the folder is a file"),
        pytest.param("new/a.json", "its folder does not exist", id="no folder"),
        pytest.param("taken.json", "Is a directory", id="the lock is a folder"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "taken.json.lock").mkdir()
    path = tmp_path / name
    before = sorted(tmp_path.iterdir())

    with pytest.raises(StoreError) as caught:
        StoreFile(path).lock()

    assert str(caught.value) == (
        f"{path}: cannot be written: {reason}. "
        "Name a path that can be with --db, or :memory: for none."
    )
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="no file system of this kind")
def test_a_folder_that_takes_no_files_is_refused() -> None:
    with pytest.raises(StoreError) as caught:
        StoreFile(Path("/proc/lago-mock.json")).lock()

    assert str(caught.value) == (
        "/proc/lago-mock.json: cannot be written: no file can be made beside it. "
        "Name a path that can be with --db, or :memory: for none."
    )


def test_a_folder_without_write_permission_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "read only"
    folder.mkdir(mode=0o555)
    if os.access(folder, os.W_OK):
        pytest.skip("permissions do not hold for this user")

    with pytest.raises(StoreError, match="cannot be written: Permission denied"):
        StoreFile(folder / "lago-mock.json").lock()


@pytest.mark.parametrize("written", [0, 1, 20])
def test_a_commit_that_the_disk_refuses_is_cut_off_the_journal(path: Path, written: int) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        before = journal_of(path).read_bytes()

        with disk_full_at(len(before) + written), pytest.raises(StoreUnwritable) as caught:
            file.append(commit("refused"))

        assert str(caught.value) == f"{journal_of(path)}: File too large"
        assert journal_of(path).read_bytes() == before
        file.append(commit("b"))

    assert read(path) == ({}, {}, ["a", "b"], [])


@pytest.mark.parametrize("written", [0, 1, 20, len(header()), len(header()) + 1])
def test_a_first_commit_that_the_disk_refuses_leaves_a_journal_to_write_on(
    path: Path, written: int
) -> None:
    with opened(path) as file:
        with disk_full_at(written), pytest.raises(StoreUnwritable):
            file.append(commit("refused"))
        assert read(path) == ({}, {}, [], [])

        file.append(commit("a"))

    assert read(path) == ({}, {}, ["a"], [])


def test_a_journal_that_cannot_be_made_refuses_the_commit(path: Path) -> None:
    with opened(path) as file:
        journal_of(path).mkdir()
        with pytest.raises(StoreUnwritable) as caught:
            file.append(commit("refused"))
        journal_of(path).rmdir()
        file.append(commit("a"))

    assert str(caught.value) == f"{journal_of(path)}: Is a directory"
    assert read(path)[2] == ["a"]


def test_a_compaction_that_the_disk_refuses_leaves_file_and_journal_as_they_are(path: Path) -> None:
    with opened(path) as file:
        file.compact(HEAD, TABLES.items())
        file.append(commit("a"))
        before = path.read_bytes(), journal_of(path).read_bytes()

        with disk_full_at(10), pytest.raises(StoreUnwritable) as caught:
            file.compact(HEAD, [])

        assert str(caught.value) == f"{path}: File too large"
        assert (path.read_bytes(), journal_of(path).read_bytes()) == before
        file.append(commit("b"))

    assert read(path)[1:] == (TABLES, ["a", "b"], [])


def test_what_an_interrupted_compaction_left_is_written_over(path: Path) -> None:
    aside = path.with_name("lago-mock.json.new")
    aside.write_bytes(b"x" * 10_000)

    with opened(path) as file:
        file.compact(HEAD, TABLES.items())

    assert read(path)[1] == TABLES
    assert not aside.exists()


def test_a_compaction_works_where_folders_have_no_handle(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path) as file:
        monkeypatch.setattr(os, "name", "nt")
        file.compact(HEAD, TABLES.items())
        monkeypatch.undo()

    assert read(path)[1] == TABLES


def test_close_can_be_called_again(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        file.close()

    assert read(path)[2] == ["a"]
