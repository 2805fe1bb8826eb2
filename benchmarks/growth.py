"""Rows of figures at several sizes, one for each turn, and the table they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.table import aligned, shown


@dataclass(frozen=True)
class Growth:
    """One operation measured at each size, the smallest first, once a turn."""

    name: str
    unit: str
    figures: Mapping[int, Sequence[float]]
    goal: str = ""

    def ratios(self, size: int) -> list[float]:
        """Return the figure at a size against that at the smallest one, for each turn."""
        smallest = self.figures[min(self.figures)]
        return [large / small for small, large in zip(smallest, self.figures[size], strict=True)]

    def as_json(self) -> dict[str, Any]:
        """Return the row with all its turns."""
        ratios = {size: self.ratios(size) for size in self.figures}
        return {
            "name": self.name,
            "unit": self.unit,
            "figures": {str(size): list(each) for size, each in self.figures.items()},
            "ratios": {str(size): each for size, each in ratios.items()},
            "median_ratios": {str(size): median(each) for size, each in ratios.items()},
            "goal": self.goal,
        }


def growth_table(rows: Sequence[Growth]) -> str:
    """Return the rows as a Markdown table: medians, and the median ratio of each larger size."""
    smallest, *larger = rows[0].figures
    head = [
        "",
        "unit",
        *(f"{size:,}" for size in rows[0].figures),
        *(f"{size:,} / {smallest:,}" for size in larger),
        "goal",
    ]
    return aligned([head, *(_cells(row, larger) for row in rows)])


def _cells(row: Growth, larger: Sequence[int]) -> list[str]:
    return [
        row.name,
        row.unit,
        *(shown(median(each)) for each in row.figures.values()),
        *(f"{median(row.ratios(size)):.2f}" for size in larger),
        row.goal,
    ]
