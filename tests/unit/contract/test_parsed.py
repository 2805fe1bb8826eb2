from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from lago_mock.contract import parsed
from lago_mock.contract.parsed import parsed_once


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that counts as our own, where Python keeps what it compiles."""
    monkeypatch.setattr(parsed, "data_folder", lambda: tmp_path / "own")
    monkeypatch.setattr(parsed, "kept_folder", lambda: tmp_path / "kept")
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    (tmp_path / "own").mkdir()
    return tmp_path


class Parser:
    """Counts how often it is asked, and says how long the text is."""

    def __init__(self, **more: Any) -> None:
        self.asked = 0
        self.more = more

    def __call__(self, _path: Path, data: bytes) -> Any:
        self.asked += 1
        return {"length": len(data), **self.more}


def test_a_file_of_our_own_is_parsed_once_until_it_changes(folder: Path) -> None:
    path, parser = folder / "own" / "a.yaml", Parser()

    for data, asked in ((b"one", 1), (b"one", 1), (b"three", 2), (b"three", 2), (b"one", 3)):
        assert parsed_once(path, data, parser) == {"length": len(data)}
        assert parser.asked == asked

    assert [each.name for each in (folder / "kept").iterdir()] == ["a.yaml.json"]


def test_a_file_of_other_people_is_parsed_each_time(folder: Path) -> None:
    parser = Parser()
    for _ in range(2):
        parsed_once(folder / "a.yaml", b"one", parser)
    assert parser.asked == 2
    assert not (folder / "kept").exists()


@pytest.mark.parametrize("content", [b"", b"no mark", b"\xff\n{"])
def test_what_is_kept_and_broken_is_written_anew(folder: Path, content: bytes) -> None:
    path, parser = folder / "own" / "a.yaml", Parser()
    parsed_once(path, b"one", parser)
    kept = folder / "kept" / "a.yaml.json"
    whole = kept.read_bytes()
    kept.write_bytes(content)

    assert parsed_once(path, b"one", parser) == {"length": 3}
    assert kept.read_bytes() == whole


def test_half_a_file_is_written_anew(folder: Path) -> None:
    path, parser = folder / "own" / "a.yaml", Parser()
    parsed_once(path, b"one", parser)
    kept = folder / "kept" / "a.yaml.json"
    kept.write_bytes(kept.read_bytes()[:-1])

    assert parsed_once(path, b"one", parser) == {"length": 3}
    assert parser.asked == 2


def test_nothing_is_kept_where_python_keeps_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    parser = Parser()
    for _ in range(2):
        parsed_once(folder / "own" / "a.yaml", b"one", parser)
    assert parser.asked == 2


def test_nothing_is_kept_where_nothing_can_be(folder: Path) -> None:
    (folder / "kept").write_text("no folder")
    assert parsed_once(folder / "own" / "a.yaml", b"one", Parser()) == {"length": 3}


def test_what_is_no_json_is_not_kept(folder: Path) -> None:
    parser = Parser(odd={1: "a"})
    for _ in range(2):
        parsed_once(folder / "own" / "a.yaml", b"one", parser)
    assert parser.asked == 2


def test_it_is_kept_beside_the_byte_code_of_the_package() -> None:
    assert parsed.kept_folder() == Path(parsed.__file__).parent.parent / "__pycache__"
