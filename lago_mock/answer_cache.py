"""Answers of reads, kept for as long as nothing of their organization is written."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from lago_mock.answer import Answer


class AnswerCache:
    """The last answers of one organization, at most `size`; `version` counts its commits.

    An answer was checked when it was made, and shows what any commit may change: one commit, and
    none of those before it is given again.
    """

    def __init__(self, version: Callable[[], int], size: int = 1000) -> None:
        self._version = version
        self._size = size
        self._kept: dict[Hashable, Answer] = {}
        self._of_version = version()

    def get(self, key: Hashable) -> Answer | None:
        """Return the answer of a request like this, None when none is kept."""
        if self._of_version != self._version():
            self.clear()
            self._of_version = self._version()
        return self._kept.get(key)

    def clear(self) -> None:
        """Let go of all answers."""
        self._kept.clear()

    def keep(self, key: Hashable, answer: Answer) -> None:
        """Keep an answer that was just made; all go when there are too many."""
        if len(self._kept) >= self._size:
            self.clear()
        self._kept[key] = answer
