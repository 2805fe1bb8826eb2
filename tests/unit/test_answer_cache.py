from __future__ import annotations

from lago_mock.answer import Answer
from lago_mock.answer_cache import AnswerCache


def test_an_answer_is_given_again_until_something_is_written() -> None:
    version = 1
    cache = AnswerCache(lambda: version)
    cache.keep("a", Answer(200, b"{}"))
    assert cache.get("a") == Answer(200, b"{}")

    version = 2

    assert cache.get("a") is None


def test_it_holds_no_more_than_its_size() -> None:
    cache = AnswerCache(lambda: 1, size=2)
    for key in "abc":
        cache.keep(key, Answer(200, b"{}"))

    assert [cache.get(key) is not None for key in "abc"] == [False, False, True]
