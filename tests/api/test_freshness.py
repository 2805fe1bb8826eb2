from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

Change = Callable[[httpx.Client], httpx.Response]


def customer(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **changes}})


def tax(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.put("/taxes/vat", json={"tax": changes})


def organization(client: httpx.Client, **changes: Any) -> httpx.Response:
    return client.put("/organizations", json={"organization": changes})


@pytest.fixture
def known(client: httpx.Client) -> httpx.Client:
    """Client that has a customer with a tax, and has read both and the organization."""
    new = {"name": "VAT", "code": "vat", "rate": 20}
    client.post("/taxes", json={"tax": new}).raise_for_status()
    customer(client, tax_codes=["vat"]).raise_for_status()
    for path in ("/customers/acct-1", "/taxes/vat", "/organizations"):
        client.get(path).raise_for_status()
    return client


@pytest.mark.parametrize(
    ("change", "path", "shown"),
    [
        (lambda client: customer(client, name="Ada"), "/customers/acct-1", '"name":"Ada"'),
        (lambda client: tax(client, rate=7), "/customers/acct-1", '"rate":7.0'),
        (lambda client: tax(client, name="Excise"), "/taxes/vat", '"name":"Excise"'),
        (
            lambda client: organization(client, timezone="Asia/Tokyo"),
            "/customers/acct-1",
            '"applicable_timezone":"Asia/Tokyo"',
        ),
        (lambda client: organization(client, city="Kyoto"), "/organizations", '"city":"Kyoto"'),
        (lambda client: client.delete("/taxes/vat"), "/customers/acct-1", '"taxes":[]'),
    ],
    ids=["customer", "its tax", "tax", "its time zone", "organization", "its deleted tax"],
)
def test_what_was_read_before_shows_each_change(
    known: httpx.Client, change: Change, path: str, shown: str
) -> None:
    before = known.get(path).text
    change(known).raise_for_status()

    assert shown not in before
    assert shown in known.get(path).text


def test_what_was_read_before_is_gone_when_it_is_deleted(known: httpx.Client) -> None:
    known.delete("/customers/acct-1").raise_for_status()

    assert known.get("/customers/acct-1").status_code == 404


def test_what_was_read_before_is_gone_after_a_reset(
    known: httpx.Client, admin: httpx.Client
) -> None:
    admin.post("/reset").raise_for_status()

    assert known.get("/customers/acct-1").status_code == 404


def test_what_was_read_before_still_meets_a_fault(known: httpx.Client, admin: httpx.Client) -> None:
    admin.post("/faults", json={"operation": "findCustomer", "error": "bad_gateway"})

    assert known.get("/customers/acct-1").status_code == 502
    assert known.get("/customers/acct-1").status_code == 200


def test_answers_that_are_equal_have_ids_of_their_own(known: httpx.Client) -> None:
    answers = [known.get("/customers/acct-1") for _ in range(2)]

    assert answers[0].text == answers[1].text
    assert answers[0].headers["x-request-id"] != answers[1].headers["x-request-id"]
