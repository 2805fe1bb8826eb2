from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import running

KEY = {"Authorization": "Bearer lago-mock-key"}
STRANGER = {"Authorization": "Bearer nobody"}
NOWHERE = {"path": None, "file_bytes": 0, "journal_bytes": 0, "compacting": False}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.json"


@pytest.fixture
def stored(path: Path) -> Iterator[httpx.Client]:
    """Client of a server that keeps its rows in a file; sends no key."""
    with running(build(Settings(db=str(path), fixtures="empty"))) as url:
        yield from connected(url)


def connected(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, verify=False) as client:
        yield client


def create(client: httpx.Client, external_id: str) -> None:
    body = {"customer": {"external_id": external_id}}
    client.post("/api/v1/customers", json=body, headers=KEY).raise_for_status()


def customers(client: httpx.Client) -> list[str]:
    answer = client.get("/api/v1/customers", headers=KEY).json()
    return sorted(each["external_id"] for each in answer["customers"])


def customers_in(path: Path) -> list[str]:
    """Return the customers that stand in the file itself."""
    (rows,) = (rows for name, rows in json.loads(path.read_bytes()).items() if "customers:" in name)
    return sorted(row["external_id"] for row in rows.values())


def settle() -> None:
    """Wait for the thread that writes the file anew; the server is in this process."""
    for thread in threading.enumerate():
        if thread.name == "lago-mock compaction":
            thread.join(10)


def journals(path: Path) -> list[Path]:
    return sorted(path.parent.glob("state.json.journal.*"))


def test_rows_in_memory_have_no_file(admin: httpx.Client) -> None:
    assert admin.get("/store").json() == NOWHERE


def test_there_is_nothing_to_compact_in_memory(admin: httpx.Client) -> None:
    response = admin.post("/store/compact")

    assert (response.status_code, response.json()) == (200, NOWHERE)


def test_the_store_tells_its_file_and_the_size_of_its_journal(
    stored: httpx.Client, path: Path
) -> None:
    def shown() -> dict[str, Any]:
        return dict(stored.get("/__admin/store").raise_for_status().json())

    before = shown()
    create(stored, "a")

    assert before["journal_bytes"] < shown()["journal_bytes"]
    assert shown() == {
        "path": str(path),
        "file_bytes": 0,
        "journal_bytes": path.with_name("state.json.journal.0").stat().st_size,
        "compacting": False,
    }


def test_a_compaction_brings_what_was_written_into_the_file(
    stored: httpx.Client, path: Path
) -> None:
    create(stored, "a")

    response = stored.post("/__admin/store/compact")
    settle()

    assert (response.status_code, response.json()["path"]) == (200, str(path))
    assert customers_in(path) == ["a"]
    assert stored.get("/__admin/store").json() == {
        "path": str(path),
        "file_bytes": path.stat().st_size,
        "journal_bytes": 0,
        "compacting": False,
    }


def test_requests_are_answered_while_the_file_is_written(
    stored: httpx.Client, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create(stored, "a")
    gate, sync = threading.Event(), os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (gate.wait(10), sync(handle))[1])

    try:
        first = stored.post("/__admin/store/compact").json()
        create(stored, "b")
        second = stored.post("/__admin/store/compact").json()
        assert (first["compacting"], second["compacting"]) == (True, True)
        assert customers(stored) == ["a", "b"]
        assert not path.exists()
    finally:
        gate.set()
    settle()

    after = stored.get("/__admin/store").json()
    assert (after["compacting"], after["journal_bytes"] > 0) == (False, True)
    assert (customers_in(path), customers(stored)) == (["a"], ["a", "b"])


def test_a_compaction_with_nothing_new_writes_nothing(stored: httpx.Client, path: Path) -> None:
    stored.post("/__admin/store/compact").raise_for_status()
    settle()
    before = path.stat()

    stored.post("/__admin/store/compact").raise_for_status()
    settle()

    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_all_is_there_after_a_compaction_and_an_end(path: Path) -> None:
    for compacted, code in ((True, "a"), (False, "b"), (True, "c")):
        with running(build(Settings(db=str(path), fixtures="empty"))) as url:
            for client in connected(url):
                create(client, code)
                if compacted:
                    client.post("/__admin/store/compact").raise_for_status()
                create(client, f"{code} later")
                seen = customers(client)

    assert seen == ["a", "a later", "b", "b later", "c", "c later"]
    assert (customers_in(path), journals(path)) == (seen, [])


def test_the_file_is_written_by_itself_at_the_size_that_is_set(path: Path) -> None:
    settings = Settings(db=str(path), fixtures="empty", compact_bytes=1024)
    with running(build(settings)) as url:
        for client in connected(url):
            for number in range(4):
                create(client, f"customer {number}")
            settle()
            assert path.exists()
            assert len(customers(client)) == 4


@pytest.mark.parametrize(("durability", "kept"), [("process", False), ("disk", True)])
def test_each_write_waits_for_the_disk_where_that_is_set(
    path: Path, durability: str, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    sync = os.fdatasync
    settings = Settings(db=str(path), fixtures="empty", durability=durability)
    with running(build(settings)) as url:
        monkeypatch.setattr(os, "fdatasync", lambda handle: (synced.append(handle), sync(handle)))
        for client in connected(url):
            create(client, "a")
            create(client, "b")
            count = len(synced)

    assert count == (2 if kept else 0)


@pytest.mark.parametrize(("method", "place"), [("GET", "/store"), ("POST", "/store/compact")])
def test_it_is_the_same_for_every_organization_and_for_no_stranger(
    admin: httpx.Client, method: str, place: str
) -> None:
    assert admin.request(method, place, headers=KEY).json() == NOWHERE

    response = admin.request(method, place, headers=STRANGER)

    assert (response.status_code, response.json()["error"]) == (401, "Unauthorized")


def test_a_disk_that_refuses_the_next_journal_is_a_500_and_changes_nothing(
    stored: httpx.Client, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    create(stored, "a")
    before = stored.get("/__admin/store").json()
    taken = path.with_name("state.json.journal.1")
    taken.mkdir()

    response = stored.post("/__admin/store/compact")

    assert response.status_code == 500
    assert response.json() == {"status": 500, "error": "Internal Server Error"}
    assert f"the store cannot be written: {taken}: Is a directory" in caplog.messages
    assert stored.get("/__admin/store").json() == before
    taken.rmdir()
    stored.post("/__admin/store/compact").raise_for_status()
    settle()
    assert customers_in(path) == ["a"]
