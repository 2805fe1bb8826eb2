from __future__ import annotations

from typing import Any

import pytest
from shop import BillingDown, Refused, WrongKey, sign_up

from lago_mock import LagoMock


def register(lago_mock: LagoMock, **more: Any) -> dict[str, Any]:
    return sign_up(
        "acct-1", "ada@tallow.example", url=lago_mock.url, api_key=lago_mock.api_key, **more
    )


def test_a_busy_lago_is_asked_again(lago_mock: LagoMock) -> None:
    at_once = {"x-ratelimit-reset": "0"}  # in place of a second, which the test would take
    lago_mock.fail("createCustomer", "too_many_requests", headers=at_once, times=2)

    sign_up("tallow-7", "ada@tallow.example", url=lago_mock.url, api_key=lago_mock.api_key)

    asked = lago_mock.requests("createCustomer")
    assert [each.status for each in asked] == [429, 429, 200]
    assert lago_mock.customers()[0]["external_id"] == "tallow-7"


def test_a_currency_that_lago_refuses_is_left_to_lago(lago_mock: LagoMock) -> None:
    register(lago_mock, currency="XYZ")

    asked = lago_mock.requests("createCustomer")
    assert [each.status for each in asked] == [422, 200]
    assert lago_mock.customer("acct-1")["currency"] is None


def test_a_customer_is_signed_up_with_the_currency(lago_mock: LagoMock) -> None:
    register(lago_mock, currency="USD")

    assert lago_mock.customer("acct-1")["currency"] == "USD"
    lago_mock.assert_called("createCustomer", times=1, body={"customer": {"currency": "USD"}})


def test_what_lago_refuses_is_told_by_field(lago_mock: LagoMock) -> None:
    with pytest.raises(Refused) as caught:
        sign_up("acct-1", "not an address", url=lago_mock.url, api_key=lago_mock.api_key)

    assert caught.value.details == {"email": ["invalid_email_format"]}


def test_a_wrong_key_is_told_from_an_outage(lago_mock: LagoMock) -> None:
    with pytest.raises(WrongKey):
        sign_up("acct-1", "ada@tallow.example", url=lago_mock.url, api_key="stale-key")


def test_signup_tries_again_after_a_timeout(lago_mock: LagoMock) -> None:
    slow = lago_mock.fail("createCustomer", connection="HANG")

    register(lago_mock, timeout=0.5)

    assert slow.hits == 1
    lago_mock.assert_called("createCustomer", status=200)


def test_a_lost_answer_makes_no_second_customer(lago_mock: LagoMock) -> None:
    """The write happens and the answer is lost: the next attempt updates what is there."""
    lago_mock.fail("createCustomer", connection="EMPTY_RESPONSE", when="after")
    before = len(lago_mock.customers())

    register(lago_mock)

    assert len(lago_mock.requests("createCustomer")) == 2
    assert len(lago_mock.customers()) == before + 1


@pytest.mark.lago_mock(
    faults=[
        {
            "operation": "*",
            "error": "too_many_requests",
            "times": None,
            "headers": {"x-ratelimit-reset": "0"},
        }
    ]
)
def test_signup_gives_up_in_the_end(lago_mock: LagoMock) -> None:
    with pytest.raises(BillingDown):
        register(lago_mock)

    lago_mock.assert_called("createCustomer", times=3, status=429)
