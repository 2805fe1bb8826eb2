"""What the rows of a resource keep, as JSON Schema: rows that come from outside are held to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final

from lago_mock.wire import JSONObject

Schema = Mapping[str, Any]

SHOWN: Final[Schema] = MappingProxyType({})
"""Of a column that answers show as it is kept: what they may show says what it may be."""

TEXT: Final[Schema] = MappingProxyType({"type": "string"})
TEXT_OR_NULL: Final[Schema] = MappingProxyType({"type": ["string", "null"]})
TEXTS: Final[Schema] = MappingProxyType({"type": "array", "items": {"type": "string"}})
NUMBER: Final[Schema] = MappingProxyType({"type": "integer"})
"""Of the column that has what the collection's sequence gave."""

ID: Final[Schema] = MappingProxyType({"type": "string", "format": "uuid"})
MOMENT: Final[Schema] = MappingProxyType({"type": "string", "format": "date-time", "pattern": "Z$"})
"""A time in UTC, which answers cut to the second."""

PERCENT_OR_NULL: Final[Schema] = MappingProxyType(
    {"type": ["number", "null"], "minimum": 0, "maximum": 100}
)


@dataclass(frozen=True)
class Columns:
    """The columns that a row must have and those that it may have.

    With `others` it may have any more, which answers show as they are kept. `rules` are schemas of
    the whole row. No row has `deleted_at`: deleted ones are not given. `references` are columns
    that hold the `lago_id` of a row of another collection, or a list of them.
    """

    needed: Mapping[str, Schema]
    optional: Mapping[str, Schema] = field(default_factory=dict)
    others: bool = False
    rules: tuple[Schema, ...] = ()
    references: Mapping[str, str] = field(default_factory=dict)

    def schema(self) -> JSONObject:
        """Return the JSON Schema of a row."""
        columns = {**self.needed, **self.optional}
        return {
            "type": "object",
            "required": list(self.needed),
            "properties": {
                "deleted_at": {"not": {}},
                **{name: dict(schema) for name, schema in columns.items()},
            },
            "additionalProperties": self.others,
            "allOf": [dict(rule) for rule in self.rules],
        }

    def later_than(self, last: int, row: JSONObject) -> str | None:
        """Return the column whose number the collection's sequence will give again; None if none.

        `last` is the last one that it gave.
        """
        return next((name for name in self._numbers if row[name] > last), None)

    def whole(self, row: JSONObject) -> JSONObject:
        """Return a row with its numbers as such: JSON may give them a fraction of nothing."""
        return {**row, **{name: int(row[name]) for name in self._numbers}}

    @cached_property
    def _numbers(self) -> tuple[str, ...]:
        return tuple(name for name, kind in self._ours if kind is int)

    @cached_property
    def _ours(self) -> tuple[tuple[str, type], ...]:
        """The columns that no request sets, each with its type."""
        ours = (ID, MOMENT, NUMBER)
        return tuple(
            (name, int if schema is NUMBER else str)
            for name, schema in self.needed.items()
            if any(schema is each for each in ours)
        )

    def flaw(self, row: JSONObject) -> str | None:
        """Return a column that a row lacks, or that no request sets and is another's; None if none.

        It costs less than the schema, and holds for what was written without any validation.
        """
        if not self.needed.keys() <= row.keys():
            return next(name for name in self.needed if name not in row)
        return next((name for name, kind in self._ours if type(row[name]) is not kind), None)
