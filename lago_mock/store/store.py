"""All organizations' rows, in memory and on disk; the only writer of both."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from lago_mock.store.file import (
    StoreError,
    StoreFile,
    StoreUnwritable,
    copied,
    encoded_rows,
    fragments,
)
from lago_mock.store.tables import Collection, Row, RowDatabase
from lago_mock.store.view import View
from lago_mock.version import __version__
from lago_mock.wire import JSONObject

_logger = logging.getLogger("lago_mock.store")

REWRITE_LIMIT_BYTES = 32 * 1024 * 1024
"""A store up to this size is written whole at close, within half a second; a larger one is left to
its journal."""

_FIXTURES = "fixtures:"  # begins the owner of the tables of a fixture set

Rows = Mapping[str, Mapping[int, bytes]]


@dataclass(frozen=True)
class FixtureRows:
    """The rows that a fixture set made, ready to be given to any organization.

    No row of it names an organization, so all that are made from it share these bytes.
    """

    name: str
    rows: Rows = field(default_factory=dict)
    sequences: Mapping[str, int] = field(default_factory=dict)

    def row(self, collection: str, number: int) -> Row:
        """Return one row, the caller's own copy."""
        row: Row = orjson.loads(self.rows[collection][number])
        return row

    def commit(self) -> JSONObject:
        """Return the journal line that keeps the set."""
        rows = {name: fragments(rows) for name, rows in self.rows.items()}
        return {"fixtures": self.name, "rows": rows, "sequences": dict(self.sequences)}


class _Organization:
    """The collections and sequences of one organization."""

    def __init__(self, organization_id: str, keys: Mapping[str, str]) -> None:
        self.id = organization_id
        self.sequences: dict[str, int] = {}
        self.version = 0
        database = RowDatabase()
        self.collections: dict[str, Collection] = {
            name: database.collection(f"{name}:{organization_id}", key)
            for name, key in keys.items()
        }


class Store:
    """Rows by organization and collection.

    `keys` names each collection with its natural key. Without a file everything is in memory alone.
    """

    def __init__(self, keys: Mapping[str, str], file: StoreFile | None = None) -> None:
        self._keys = {"organizations": "lago_id", **keys}
        self._file = file
        self._organizations: dict[str, _Organization] = {}
        self._fixtures: dict[str, FixtureRows] = {}
        self._secrets: JSONObject = {}

    @classmethod
    def open(cls, keys: Mapping[str, str], path: Path) -> Store:
        """Return the store of a file, loaded when there is one.

        Raises:
            StoreError: the file is damaged, locked, or cannot be written.
        """
        store = cls(keys, StoreFile(path))
        file = store._file
        assert file is not None
        file.lock()
        try:
            store._load(file)
        except BaseException:
            file.close()
            raise
        return store

    def _load(self, file: StoreFile) -> None:
        head, tables = file.read()
        self._secrets = head.get("secrets", {})
        for name, rows in tables.items():
            collection, _, owner = name.partition(":")
            if collection not in self._keys:
                raise file.damaged(f"the table {name!r} is of no collection that is known")
            try:
                self._load_table(collection, owner, rows)
            except (KeyError, TypeError) as error:
                raise file.damaged(f"a row of the table {name!r} lacks {error}") from error
        for owner, sequences in head.get("sequences", {}).items():
            if owner.startswith(_FIXTURES):
                self._remember(owner.removeprefix(_FIXTURES), {}, sequences)
            else:
                self._organization(owner).sequences = sequences
        for commit in file.commits(_logger.warning):
            for collection in commit.get("rows", {}).keys() - self._keys.keys():
                raise file.damaged_journal(
                    f"a row is of {collection!r}, which is no collection that is known"
                )
            self._replay(commit)

    def _load_table(self, collection: str, owner: str, rows: Mapping[int, bytes]) -> None:
        if owner.startswith(_FIXTURES):
            self._remember(owner.removeprefix(_FIXTURES), {collection: rows}, {})
        else:
            self._organization(owner).collections[collection].load(rows)

    def _remember(self, name: str, rows: Rows, sequences: Mapping[str, int]) -> None:
        before = self._fixtures.get(name, FixtureRows(name))
        self._fixtures[name] = FixtureRows(
            name, {**before.rows, **rows}, {**before.sequences, **sequences}
        )

    def _replay(self, commit: JSONObject) -> None:
        if "secrets" in commit:
            self._secrets = commit["secrets"]
            return
        if "fixtures" in commit:
            rows = {name: encoded_rows(rows) for name, rows in commit["rows"].items()}
            name = commit["fixtures"]
            self._fixtures[name] = FixtureRows(name, rows, commit["sequences"])
            return
        if "reset" in commit:
            self._restore(commit["organization"], self._fixtures[commit["reset"]])
        self._apply(
            commit["organization"],
            {
                name: {
                    int(number): (copied(orjson.dumps(row)), row) for number, row in rows.items()
                }
                for name, rows in commit["rows"].items()
            },
            commit["sequences"],
        )

    def _organization(self, organization_id: str) -> _Organization:
        known = self._organizations.get(organization_id)
        if known is None:
            known = _Organization(organization_id, self._keys)
            self._organizations[organization_id] = known
        return known

    def organizations(self) -> list[Row]:
        """Return the row of each organization, the first made first."""
        return [
            row
            for organization in self._organizations.values()
            for row in map(
                organization.collections["organizations"].read,
                organization.collections["organizations"].live(),
            )
        ]

    def contents(self, organization_id: str) -> tuple[Rows, Mapping[str, int]]:
        """Return the rows of an organization by collection, its own apart, and its sequences."""
        organization = self._organizations[organization_id]
        rows = {
            name: dict(collection.table.encoded)
            for name, collection in organization.collections.items()
            if name != "organizations" and collection.table.encoded
        }
        return rows, dict(organization.sequences)

    def secrets(self) -> JSONObject:
        """Return the server's own secrets, empty when none were kept."""
        return self._secrets

    def keep_secrets(self, secrets: JSONObject) -> None:
        """Keep the server's own secrets beside the rows.

        Raises:
            StoreUnwritable: the disk refused it.
        """
        self._append({"secrets": secrets})
        self._secrets = secrets

    def version(self, organization_id: str) -> int:
        """Return a number that grows with each commit of an organization."""
        return self._organization(organization_id).version

    def view(self, organization_id: str) -> View:
        """Return a staged view of an organization; of a new one when the id is not known."""
        known = self._organization(organization_id)
        return View(organization_id, known.collections, known.sequences)

    def commit(self, view: View) -> None:
        """Keep what a view has staged: on disk first, then in memory, all of it or nothing.

        Raises:
            StoreUnwritable: the disk refused it; memory and disk are as before.
        """
        if not view.rows and not view.sequences:
            return
        rows = _encode(view.rows)
        self._append({"organization": view.organization_id, **_line(rows, view.sequences)})
        self._apply(view.organization_id, rows, view.sequences)

    def _append(self, commit: JSONObject) -> None:
        if self._file is not None:
            self._file.append(commit)

    def _apply(
        self,
        organization_id: str,
        rows: Mapping[str, Mapping[int, tuple[bytes, Row]]],
        sequences: Mapping[str, int],
    ) -> None:
        organization = self._organization(organization_id)
        organization.version += 1
        for name, changed in rows.items():
            for number, (encoded, row) in sorted(changed.items()):
                organization.collections[name].write(number, encoded, row)
        organization.sequences.update(sequences)

    def reset(self, view: View, fixtures: FixtureRows) -> None:
        """Give an organization the rows of a fixture set, and what the view has staged on top.

        The view must be a fresh one: it brings the organization's own row.

        Raises:
            StoreUnwritable: the disk refused it; memory and disk are as before.
        """
        if self._fixtures.get(fixtures.name) != fixtures:
            self._append(fixtures.commit())
            self._fixtures[fixtures.name] = fixtures
        rows = _encode(view.rows)
        line = _line(rows, view.sequences)
        self._append({"organization": view.organization_id, "reset": fixtures.name, **line})
        self._restore(view.organization_id, fixtures)
        self._apply(view.organization_id, rows, view.sequences)

    def _restore(self, organization_id: str, fixtures: FixtureRows) -> None:
        organization = self._organization(organization_id)
        for name, collection in organization.collections.items():
            collection.load(fixtures.rows.get(name, {}))
        organization.sequences.clear()
        organization.sequences.update(fixtures.sequences)

    def close(self) -> None:
        """Write the file anew if it is small enough, and let go of it.

        Commits are safe either way. A store that is closed stays readable, and keeps nothing more.
        """
        if self._file is None:
            return
        try:
            if self._bytes() <= REWRITE_LIMIT_BYTES:
                self._file.compact(self._head(), self._tables())
        except StoreUnwritable as error:
            _logger.warning("%s: left to the journal", error)
        self._file.close()
        self._file = None

    def _bytes(self) -> int:
        return sum(len(row) for _, rows in self._tables() for row in rows.values())

    def _head(self) -> JSONObject:
        sequences: dict[str, Any] = {
            f"{_FIXTURES}{name}": dict(rows.sequences) for name, rows in self._fixtures.items()
        }
        for organization in self._organizations.values():
            sequences[organization.id] = organization.sequences
        return {"version": __version__, "sequences": sequences, "secrets": self._secrets}

    def _tables(self) -> Iterator[tuple[str, Mapping[int, bytes]]]:
        for fixtures in self._fixtures.values():
            for name, rows in fixtures.rows.items():
                yield f"{name}:{_FIXTURES}{fixtures.name}", rows
        for organization in self._organizations.values():
            for name, collection in organization.collections.items():
                if collection.table.encoded:
                    yield f"{name}:{organization.id}", collection.table.encoded


def _encode(rows: Mapping[str, Mapping[int, Row]]) -> dict[str, dict[int, tuple[bytes, Row]]]:
    return {
        name: {number: (_dumped(row), row) for number, row in changed.items()}
        for name, changed in rows.items()
    }


def _dumped(row: Row) -> bytes:
    try:
        return copied(orjson.dumps(row))
    except TypeError:  # a whole number over 64 bits, in a value that is kept as it was sent
        return json.dumps(row).encode()


def _line(
    rows: Mapping[str, Mapping[int, tuple[bytes, Row]]], sequences: Mapping[str, int]
) -> JSONObject:
    changed = {
        name: fragments({number: encoded for number, (encoded, _) in each.items()})
        for name, each in rows.items()
    }
    return {"rows": changed, "sequences": dict(sequences)}


__all__ = ["FixtureRows", "Store", "StoreError", "StoreUnwritable"]
