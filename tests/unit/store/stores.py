"""Stores to play with: taxes and customers of made-up organizations, and the files they leave.

Imported as `tests.unit.store.stores`.
"""

from __future__ import annotations

import resource
import shutil
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson

from lago_mock.store.state import State
from lago_mock.store.store import FixtureRows, Store
from lago_mock.store.tables import Collection, RowDatabase

KEYS = {"taxes": "code", "customers": "external_id"}
RESTORE = "Put a good copy in its place, or move it away to begin with the fixture set."

SECRETS = {"private_key": "-----BEGIN…", "portal_secret": "5f1c"}

Row = dict[str, Any]


def tax(code: str, lago_id: str = "", **more: Any) -> Row:
    return {"lago_id": lago_id or f"id-{code}", "code": code, **more}


def put(store: Store, *rows: Row, owner: str = "org") -> None:
    view = store.view(owner)
    for row in rows:
        view.put("taxes", row)
    store.commit(view)


def discard(store: Store, row: Row, owner: str = "org") -> None:
    view = store.view(owner)
    view.discard("taxes", row, "now")
    store.commit(view)


def found(store: Store, owner: str = "org") -> list[Row]:
    return list(store.view(owner).oldest_first("taxes"))


def codes(store: Store, owner: str = "org") -> str:
    return "".join(row["code"] for row in found(store, owner))


def organizations(store: Store) -> str:
    return " ".join(row["lago_id"] for row in store.organizations())


def collection_of(*rows: Row) -> Collection:
    """Return a collection of taxes with these rows, numbered from 1."""
    collection = RowDatabase().collection("taxes:org", "code")
    collection.load(dict(enumerate(rows, 1)))
    return collection


def fixture_set(*rows: Row, name: str = "demo", **sequences: int) -> FixtureRows:
    collections = {"taxes": collection_of(*rows).freeze()} if rows else {}
    return FixtureRows(name, State(collections, sequences))


def reset(store: Store, fixtures: FixtureRows, owner: str = "org", **organization: Any) -> None:
    view = store.view(owner)
    view.put("organizations", {"lago_id": owner, **organization})
    store.reset(view, fixtures)


def replace(store: Store, fixtures: FixtureRows, owners: list[str], gone: list[str]) -> None:
    """Reset some organizations and remove others at once."""
    views = [store.view(owner) for owner in owners]
    for view in views:
        view.put("organizations", {"lago_id": view.organization_id})
    store.replace(views, fixtures, gone)


def told(state: State) -> tuple[dict[str, dict[int, Row]], dict[str, int]]:
    """Return rows, discarded ones too, by collection and number; and sequences."""
    rows = {
        name: {number: orjson.loads(row) for number, row in frozen.encoded()}
        for name, frozen in state.collections.items()
        if frozen.rows
    }
    return rows, dict(state.sequences)


def everything(store: Store) -> Row:
    """Return all that a store holds."""
    owners = [row["lago_id"] for row in store.organizations()]
    return {
        "organizations": store.organizations(),
        "rows": {owner: told(store.state(owner)) for owner in owners},
        "snapshots": {
            scope: {
                name: [(owner, told(state)) for owner, state in snapshot.items()]
                for name, snapshot in store.snapshots(scope).items()
            }
            for scope in (None, *owners)
        },
    }


def settle() -> None:
    """Wait for the thread that writes a file anew, if there is one."""
    for thread in threading.enumerate():
        if thread.name == "lago-mock compaction":
            thread.join(10)


def journal_of(path: Path, generation: int = 0) -> Path:
    return path.with_name(f"{path.name}.journal.{generation}")


def line(content: Any) -> bytes:
    return checked(orjson.dumps(content))


def checked(text: bytes) -> bytes:
    """Return a line of a journal that says this, whatever it is."""
    return b"%08x %b\n" % (zlib.crc32(text), text)


def header(generation: int = 0) -> bytes:
    return line({"number": 0, "generation": generation, "format": 1})


def numbered(number: int, code: str) -> bytes:
    return line({"number": number, "code": code})


def commits(path: Path, generation: int = 0) -> list[Row]:
    """Return what the lines of a journal say, the header left out."""
    lines = journal_of(path, generation).read_bytes().splitlines()
    return [orjson.loads(each[9:]) for each in lines[1:]]


def on_disk(folder: Path) -> dict[str, bytes]:
    """Return what the files of a store hold at one moment, locks apart.

    A file may be written anew meanwhile: what was read while names or files changed is read again.
    """
    while True:
        with suppress(FileNotFoundError):
            before = _files(folder)
            found = {path.name: path.read_bytes() for path in before}
            if _files(folder) == before:
                return found


def _files(folder: Path) -> dict[Path, tuple[int, int, int]]:
    paths = (path for path in folder.iterdir() if path.is_file() and path.suffix != ".lock")
    statuses = ((path, path.stat()) for path in paths)
    return {path: (each.st_ino, each.st_mtime_ns, each.st_size) for path, each in statuses}


def closed(store: Store, path: Path) -> Path:
    store.close()
    return path


def killed(_store: Store, path: Path) -> Path:
    """Return a copy of what a kill would leave on disk now."""
    folder = path.parent / "after the kill"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in on_disk(path.parent).items():
        (folder / name).write_bytes(content)
    return folder / path.name


@contextmanager
def disk_full_at(size: int) -> Iterator[None]:
    """Let the kernel refuse what would make any file larger, after it took the bytes before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


Survival = Callable[[Store, Path], Path]
"""The way to a file that is to be opened again: `closed`, or `killed`."""
