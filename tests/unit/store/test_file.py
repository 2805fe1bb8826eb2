from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest

from lago_mock.store.file import StoreFile
from lago_mock.store.journal import StoreError, StoreUnwritable
from lago_mock.store.pages import RowPage
from tests.unit.store.stores import (
    RESTORE,
    disk_full_at,
    header,
    journal_of,
    numbered,
    on_disk,
)
from tests.versions import is_older

HEAD = {"version": "9.8.7", "sequences": {"org": {"taxes": 2}}}
ROWS = {1: b'{"code":"vat"}', 12: b'{"code":"gst"}'}
TABLES = {"taxes:org": {str(number): orjson.loads(row) for number, row in ROWS.items()}}
PAGED = [("taxes:org", [RowPage({1: ROWS[1]}), RowPage({12: ROWS[12]})])]

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


def compact(file: StoreFile) -> None:
    """Write the file anew, with the tables above."""
    file.write(file.turn(), HEAD, PAGED)


@contextmanager
def opened(path: Path) -> Iterator[StoreFile]:
    """Give a store file that has read what there is, as a server does before it writes."""
    file = StoreFile(path)
    file.lock()
    try:
        file.read()
        list(file.commits(lambda _: None))
        yield file
    finally:
        file.close()


def read(path: Path) -> tuple[Any, Any, list[str], list[str]]:
    """Return head, tables, the codes of the journals' commits, and what was warned of."""
    file = StoreFile(path)
    warnings: list[str] = []
    head, tables = file.read()
    codes = [each["code"] for _, each in file.commits(warnings.append)]
    return head, tables, codes, warnings


def refusal(path: Path) -> str:
    """Return why a store is refused; whatever is on disk must stay as it is."""
    before = on_disk(path.parent)
    with pytest.raises(StoreError) as caught, opened(path):
        pass
    assert on_disk(path.parent) == before
    return str(caught.value)


def write_head(path: Path, generation: int) -> None:
    head = {"format": 1, "generation": generation}
    path.write_bytes(orjson.dumps({"lago_mock": {"1": head}}))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lago-mock.json"


def test_where_there_is_no_file_there_is_nothing_to_read(path: Path) -> None:
    assert read(path) == ({}, {}, [], [])
    assert on_disk(path.parent) == {}


def test_a_compacted_file_is_read_as_it_was_written(path: Path) -> None:
    with opened(path) as file:
        compact(file)

    assert read(path) == ({**HEAD, "format": 1, "generation": 1}, TABLES, [], [])


def test_a_compacted_file_is_one_json_object_of_tables(path: Path) -> None:
    with opened(path) as file:
        compact(file)

    assert orjson.loads(path.read_bytes()) == {
        "taxes:org": {"1": {"code": "vat"}, "12": {"code": "gst"}},
        "lago_mock": {"1": {**HEAD, "format": 1, "generation": 1}},
    }


def test_a_file_that_was_indented_by_hand_is_read(path: Path) -> None:
    tables = {"lago_mock": {"1": {"format": 1, "generation": 0}}, "taxes:org": {"1": {"a": [1]}}}
    path.write_bytes(orjson.dumps(tables, option=orjson.OPT_INDENT_2))

    assert read(path)[1] == {"taxes:org": {"1": {"a": [1]}}}


def test_commits_are_read_in_order_also_by_those_who_write_on(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
    with opened(path) as file:
        file.append(commit("b"))
        file.append(commit("c"))

    assert read(path) == ({}, {}, ["a", "b", "c"], [])


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
        pytest.param(store_of({"format": 0, "generation": 0}), id="the format is none"),
        pytest.param(store_of({"format": True, "generation": 0}), id="the format is a boolean"),
        pytest.param(store_of({"format": 1}), id="no generation"),
        pytest.param(store_of({"format": 1, "generation": "0"}), id="the generation is a text"),
        pytest.param(store_of(GOOD_HEAD, taxes=[]), id="a table is a list"),
        pytest.param(store_of(GOOD_HEAD, taxes={"x": {}}), id="a row has no number"),
        pytest.param(store_of(GOOD_HEAD, taxes={"-1": {}}), id="a row has a negative number"),
        pytest.param(store_of(GOOD_HEAD, taxes={"1": {}, "01": {}}), id="two rows have a number"),
        pytest.param(store_of(GOOD_HEAD, taxes={"9" * 5000: {}}), id="a row has no such number"),
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


def test_a_journal_that_cannot_be_read_is_refused(path: Path) -> None:
    folder = path.with_name(path.name + ".journal.0")
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


def test_a_link_to_a_file_shares_its_lock_and_its_journals(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    link = folder / "link.json"
    link.symlink_to(path)
    with opened(path) as file:
        compact(file)
        file.append(commit("a"))
        with pytest.raises(StoreError) as caught:
            StoreFile(link).lock()

    assert str(caught.value) == IN_USE.format(path)
    with opened(link) as file:
        file.append(commit("b"))
        assert read(path)[1:] == (TABLES, ["a", "b"], [])
        compact(file)
    assert link.is_symlink()
    assert on_disk(folder) == {"link.json": path.read_bytes()}


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
        pytest.param("folder", "it is a folder", id="a folder"),
        pytest.param("pipe", "it is no file", id="a pipe"),
    ],
)
def test_a_path_that_cannot_be_written_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "plain").touch()
    (tmp_path / "taken.json.lock").mkdir()
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
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
@pytest.mark.skipif(is_older("filelock", "3.25"), reason="it hands on the system's own reason")
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


def test_a_page_without_rows_leaves_no_gap(path: Path) -> None:
    pages = [RowPage(), RowPage({1: ROWS[1]}), RowPage(), RowPage({12: ROWS[12]}), RowPage()]
    with opened(path) as file:
        file.write(file.turn(), HEAD, [("customers:org", [RowPage()]), ("taxes:org", pages)])

    assert read(path)[1] == {"customers:org": {}, **TABLES}


def test_the_size_is_that_of_the_file_as_it_was_written_or_read(path: Path) -> None:
    with opened(path) as file:
        assert file.size == 0
        compact(file)
        assert file.size == path.stat().st_size
    with opened(path) as file:
        assert file.size == path.stat().st_size


def test_the_bytes_of_the_journals_are_those_with_commits(path: Path) -> None:
    with opened(path) as file:
        assert file.journal_bytes() == 0
        file.append(commit("a"))
        first = journal_of(path).stat().st_size
        assert file.journal_bytes() == first
        generation = file.turn()
        assert file.journal_bytes() == first
        file.append(commit("b"))
        second = journal_of(path, 1).stat().st_size
        assert file.journal_bytes() == first + second
        file.write(generation, HEAD, PAGED)
        assert file.journal_bytes() == second
    with opened(path) as file:
        assert file.journal_bytes() == second


def test_after_a_turn_commits_go_to_the_next_journal(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        assert file.turn() == 1
        file.append(commit("b"))

        assert on_disk(path.parent) == {
            "lago-mock.json.journal.0": header() + numbered(1, "a"),
            "lago-mock.json.journal.1": header(1) + numbered(1, "b"),
        }
        assert read(path) == ({}, {}, ["a", "b"], [])


def test_a_written_file_takes_the_journals_away_that_it_holds(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        generation = file.turn()
        file.append(commit("b"))
        file.write(generation, HEAD, PAGED)
        file.append(commit("c"))

    assert sorted(on_disk(path.parent)) == ["lago-mock.json", "lago-mock.json.journal.1"]
    assert journal_of(path, 1).read_bytes() == header(1) + numbered(1, "b") + numbered(2, "c")
    assert read(path)[1:] == (TABLES, ["b", "c"], [])


def test_each_compaction_is_a_generation_later_and_leaves_one_file(path: Path) -> None:
    for _ in range(3):
        with opened(path) as file:
            compact(file)

    assert read(path)[0]["generation"] == 3
    assert sorted(each.name for each in path.parent.iterdir()) == [
        "lago-mock.json",
        "lago-mock.json.lock",
    ]


def test_journals_are_read_in_the_order_of_their_numbers(path: Path) -> None:
    write_head(path, 9)
    for generation in range(8, 13):
        text = header(generation) + numbered(1, f"of {generation}")
        journal_of(path, generation).write_bytes(text)

    assert read(path)[2] == ["of 9", "of 10", "of 11", "of 12"]


@pytest.mark.parametrize(
    "name",
    [
        "lago-mock.json.journal",
        "lago-mock.json.journal.x",
        "lago-mock.json.journal.7.bak",
        "xlago-mock.json.journal.7",
        "lago-mockxjson.journal.7",
    ],
)
def test_what_has_another_name_is_no_journal(path: Path, name: str) -> None:
    path.with_name(name).write_bytes(b"rubbish")

    assert read(path) == ({}, {}, [], [])


LEFT = {
    "the journal was turned": {
        ".journal.4": header(4) + numbered(1, "a"),
        ".journal.5": header(5),
    },
    "commits went to the next journal": {
        ".journal.4": header(4) + numbered(1, "a"),
        ".journal.5": header(5) + numbered(1, "b"),
    },
    "the header of the next journal is torn": {
        ".journal.4": header(4) + numbered(1, "a"),
        ".journal.5": header(5)[:9],
    },
    "the next journal is empty": {
        ".journal.4": header(4) + numbered(1, "a"),
        ".journal.5": b"",
    },
    "the next file is begun": {
        ".journal.4": header(4) + numbered(1, "a"),
        ".journal.5": header(5) + numbered(1, "b"),
        ".new": b'{"lago_mock":{"1":{"generation":5',
    },
    "a second compaction followed one that was refused": {
        ".journal.4": header(4) + numbered(1, "a"),
        ".journal.5": header(5) + numbered(1, "b"),
        ".journal.6": header(6),
    },
    "the old journals are still there": {
        ".journal.2": b"rubbish",
        ".journal.3": header(3) + numbered(1, "in the file already") + b"torn",
        ".journal.4": header(4) + numbered(1, "a"),
    },
    "one of the old journals is still there": {".journal.3": header(3), ".journal.4": header(4)},
    "nothing came since": {".journal.4": header(4)},
    "there is no journal": {},
}
ALL = {
    "the journal was turned": ["a"],
    "commits went to the next journal": ["a", "b"],
    "the header of the next journal is torn": ["a"],
    "the next journal is empty": ["a"],
    "the next file is begun": ["a", "b"],
    "a second compaction followed one that was refused": ["a", "b"],
    "the old journals are still there": ["a"],
}


@pytest.mark.parametrize("left", LEFT)
def test_what_a_kill_in_a_compaction_left_has_all_commits(path: Path, left: str) -> None:
    write_head(path, 4)
    for suffix, content in LEFT[left].items():
        path.with_name(path.name + suffix).write_bytes(content)
    kept = ALL.get(left, [])

    with opened(path) as file:
        assert read(path)[2] == kept
        file.append(commit("next"))
        assert read(path)[2] == [*kept, "next"]
        generation = file.turn()
        file.append(commit("last"))
        assert read(path)[2] == [*kept, "next", "last"]
        file.write(generation, HEAD, PAGED)

    last = journal_of(path, generation).name
    assert sorted(on_disk(path.parent)) == ["lago-mock.json", last]
    assert read(path)[1:] == (TABLES, ["last"], [])


TORN = {
    "a last line": {".journal.4": header(4) + numbered(1, "a") + numbered(2, "torn")[:-1]},
    "a header": {".journal.4": header(4) + numbered(1, "a"), ".journal.5": header(5)[:-1]},
    "a header after nothing": {".journal.4": b"0"},
}


@pytest.mark.parametrize("left", TORN)
def test_a_kill_in_the_compaction_after_a_torn_line_leaves_a_store_to_open(
    path: Path, left: str
) -> None:
    write_head(path, 4)
    for suffix, content in TORN[left].items():
        path.with_name(path.name + suffix).write_bytes(content)
    kept = read(path)[2]

    with opened(path) as file:
        file.turn()
        assert read(path)[2:] == (kept, [])
        file.append(commit("b"))
        assert read(path)[2:] == ([*kept, "b"], [])


@pytest.mark.parametrize(
    ("journals", "of", "reason"),
    [
        pytest.param(
            {2: header(2)}, 2, "the journal before it, 1, is gone", id="a later one alone"
        ),
        pytest.param(
            {1: header(1), 3: header(3)}, 3, "the journal before it, 2, is gone", id="a gap"
        ),
        pytest.param(
            {1: header(1) + b"torn", 2: header(2)},
            1,
            "its last line is torn, and another journal follows it",
            id="a torn line in one that is not the last",
        ),
        pytest.param(
            {1: header(1) + numbered(2, "b"), 2: header(2)},
            1,
            "line 2 is numbered 2",
            id="a damaged line in one that is not the last",
        ),
        pytest.param(
            {1: header(1) + numbered(1, "a"), 2: header(1)},
            2,
            "it is of generation 1",
            id="one under the name of another",
        ),
        pytest.param(
            {1: b"rubbish\n"}, 1, "line 1 does not match its checksum", id="a damaged header"
        ),
    ],
)
def test_journals_that_do_not_follow_each_other_are_refused_and_left_alone(
    path: Path, journals: dict[int, bytes], of: int, reason: str
) -> None:
    write_head(path, 1)
    for generation, content in journals.items():
        journal_of(path, generation).write_bytes(content)

    assert refusal(path) == f"{journal_of(path, of)}: {reason}. {RESTORE}"


def test_a_journal_without_the_file_that_it_followed_is_refused(path: Path) -> None:
    journal_of(path, 1).write_bytes(header(1) + numbered(1, "a"))

    assert refusal(path) == (f"{journal_of(path, 1)}: the journal before it, 0, is gone. {RESTORE}")


def test_a_damaged_file_leaves_its_journals_alone(path: Path) -> None:
    path.write_bytes(b"rubbish")
    journal_of(path).write_bytes(header() + numbered(1, "a"))

    assert refusal(path).startswith(f"{path}: not JSON")


def test_a_file_that_was_never_read_leaves_its_journals_alone(path: Path) -> None:
    journal_of(path).write_bytes(header() + numbered(1, "a"))
    file = StoreFile(path)
    file.lock()

    file.close()

    assert journal_of(path).read_bytes() == header() + numbered(1, "a")


def test_a_close_takes_away_the_journal_that_nothing_was_committed_to(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        file.turn()
        assert journal_of(path, 1).exists()

    assert sorted(on_disk(path.parent)) == ["lago-mock.json.journal.0"]
    assert read(path)[2] == ["a"]


def test_a_next_journal_that_the_disk_refuses_leaves_commits_where_they_went(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        for size in (0, 10):
            with disk_full_at(size), pytest.raises(StoreUnwritable) as caught:
                file.turn()
            assert str(caught.value) == f"{journal_of(path, 1)}: File too large"
        assert sorted(on_disk(path.parent)) == ["lago-mock.json.journal.0"]
        file.append(commit("b"))

    assert read(path)[2] == ["a", "b"]


def test_a_next_journal_whose_name_is_taken_is_refused(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        journal_of(path, 1).mkdir()
        with pytest.raises(StoreUnwritable) as caught:
            file.turn()
        journal_of(path, 1).rmdir()
        compact(file)

    assert str(caught.value) == f"{journal_of(path, 1)}: Is a directory"
    assert read(path)[1:] == (TABLES, [], [])


def test_a_journal_that_cannot_be_ended_is_named(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
    with opened(path) as file:
        journal_of(path).unlink()
        journal_of(path).mkdir()
        with pytest.raises(StoreUnwritable) as caught:
            file.turn()

    assert str(caught.value) == f"{journal_of(path)}: Is a directory"


def test_a_torn_end_that_the_disk_does_not_let_go_of_is_no_end_of_the_store(path: Path) -> None:
    write_head(path, 4)
    journal_of(path, 4).write_bytes(header(4)[:5])

    with opened(path) as file:
        with disk_full_at(10), pytest.raises(StoreUnwritable):
            file.turn()
        file.append(commit("a"))

    assert read(path)[2:] == (["a"], [])


def test_a_compaction_that_the_disk_refuses_leaves_file_and_journals_as_they_are(
    path: Path,
) -> None:
    with opened(path) as file:
        compact(file)
        file.append(commit("a"))
        generation = file.turn()
        file.append(commit("b"))
        before = on_disk(path.parent)

        with disk_full_at(10), pytest.raises(StoreUnwritable) as caught:
            file.write(generation, HEAD, [])

        assert str(caught.value) == f"{path}: File too large"
        assert on_disk(path.parent) == before
        file.append(commit("c"))
        assert read(path)[1:] == (TABLES, ["a", "b", "c"], [])
        compact(file)

    assert sorted(on_disk(path.parent)) == ["lago-mock.json"]


def test_a_compaction_whose_place_is_taken_is_refused(path: Path) -> None:
    aside = path.with_name("lago-mock.json.new")
    aside.mkdir()

    with opened(path) as file, pytest.raises(StoreUnwritable) as caught:
        compact(file)

    assert str(caught.value) == f"{path}: Is a directory"
    assert aside.is_dir()


def test_an_old_journal_that_cannot_be_taken_away_is_left(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        generation = file.turn()
        journal_of(path).unlink()
        journal_of(path).mkdir()
        file.write(generation, HEAD, PAGED)

    assert read(path)[1:] == (TABLES, [], [])


def test_what_an_interrupted_compaction_left_is_written_over(path: Path) -> None:
    aside = path.with_name("lago-mock.json.new")
    aside.write_bytes(b"x" * 10_000)

    with opened(path) as file:
        compact(file)

    assert read(path)[1] == TABLES
    assert not aside.exists()


def test_a_compaction_works_where_folders_have_no_handle(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(path) as file:
        monkeypatch.setattr(os, "name", "nt")
        compact(file)
        monkeypatch.undo()

    assert read(path)[1] == TABLES


def test_close_can_be_called_again(path: Path) -> None:
    with opened(path) as file:
        file.append(commit("a"))
        file.close()

    assert read(path)[2] == ["a"]
