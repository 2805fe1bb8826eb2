"""All rows of an organization as JSON; `state_judge` reads what is given back.

{"version": 1,
 "organizations": [{"organization": {"lago_id": …, "name": …},   its own row
                    "collections": {"taxes": [{…}]},             rows, the oldest first
                    "sequences": {"customers": 12}}]}            last numbers given
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lago_mock.redaction import cut
from lago_mock.resource import Resource
from lago_mock.store.store import State
from lago_mock.store.tables import Row
from lago_mock.store.view import View
from lago_mock.wire import JSONObject

VERSION: Final = 1

_INTERNAL: Final = ("founding", "temporary", "fixtures")
"""Columns of an organization that say what a reset makes of it: no part of its state."""

Collections = Mapping[str, list[Row]]


@dataclass(frozen=True)
class SavedOrganization:
    """One organization: its own row, the rows of each collection, the last numbers given."""

    row: Row
    collections: Collections
    sequences: Mapping[str, int]

    def fill(self, view: View) -> None:
        """Stage it in a view of an organization that has no rows."""
        view.rows["organizations"] = {1: self.row}
        for name, rows in self.collections.items():
            view.rows[name] = dict(enumerate(rows, 1))
        view.sequences.update(self.sequences)


def saved(row: Row, state: State, resources: Mapping[str, Resource]) -> JSONObject:
    """Return an organization as JSON, its API keys cut.

    Deleted rows are left out, and so is what refers to them: no answer shows it.
    """
    keys = [{**key, "value": cut(key["value"])} for key in row["api_keys"]]
    own = {name: value for name, value in row.items() if name not in _INTERNAL}
    own["api_keys"] = keys
    collections = {
        name: list(frozen.live_rows()) for name, frozen in state.collections.items() if frozen.live
    }
    bound = {name: _bound(name, collections, resources[name]) for name in collections}
    return {"organization": own, "collections": bound, "sequences": dict(state.sequences)}


def _bound(name: str, collections: Collections, resource: Resource) -> list[Row]:
    """Return the rows whose references lead somewhere; lists without those that do not."""
    rows = collections[name]
    for column, target in resource.references.items():
        there = ids_in(collections, target)
        rows = [kept for row in rows if (kept := _within(row, column, there))]
    return rows


def _within(row: Row, column: str, there: set[str]) -> Row | None:
    value = row[column]
    if isinstance(value, list):
        return {**row, column: [each for each in value if each in there]}
    return row if value in there else None


def ids_in(collections: Collections, name: str) -> set[str]:
    """Return the ids of the rows of a collection."""
    return {row["lago_id"] for row in collections.get(name, ())}
