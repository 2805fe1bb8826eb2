"""Rows of figures, a pair for each round, and the table they make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

Ratio = Literal["left / right", "right / left", "none"]


@dataclass(frozen=True)
class Row:
    """One thing measured on two sides, once a round; `left` is empty where it has no other side.

    `goal` is what the figure or the ratio must reach, as text for the reader.
    """

    name: str
    unit: str
    left: Sequence[float]
    right: Sequence[float]
    ratio: Ratio = "none"
    goal: str = ""

    def ratios(self) -> list[float]:
        """Return one ratio for each round."""
        pairs = zip(self.left, self.right, strict=True)
        if self.ratio == "none":
            return []
        if self.ratio == "left / right":
            return [left / right for left, right in pairs]
        return [right / left for left, right in pairs]

    def as_json(self, left: str, right: str) -> dict[str, Any]:
        """Return the row with all its rounds; the sides go by the names given."""
        ratios = self.ratios()
        return {
            "name": self.name,
            "unit": self.unit,
            left: list(self.left),
            right: list(self.right),
            "ratio": self.ratio.replace("left", left).replace("right", right),
            "ratios": ratios,
            "median_ratio": median(ratios) if ratios else None,
            "goal": self.goal,
        }


def table(rows: Sequence[Row], left: str, right: str) -> str:
    """Return the rows as a Markdown table: medians, the median ratio, its lowest and highest."""
    head = ("", "unit", left, right, "ratio", "over rounds", "ratio is", "goal")
    return aligned([head, *(_cells(row, left, right) for row in rows)])


def _cells(row: Row, left: str, right: str) -> tuple[str, ...]:
    ratios = row.ratios()
    return (
        row.name,
        row.unit,
        shown(median(row.left)) if row.left else "",
        shown(median(row.right)),
        f"{median(ratios):.2f}" if ratios else "",
        f"{min(ratios):.2f} to {max(ratios):.2f}" if ratios else "",
        row.ratio.replace("left", left).replace("right", right) if ratios else "",
        row.goal,
    )


def shown(figure: float) -> str:
    """Return a figure with three digits that count, or all before the point."""
    if figure >= 100:
        return f"{figure:,.0f}"
    return f"{figure:.3f}" if figure < 1 else f"{figure:.3g}"


def aligned(lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table of these lines of cells, the first being its head."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    padded = [
        [cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines
    ]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(line)} |" for line in padded)
