from __future__ import annotations

from typing import Any

import pytest

from lago_mock.webhooks.delivery import Delivery, envelope, seconds_after, shown_url


def delivery(**given: Any) -> Delivery:
    usual = {
        "id": "d-1",
        "type": "dog.born",
        "object_type": "dog",
        "endpoint_id": "e-1",
        "url": "http://a.test/",
        "algorithm": "jwt",
        "body": "{}",
        "created_at": "2026-11-22T09:30:00.000000Z",
    }
    return Delivery(**{**usual, **given})


def attempt(status: int | None, error: str | None = None) -> dict[str, Any]:
    return {"time": "t", "status": status, "error": error, "duration_ms": 1.0, "answer": ""}


def test_the_envelope_is_compact_and_escaped_in_its_order() -> None:
    body = envelope("dog.born", "dog", "o-1", {"name": "<Ré & Co>\u2028/"})

    assert body == (
        b'{"webhook_type":"dog.born","object_type":"dog","organization_id":"o-1",'
        b'"dog":{"name":"\\u003cR\xc3\xa9 \\u0026 Co\\u003e\\u2028/"}}'
    )


@pytest.mark.parametrize(("number", "least", "most"), [(1, 3, 3.15), (2, 18, 20.4)])
def test_waiting_times_are_those_of_lago(number: int, least: float, most: float) -> None:
    times = {seconds_after(number, f"d-{each}") for each in range(200)}

    assert least <= min(times) < max(times) <= most
    assert len(times) == 200


def test_waiting_times_of_a_delivery_repeat() -> None:
    assert seconds_after(2, "d-1") == seconds_after(2, "d-1")


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_success_ends_it(status: int) -> None:
    one = delivery()

    one.note(attempt(status))

    assert (one.state, one.is_open) == ("succeeded", False)


@pytest.mark.parametrize(("status", "error"), [(203, None), (302, None), (500, None), (None, "x")])
def test_the_third_failure_ends_it(status: int | None, error: str | None) -> None:
    one = delivery()
    states = []

    for _ in range(3):
        one.note(attempt(status, error))
        states.append(one.state)

    assert states == ["retrying", "retrying", "failed"]


def test_a_row_makes_the_same_delivery_but_for_its_headers() -> None:
    one = delivery(headers={"X-Lago-Signature": "s"}, fault="delayed", next_attempt_at="t")
    one.note(attempt(500))

    again = Delivery.of(one.row())

    assert vars(again) == {**vars(one), "headers": {}}
    assert one.row()["lago_id"] == "d-1"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://a.test/x?y=z", "http://a.test/x?y=z"),
        ("https://ada:secret@a.test:1/x", "https://…@a.test:1/x"),
        ("http://ada@a.test", "http://…@a.test"),
        ("http://ada:p@ss@[a/x@y", "http://…@[a/x@y"),
        ("http://a.test/?to=b@c", "http://a.test/?to=b@c"),
        ("http://a.test/x?token=top-secret-1&y=z", "http://a.test/x?token=…et-1&y=z"),
        ("", ""),
    ],
)
def test_name_password_and_tokens_of_a_url_are_left_out(url: str, shown: str) -> None:
    assert shown_url(url) == shown
