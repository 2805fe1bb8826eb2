from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from lago_mock.feed import Feed, Lost, Reader


@dataclass(frozen=True)
class News:
    """What readers are told of here."""

    name: str
    organization_id: str | None = None
    body_bytes: int = 0


Told = News | Lost | None


def heard(reader: Reader[News], count: int) -> list[Told]:
    async def hear() -> list[Told]:
        return [await reader.next(1) for _ in range(count)]

    return asyncio.run(hear())


def test_feed_has_no_readers_until_one_joins_and_when_it_has_left() -> None:
    feed: Feed[News] = Feed()
    assert not feed.readers
    reader = feed.join(None, arrivals=False)
    assert feed.readers == {reader}
    feed.leave(reader)
    feed.leave(reader)
    assert not feed.readers
    assert reader.closed.is_set()


@pytest.mark.parametrize(
    ("arrivals", "names"),
    [
        pytest.param(True, ["first", "first", "second"], id="arrivals too"),
        pytest.param(False, ["first", "second"], id="completions"),
    ],
)
def test_readers_are_told_in_order(arrivals: bool, names: list[str]) -> None:
    feed: Feed[News] = Feed()
    reader = feed.join(None, arrivals=arrivals)
    feed.arrived(News("first"))
    feed.completed(News("first"))
    feed.completed(News("second"))
    assert heard(reader, len(names)) == [News(name) for name in names]
    feed.completed(News("last"))
    assert heard(reader, 1) == [News("last")]


@pytest.mark.parametrize(
    ("organization", "wanted"),
    [
        pytest.param(None, ["a", "b", None], id="all"),
        pytest.param("a", ["a"], id="one"),
        pytest.param("c", [], id="another"),
    ],
)
def test_reader_of_an_organization_is_told_of_its_own(
    organization: str | None, wanted: list[str | None]
) -> None:
    feed: Feed[News] = Feed()
    reader = feed.join(organization, arrivals=False)
    for each in ("a", "b", None):
        feed.completed(News("news", each))
    assert heard(reader, len(wanted)) == [News("news", each) for each in wanted]
    with pytest.raises(TimeoutError):
        asyncio.run(reader.next(0.001))


def test_reader_that_joined_late_is_told_what_comes_then() -> None:
    feed: Feed[News] = Feed()
    feed.completed(News("before"))
    reader = feed.join(None, arrivals=False)
    feed.completed(News("after"))
    assert heard(reader, 1) == [News("after")]


def test_slow_reader_loses_the_oldest_and_is_told_how_many() -> None:
    feed: Feed[News] = Feed()
    reader = feed.join(None, arrivals=False)
    for number in range(1007):
        feed.completed(News(str(number)))

    assert heard(reader, 2) == [Lost(7), News("7")]
    feed.completed(News("1007"))
    feed.completed(News("1008"))
    found = heard(reader, 1001)
    assert found[:2] == [Lost(1), News("9")]
    assert found[-1] == News("1008")


def test_slow_reader_keeps_no_more_than_8_mib() -> None:
    feed: Feed[News] = Feed()
    reader = feed.join(None, arrivals=False)
    for number in range(6):
        feed.completed(News(str(number), body_bytes=2 * 1024 * 1024))
    assert heard(reader, 5) == [Lost(2), *(News(str(each), None, 2**21) for each in (2, 3, 4, 5))]


def test_size_counts_as_it_was_when_it_was_told() -> None:
    class Growing(News):
        body_bytes = 1

    feed: Feed[News] = Feed()
    reader = feed.join(None, arrivals=False)
    news = Growing("news")
    feed.completed(news)
    object.__setattr__(news, "body_bytes", 10**9)
    feed.completed(News("next", body_bytes=8 * 1024 * 1024 - 1))
    assert heard(reader, 2) == [news, News("next", body_bytes=8 * 1024 * 1024 - 1)]


def woken_by(act: Callable[[Feed[News], Reader[News]], None]) -> Told:
    async def wait() -> Told:
        feed: Feed[News] = Feed()
        reader = feed.join(None, arrivals=False)
        waiting: Awaitable[Told] = asyncio.ensure_future(reader.next())
        await asyncio.sleep(0)
        act(feed, reader)
        return await waiting

    return asyncio.run(wait())


@pytest.mark.parametrize(
    ("act", "told"),
    [
        pytest.param(lambda feed, _: feed.completed(News("a")), News("a"), id="news"),
        pytest.param(lambda _, reader: reader.close(), None, id="close"),
        pytest.param(lambda feed, reader: feed.leave(reader), None, id="leave"),
        pytest.param(lambda feed, _: feed.close(), None, id="the end"),
    ],
)
def test_waiting_reader_is_woken(
    act: Callable[[Feed[News], Reader[News]], None], told: Told
) -> None:
    assert woken_by(act) == told


def test_closed_reader_is_told_nothing_that_is_left() -> None:
    feed: Feed[News] = Feed()
    reader = feed.join(None, arrivals=False)
    feed.completed(News("a"))
    reader.close()
    assert heard(reader, 2) == [None, None]


def test_reader_that_joins_after_the_end_is_let_go_at_once() -> None:
    feed: Feed[News] = Feed()
    feed.close()
    assert heard(feed.join(None, arrivals=False), 1) == [None]
