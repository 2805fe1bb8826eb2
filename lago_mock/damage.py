"""What rows of a state file lack that this server would have written: the file was changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from lago_mock.resource import Resource
from lago_mock.store.state import Rows
from lago_mock.store.store import Judge
from lago_mock.store.tables import Row

_TABLES: Final = ("organizations", "billing_entities")
"""Each organization has a row of these."""

_OWN_COLUMNS: Final = ("founding", "api_keys", "hmac_key")
"""The row of an organization has these beside what a saved state has of it."""


def judge_of(resources: Mapping[str, Resource]) -> Judge:
    """Return what tells the damage of an owner's rows, and None for rows that can be served.

    It looks for what every row has; what requests have put in may be anything.
    """
    return partial(_damage, resources)


def _damage(
    resources: Mapping[str, Resource], owner: str, rows: Rows, sequences: Mapping[str, int]
) -> str | None:
    return next(_damages(resources, owner, rows, sequences), None)


def _damages(
    resources: Mapping[str, Resource], owner: str, rows: Rows, sequences: Mapping[str, int]
) -> Iterator[str]:
    for name in _TABLES:
        if not any(_live(rows.get(name, {}))):
            yield f"the table '{name}:{owner}' has no row"
    for resource in resources.values():
        last = sequences.get(resource.plural, 0)
        yield from _flaws(resource, owner, rows.get(resource.plural, {}), last)


def _live(rows: Mapping[int, Row]) -> Iterator[tuple[int, Row]]:
    return ((number, rows[number]) for number in sorted(rows) if "deleted_at" not in rows[number])


def _flaws(resource: Resource, owner: str, rows: Mapping[int, Row], last: int) -> Iterator[str]:
    columns, key = resource.columns, resource.key
    if columns is None or key is None:
        return
    own = _OWN_COLUMNS if resource.plural == "organizations" else ()
    seen: dict[str, int] = {}
    for number, row in _live(rows):
        here = f"row {number} of the table '{resource.plural}:{owner}'"
        flaw = columns.flaw(row) or _lacking(row, key, own)
        if flaw:
            yield f"{here} has no {flaw!r} that can be"
        elif seen.setdefault(row["lago_id"], number) != number:
            yield f"{here} has the lago_id of row {seen[row['lago_id']]}"
        elif column := columns.later_than(last, row):
            yield f"{here} has the {column} {row[column]}, but {last} is the last one given"


def _lacking(row: Row, key: str, own: Sequence[str]) -> str | None:
    if not isinstance(row[key], str):
        return key
    return next((name for name in own if name not in row), None)
