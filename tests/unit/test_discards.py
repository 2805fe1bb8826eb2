from __future__ import annotations

import weakref
from collections.abc import Callable

from lago_mock.discards import Discards


class Page:
    """What can be seen to go."""


class Loop:
    """Runs each step when it is told to."""

    def __init__(self) -> None:
        self.steps: list[Callable[[], None]] = []

    def soon(self, step: Callable[[], None]) -> None:
        self.steps.append(step)

    def turn(self) -> None:
        steps, self.steps = self.steps, []
        for step in steps:
            step()


def alive(pages: list[weakref.ref[Page]]) -> int:
    return sum(page() is not None for page in pages)


def add(discards: Discards, count: int) -> list[weakref.ref[Page]]:
    """Have a discards take pages that nobody else holds; return what tells whether they are."""
    pages = [Page() for _ in range(count)]
    references = [weakref.ref(page) for page in pages]
    discards.add(pages)
    return references


def test_without_a_later_pages_go_at_once() -> None:
    assert alive(add(Discards(), 3)) == 0


def test_with_a_later_one_page_goes_at_each_step() -> None:
    discards, loop = Discards(), Loop()
    discards.later = loop.soon

    pages = add(discards, 3)

    left = [alive(pages)]
    while loop.steps:
        assert len(loop.steps) == 1
        loop.turn()
        left.append(alive(pages))
    assert left == [3, 2, 1, 0]


def test_pages_that_come_while_others_wait_go_in_the_same_steps() -> None:
    discards, loop = Discards(), Loop()
    discards.later = loop.soon
    first = add(discards, 2)
    loop.turn()

    second = add(discards, 2)

    assert (len(loop.steps), alive(first), alive(second)) == (1, 1, 2)
    for _ in range(3):
        loop.turn()
    assert (loop.steps, alive(first), alive(second)) == ([], 0, 0)


def test_pages_that_come_after_all_went_are_taken_up_again() -> None:
    discards, loop = Discards(), Loop()
    discards.later = loop.soon
    add(discards, 1)
    loop.turn()

    pages = add(discards, 1)

    assert (len(loop.steps), alive(pages)) == (1, 1)
    loop.turn()
    assert alive(pages) == 0


def test_no_pages_need_no_step() -> None:
    discards, loop = Discards(), Loop()
    discards.later = loop.soon

    discards.add([])

    assert loop.steps == []


def test_the_rest_stays_when_there_is_no_later_any_more() -> None:
    discards, loop = Discards(), Loop()
    discards.later = loop.soon
    pages = add(discards, 3)

    discards.later = None
    loop.turn()

    assert (loop.steps, alive(pages)) == ([], 2)
