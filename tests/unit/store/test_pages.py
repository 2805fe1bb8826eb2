from __future__ import annotations

from itertools import chain

import pytest

from lago_mock.store.pages import ROWS_A_PAGE, Index, Pages, RowPage, RowPages


def numbers_of(rows: RowPages) -> list[int]:
    return list(rows.live())


def filled(count: int) -> RowPages:
    """Return rows that are numbered from 1 and hold their number."""
    rows = RowPages()
    for number in range(1, count + 1):
        rows.put(number, b"%d" % number, live=True)
    return rows


@pytest.fixture
def pages() -> Pages[list[str]]:
    """Three pages, begun in the order 2, 0, 1."""
    pages: Pages[list[str]] = Pages(list, list.copy)
    for number in (2, 0, 1):
        pages.mine(number).append(f"page {number}")
    return pages


def test_a_page_is_new_when_it_is_first_written_to(pages: Pages[list[str]]) -> None:
    assert pages.get(7) is None

    assert pages.mine(7) == []
    assert pages.get(7) is pages.mine(7)


def test_pages_stand_in_the_order_in_which_they_were_begun(pages: Pages[list[str]]) -> None:
    assert [*chain.from_iterable(pages.values())] == ["page 2", "page 0", "page 1"]
    assert [*chain.from_iterable(reversed(pages.values()))] == ["page 1", "page 0", "page 2"]


def test_shared_pages_do_not_change_with_those_that_were_shared(pages: Pages[list[str]]) -> None:
    shared = pages.share()

    pages.mine(0).append("more")
    pages.mine(3).append("new")

    assert dict(shared) == {2: ["page 2"], 0: ["page 0"], 1: ["page 1"]}
    assert pages.get(0) == ["page 0", "more"]


def test_a_page_is_copied_once_after_a_share_and_the_others_never(pages: Pages[list[str]]) -> None:
    shared = pages.share()

    first = pages.mine(0)
    second = pages.mine(0)

    assert first is second is not shared[0]
    assert (pages.get(1), pages.get(2)) == (shared[1], shared[2])
    assert pages.get(1) is shared[1]
    assert pages.get(2) is shared[2]


def test_nothing_is_copied_before_a_share(pages: Pages[list[str]]) -> None:
    page = pages.get(0)

    assert pages.mine(0) is page


def test_restored_pages_are_the_shared_ones_and_the_present_ones_come_back(
    pages: Pages[list[str]],
) -> None:
    shared = pages.share()
    pages.mine(0).append("more")
    pages.mine(3)

    before = pages.restore(shared)

    assert before == [["page 2"], ["page 0", "more"], ["page 1"], []]
    assert [*pages.values()] == [["page 2"], ["page 0"], ["page 1"]]
    assert pages.get(0) is shared[0]


def test_writes_after_a_restore_leave_the_shared_pages_alone(pages: Pages[list[str]]) -> None:
    shared = pages.share()
    pages.restore(shared)

    pages.mine(0).append("more")
    pages.mine(3)

    assert dict(shared) == {2: ["page 2"], 0: ["page 0"], 1: ["page 1"]}


def test_an_index_gives_the_number_that_a_key_was_last_put_with() -> None:
    index = Index()
    for number in range(2000):
        index.put(f"key {number}", number)
    index.put("key 7", 70)

    assert [index.get(f"key {number}") for number in (0, 7, 1999)] == [0, 70, 1999]


def test_an_index_forgets_a_key_that_is_dropped() -> None:
    index = Index()
    assert index.get("key") is None
    index.put("key", 1)

    index.drop("key")

    assert index.get("key") is None


def test_an_index_copies_one_bucket_for_one_key() -> None:
    index = Index()
    for number in range(5000):
        index.put(f"key {number}", number)
    shared = index.pages.share()

    index.put("key 7", 70)
    index.drop("key 7")

    changed = [number for number, bucket in shared.items() if index.pages.get(number) is not bucket]
    assert len(changed) == 1
    assert shared[changed[0]]["key 7"] == 7


def test_rows_are_kept_by_number() -> None:
    rows = filled(3)
    rows.put(2, b"changed", live=True)

    assert [rows[number] for number in rows] == [b"1", b"changed", b"3"]
    assert [number in rows for number in (0, 1, 3, 4, 10**6)] == [False, True, True, False, False]


def test_a_row_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        filled(3)[4]
    with pytest.raises(KeyError):
        filled(3)[10**6]


def test_a_row_that_is_no_longer_live_stays_and_is_never_live_again() -> None:
    rows = filled(3)

    rows.put(2, b"gone", live=False)
    rows.put(2, b"still gone", live=False)

    assert (numbers_of(rows), rows[2], list(rows)) == ([1, 3], b"still gone", [1, 2, 3])


def test_a_row_can_come_without_being_live() -> None:
    rows = filled(1)

    rows.put(2, b"gone", live=False)

    assert (numbers_of(rows), list(rows)) == ([1], [1, 2])


def test_a_dropped_row_is_no_more_whether_it_was_live_or_not() -> None:
    rows = filled(4)
    rows.put(2, b"gone", live=False)

    rows.drop(2)
    rows.drop(3)

    assert (numbers_of(rows), list(rows)) == ([1, 4], [1, 4])


def test_one_write_copies_one_page() -> None:
    rows = filled(5 * ROWS_A_PAGE)
    shared = rows.pages.share()

    rows.put(2 * ROWS_A_PAGE + 3, b"changed", live=True)
    rows.put(2 * ROWS_A_PAGE + 4, b"gone", live=False)

    same = [number for number, page in shared.items() if rows.pages.get(number) is page]
    assert same == [0, 1, 3, 4, 5]
    assert shared[2].rows[2 * ROWS_A_PAGE + 3] == b"%d" % (2 * ROWS_A_PAGE + 3)
    assert 2 * ROWS_A_PAGE + 4 in shared[2].live


def test_a_copied_page_changes_by_itself() -> None:
    page = RowPage({1: b"1"}, [1])

    copy = page.copy()
    copy.rows[2] = b"2"
    copy.live.append(2)

    assert page == RowPage({1: b"1"}, [1])


COUNT = 4 * ROWS_A_PAGE + 10
DISCARDED = {
    *range(5, COUNT, 7),
    *range(ROWS_A_PAGE, 2 * ROWS_A_PAGE),  # a page without a live row
    COUNT,
}


@pytest.fixture(scope="module")
def holes() -> RowPages:
    """Rows over several pages with discarded ones in between."""
    rows = filled(COUNT)
    for number in DISCARDED:
        rows.put(number, b"gone", live=False)
    return rows


LIVE = [number for number in range(1, COUNT + 1) if number not in DISCARDED]


@pytest.mark.parametrize("size", [1, 7, 100, ROWS_A_PAGE, len(LIVE) - 1, len(LIVE), 10**30])
def test_every_page_of_the_live_rows_is_the_same_as_that_of_a_list(
    holes: RowPages, size: int
) -> None:
    newest = LIVE[::-1]

    for start in range(0, len(LIVE) + size, size):
        assert holes.newest(start, start + size) == newest[start : start + size]


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 0), (3, 3), (len(LIVE) - 3, len(LIVE)), (len(LIVE) - 1, 10**9), (10**9, 10**10), (0, 1)],
)
def test_a_part_of_the_live_rows_is_the_same_as_that_of_a_list(
    holes: RowPages, start: int, stop: int
) -> None:
    assert holes.newest(start, stop) == LIVE[::-1][start:stop]


def test_live_rows_are_given_the_oldest_first(holes: RowPages) -> None:
    assert numbers_of(holes) == LIVE
    assert list(holes) == list(range(1, COUNT + 1))


def test_no_rows_have_no_pages() -> None:
    rows = RowPages()

    assert (rows.newest(0, 10), numbers_of(rows), list(rows)) == ([], [], [])
