from __future__ import annotations

import re
from typing import Any

import pytest

from lago_mock.errors import Problem, ValidationFailed
from lago_mock.provider_links import (
    PROVIDERS,
    provider_columns,
    provider_shown,
    refuse_payment_methods,
)
from lago_mock.resource import Call
from lago_mock.store.store import Store
from lago_mock.wire import JSONObject
from tests.unit.calls import call_of

NOT_FOUND = {"base": ["payment_provider_not_found"]}
CODE_MISSING = {"base": ["payment_provider_code_missing"]}
METHODS = "provider_payment_methods"

UNLINKED: JSONObject = {
    "payment_provider": None,
    "payment_provider_code": None,
    "provider_customer": {},
}
STRIPE: JSONObject = {
    "payment_provider": "stripe",
    "payment_provider_code": "stripe_eu",
    "provider_customer": {"provider_customer_id": "cus_1", METHODS: ["card"]},
}
NAMED: JSONObject = {**UNLINKED, "payment_provider": "adyen", "payment_provider_code": "old"}


def link(provider: str, code: str, customer_id: str, **settings: Any) -> JSONObject:
    return {
        "payment_provider": provider,
        "payment_provider_code": code,
        "provider_customer": {"provider_customer_id": customer_id, **settings},
    }


def call(given: JSONObject | None, *declared: str, problems: list[Problem] | None = None) -> Call:
    """Return a call with this configuration; connections are declared as `type:code`."""
    view = Store({"payment_providers": "code"}).view("org-1")
    for index, each in enumerate(declared):
        kind, _, code = each.partition(":")
        view.put("payment_providers", {"lago_id": str(index), "type": kind, "code": code})
    body = {} if given is None else {"billing_configuration": given}
    return call_of(body=body, view=view, problems=problems or [])


def new(given: JSONObject | None, *declared: str) -> JSONObject:
    return provider_columns(call(given, *declared), UNLINKED, is_new=True)


def known(given: JSONObject | None, row: JSONObject, *declared: str) -> JSONObject:
    return provider_columns(call(given, *declared), row, is_new=False)


# New customers


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="no configuration"),
        pytest.param({}, id="empty configuration"),
        pytest.param({"payment_provider": None}, id="null"),
        pytest.param({"payment_provider": "stripe"}, id="a provider alone"),
        pytest.param({"payment_provider": "paypal"}, id="an unknown provider alone"),
        pytest.param(
            {"payment_provider": "stripe", "payment_provider_code": "x"}, id="a provider and a code"
        ),
        pytest.param(
            {"payment_provider": "stripe", "sync_with_provider": False}, id="not to be made"
        ),
        pytest.param({"payment_provider": "stripe", "provider_customer_id": ""}, id="a blank id"),
        pytest.param({"provider_customer_id": "cus_1"}, id="an id without a provider"),
        pytest.param({"sync_with_provider": True}, id="to be made, without a provider"),
    ],
)
def test_a_new_customer_gets_no_provider_without_an_id_there(given: JSONObject | None) -> None:
    assert new(given) == {}


def test_a_new_customer_is_linked_by_its_id_there() -> None:
    given = {"payment_provider": "adyen", "provider_customer_id": "a-1"}

    assert new({**given, "payment_provider_code": "adyen_eu"}) == link("adyen", "adyen_eu", "a-1")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_where_no_connection_is_declared_every_provider_is_connected(provider: str) -> None:
    columns = new({"payment_provider": provider, "provider_customer_id": "c-1"})

    assert (columns["payment_provider"], columns["payment_provider_code"]) == (provider, provider)


@pytest.mark.parametrize(
    ("provider", "pattern"),
    [
        pytest.param("stripe", "cus_[0-9a-f]{14}", id="Stripe"),
        pytest.param("adyen", "adyen_[0-9a-f]{14}", id="others"),
    ],
)
@pytest.mark.parametrize("sync", [True, "false"])
def test_an_id_is_made_up_where_one_is_to_be_made(
    provider: str, pattern: str, sync: object
) -> None:
    made = new({"payment_provider": provider, "sync_with_provider": sync})["provider_customer"]

    assert re.fullmatch(pattern, made["provider_customer_id"])
    assert made["sync_with_provider"] == sync


def test_an_id_that_is_given_is_not_made_up() -> None:
    given = {"payment_provider": "adyen", "provider_customer_id": "a-1", "sync_with_provider": True}

    assert new(given) == link("adyen", "adyen", "a-1", sync_with_provider=True)


@pytest.mark.parametrize(
    ("methods", "kept"),
    [
        pytest.param({}, ["card"], id="absent"),
        pytest.param({METHODS: []}, ["card"], id="none"),
        pytest.param({METHODS: None}, ["card"], id="null"),
        pytest.param({METHODS: ["sepa_debit", "card"]}, ["sepa_debit", "card"], id="given"),
    ],
)
def test_stripe_has_payment_methods(methods: JSONObject, kept: list[str]) -> None:
    given = {"payment_provider": "stripe", "provider_customer_id": "cus_1", **methods}

    assert new(given)["provider_customer"] == {"provider_customer_id": "cus_1", METHODS: kept}


def test_other_providers_have_no_payment_methods() -> None:
    given = {"payment_provider": "adyen", "provider_customer_id": "a-1", METHODS: ["card"]}

    assert new(given) == link("adyen", "adyen", "a-1")


CONNECTED = ("stripe:us", "adyen:only", "stripe:eu")


@pytest.mark.parametrize(
    ("provider", "code", "found"),
    [
        pytest.param("stripe", "eu", "eu", id="by its code"),
        pytest.param("adyen", "only", "only", id="the only one, by its code"),
        pytest.param("adyen", None, "only", id="the only one"),
    ],
)
def test_a_declared_connection_is_found(provider: str, code: str | None, found: str) -> None:
    given = {"payment_provider": provider, "provider_customer_id": "c-1"}

    columns = new({**given, "payment_provider_code": code}, *CONNECTED)

    assert columns["payment_provider_code"] == found


@pytest.mark.parametrize(
    ("provider", "code", "details"),
    [
        pytest.param("stripe", None, CODE_MISSING, id="several and no code"),
        pytest.param("stripe", "only", NOT_FOUND, id="a code of another provider"),
        pytest.param("adyen", "nope", NOT_FOUND, id="an unknown code"),
        pytest.param("cashfree", None, NOT_FOUND, id="a provider without a connection"),
        pytest.param("paypal", None, NOT_FOUND, id="an unknown provider"),
        pytest.param("Adyen", None, NOT_FOUND, id="a provider in capitals"),
    ],
)
def test_a_connection_that_is_not_declared_is_refused(
    provider: str, code: str | None, details: JSONObject
) -> None:
    given = {"payment_provider": provider, "provider_customer_id": "c-1"}

    with pytest.raises(ValidationFailed) as caught:
        new({**given, "payment_provider_code": code}, *CONNECTED)

    assert caught.value.details() == details


def test_an_unknown_provider_is_refused_also_where_none_is_declared() -> None:
    with pytest.raises(ValidationFailed) as caught:
        new({"payment_provider": "paypal", "provider_customer_id": "c-1"})

    assert caught.value.details() == NOT_FOUND


# Known customers


@pytest.mark.parametrize(
    "given",
    [
        pytest.param({"payment_provider": "stripe", "provider_customer_id": "cus_9"}, id="an id"),
        pytest.param({"payment_provider": "stripe", "sync_with_provider": True}, id="to be made"),
    ],
)
def test_a_known_customer_without_an_id_there_is_linked_like_a_new_one(given: JSONObject) -> None:
    columns = known(given, UNLINKED, "stripe:eu")

    assert columns == new(given, "stripe:eu")
    assert columns["payment_provider_code"] == "eu"


def test_a_provider_that_is_stored_is_linked_when_an_id_comes() -> None:
    columns = known({"provider_customer_id": "a-1"}, NAMED, "adyen:eu", "stripe:us")

    assert columns == link("adyen", "eu", "a-1")


def test_linking_a_known_customer_looks_for_a_connection() -> None:
    with pytest.raises(ValidationFailed) as caught:
        known({"payment_provider": "adyen", "sync_with_provider": True}, UNLINKED, "stripe:us")

    assert caught.value.details() == NOT_FOUND


@pytest.mark.parametrize("row", [UNLINKED, NAMED, STRIPE], ids=["without", "named", "linked"])
@pytest.mark.parametrize("given", [None, {}, {"payment_provider_code": "x"}])
def test_nothing_changes_without_the_key_of_the_provider(
    given: JSONObject | None, row: JSONObject
) -> None:
    assert known(given, row) == {}


@pytest.mark.parametrize(
    ("row", "given", "code"),
    [
        pytest.param(UNLINKED, {}, None, id="without a code"),
        pytest.param(UNLINKED, {"payment_provider_code": "x"}, "x", id="with a code"),
        pytest.param(NAMED, {}, "old", id="the code stays"),
        pytest.param(NAMED, {"payment_provider_code": None}, None, id="null for a code"),
    ],
)
def test_a_provider_is_stored_without_looking_for_a_connection(
    row: JSONObject, given: JSONObject, code: str | None
) -> None:
    columns = known({"payment_provider": "gocardless", **given}, row, "stripe:us")

    assert {**row, **columns} == {
        "payment_provider": "gocardless",
        "payment_provider_code": code,
        "provider_customer": {},
    }


def test_a_customer_that_is_linked_is_not_linked_anew() -> None:
    given = {"payment_provider": "stripe", "provider_customer_id": "cus_9"}

    assert {**STRIPE, **known(given, STRIPE, "stripe:other")} == STRIPE


@pytest.mark.parametrize("code", [{}, {"payment_provider_code": "x"}], ids=["no code", "a code"])
@pytest.mark.parametrize("row", [NAMED, STRIPE], ids=["named", "linked"])
def test_an_unknown_provider_becomes_null_and_the_code_stays(
    row: JSONObject, code: JSONObject
) -> None:
    columns = known({"payment_provider": "paypal", **code}, row)

    assert {**row, **columns} == {**row, "payment_provider": None}


def test_null_detaches_a_linked_customer() -> None:
    assert {**STRIPE, **known({"payment_provider": None}, STRIPE)} == UNLINKED


def test_null_leaves_the_code_of_a_customer_that_is_not_linked() -> None:
    columns = known({"payment_provider": None}, NAMED)

    assert {**NAMED, **columns} == {**UNLINKED, "payment_provider_code": "old"}


# Payment methods


def refused(methods: list[str] | None, row: JSONObject, *problems: Problem) -> JSONObject | None:
    given: JSONObject = {"payment_provider": "stripe", METHODS: methods}
    try:
        refuse_payment_methods(call(given, problems=list(problems)), row)
    except ValidationFailed as error:
        return error.details()
    return None


BAD_METHOD = Problem(METHODS, "value_is_invalid", "enum", ("billing_configuration", METHODS, 0))
INVALID = {METHODS: ["value_is_invalid"]}
ALONE = {METHODS: ["customer_balance cannot be combined with other payment methods"]}


@pytest.mark.parametrize(
    ("methods", "details"),
    [
        pytest.param(None, None, id="null"),
        pytest.param([], None, id="none"),
        pytest.param(["card"], None, id="card"),
        pytest.param(["link", "card"], None, id="link with card"),
        pytest.param(["link"], INVALID, id="link alone"),
        pytest.param(["link", "sepa_debit"], INVALID, id="link without card"),
        pytest.param(["customer_balance"], None, id="balance alone"),
        pytest.param(["customer_balance", "customer_balance"], None, id="balance twice"),
        pytest.param(["card", "customer_balance"], ALONE, id="balance with card"),
    ],
)
def test_methods_that_do_not_go_together_are_refused(
    methods: list[str] | None, details: JSONObject | None
) -> None:
    assert refused(methods, STRIPE) == details


def test_methods_that_the_document_does_not_know_are_refused_first() -> None:
    assert refused(["cash", "link"], STRIPE, BAD_METHOD) == INVALID
    assert refused(["card"], STRIPE, Problem("name", "bad", "enum", ("name",))) is None


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(UNLINKED, id="no provider"),
        pytest.param({**STRIPE, "provider_customer": {}}, id="not linked"),
        pytest.param({**STRIPE, "payment_provider": "adyen"}, id="another provider"),
    ],
)
def test_methods_count_on_a_linked_customer_of_stripe_alone(row: JSONObject) -> None:
    assert refused(["link", "customer_balance"], row, BAD_METHOD) is None


def test_methods_that_are_absent_are_in_order() -> None:
    refuse_payment_methods(call(None), STRIPE)


# What is shown


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        pytest.param(STRIPE, STRIPE["provider_customer"], id="linked"),
        pytest.param(NAMED, {"provider_customer_id": None}, id="named"),
        pytest.param(
            {**NAMED, "payment_provider": "stripe"},
            {"provider_customer_id": None, METHODS: None},
            id="named Stripe",
        ),
        pytest.param(UNLINKED, {}, id="without"),
        pytest.param({**STRIPE, "payment_provider": None}, {}, id="the provider is gone"),
    ],
)
def test_a_providers_customer_is_shown_beside_its_provider(
    row: JSONObject, shown: JSONObject
) -> None:
    assert provider_shown(row) == shown


def test_payment_methods_are_shown_beside_stripe_alone() -> None:
    assert METHODS not in provider_shown({**STRIPE, "payment_provider": "adyen"})
