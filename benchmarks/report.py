"""What a part of the measurement found: a table for the reader, and every figure as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.growth import Growth, growth_table
from benchmarks.table import Row, table


@dataclass(frozen=True)
class Section:
    """One table; `name` is its key in the JSON, `rows` are its rows there."""

    name: str
    title: str
    table: str
    rows: Sequence[dict[str, Any]]

    def text(self) -> str:
        """Return title and table."""
        return f"{self.title}\n\n{self.table}\n"


def compared(name: str, title: str, rows: Sequence[Row], sides: tuple[str, str]) -> Section:
    """Return the section of rows with two sides, which go by these names."""
    return Section(name, title, table(rows, *sides), [row.as_json(*sides) for row in rows])


def grown(name: str, title: str, rows: Sequence[Growth]) -> Section:
    """Return the section of rows with a figure at each size."""
    return Section(name, title, growth_table(rows), [row.as_json() for row in rows])
