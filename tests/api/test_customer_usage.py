from __future__ import annotations

from typing import Any

import httpx
import pytest

from lago_mock.app import LagoMockApp
from tests.conftest import API_KEY

NO_PERIODS = {
    "usage_periods": [],
    "meta": {
        "current_page": 0,
        "next_page": None,
        "prev_page": None,
        "total_pages": 0,
        "total_count": 0,
    },
}
NOTHING_USED: dict[str, Any] = {
    "from_datetime": "2026-11-22T09:45:00Z",
    "to_datetime": "2026-11-30T23:59:59Z",
    "issuing_date": "2026-11-30",
    "lago_invoice_id": None,
    "currency": "EUR",
    "amount_cents": 0,
    "taxes_amount_cents": 0,
    "total_amount_cents": 0,
    "charges_usage": [],
}
each_running = pytest.mark.parametrize("route", ["current_usage", "projected_usage"])


def make_customer(client: httpx.Client, external_id: str = "acct-1") -> str:
    response = client.post("/customers", json={"customer": {"external_id": external_id}})
    return str(response.raise_for_status().json()["customer"]["lago_id"])


def answer(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def forbidden(code: str) -> tuple[int, Any]:
    return 403, {"status": 403, "error": "Forbidden", "code": code}


def not_found(code: str) -> tuple[int, Any]:
    return 404, {"status": 404, "error": "Not Found", "code": code}


def not_allowed(code: str) -> tuple[int, Any]:
    return 405, {"status": 405, "error": "Method Not Allowed", "code": code}


def refused(field: str, code: str) -> tuple[int, Any]:
    return 422, {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": {field: [code]},
    }


def subscribe(app: LagoMockApp, owner: str, **changes: Any) -> None:
    """Keep the subscription that the document shows, which no operation makes as yet."""
    sandbox = app.server.tenants.of(API_KEY)
    assert sandbox is not None
    operations = app.server.operations
    page = operations.contract.operations["findAllCustomerSubscriptions"].example(200)
    own = {"lago_id": sandbox.facts.clock.new_id(), "customer_id": owner}
    operations.keep(sandbox.facts, "subscriptions", {**page["subscriptions"][0], **own, **changes})


@pytest.fixture
def without_license(client: httpx.Client, admin: httpx.Client) -> httpx.Client:
    """Client of a server that is licensed for nothing extra, until its next reset."""
    admin.patch("/settings", json={"license": "free"}).raise_for_status()
    return client


@each_running
@pytest.mark.parametrize("deleted", [False, True], ids=["unknown", "deleted"])
@pytest.mark.parametrize("query", ["", "?external_subscription_id=sub-1", "?full_usage=true"])
def test_usage_of_no_customer_is_404_with_the_code_of_no_route(
    client: httpx.Client, route: str, query: str, deleted: bool
) -> None:
    if deleted:
        make_customer(client)
        client.delete("/customers/acct-1").raise_for_status()

    response = client.get(f"/customers/acct-1/{route}{query}")

    assert answer(response) == not_found("resource_not_found")


@each_running
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?external_subscription_id",
        "?external_subscription_id=",
        "?external_subscription_id=sub-1",
        "?external_subscription_id[]=sub-1",
        "?external_subscription_id=sub-1&full_usage=true",
        "?external_subscription_id=sub-1&charge_code=moorings",
    ],
)
def test_usage_without_an_active_subscription_is_405(
    client: httpx.Client, route: str, query: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/{route}{query}")

    assert answer(response) == not_allowed("no_active_subscription")


@each_running
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"status": "pending"}, id="pending"),
        pytest.param({"status": "terminated"}, id="terminated"),
        pytest.param({"external_id": "sub-2"}, id="another"),
        pytest.param({"customer_id": "another"}, id="of-another-customer"),
    ],
)
def test_a_subscription_counts_when_it_is_active_and_the_customers_own(
    client: httpx.Client, app: LagoMockApp, route: str, changes: dict[str, str]
) -> None:
    subscribe(app, make_customer(client), **changes)

    response = client.get(f"/customers/acct-1/{route}?external_subscription_id=sub-1")

    assert answer(response) == not_allowed("no_active_subscription")


@pytest.mark.parametrize(
    ("route", "usage"),
    [
        ("current_usage", {"customer_usage": NOTHING_USED}),
        (
            "projected_usage",
            {"customer_projected_usage": {**NOTHING_USED, "projected_amount_cents": 0}},
        ),
    ],
)
def test_a_subscription_without_charges_has_used_nothing(
    client: httpx.Client, app: LagoMockApp, route: str, usage: dict[str, Any]
) -> None:
    subscribe(app, make_customer(client))

    response = client.get(f"/customers/acct-1/{route}?external_subscription_id=sub-1")

    assert answer(response) == (200, usage)


@pytest.mark.parametrize("external_id", ["acct-1", "nobody"])
def test_projected_usage_without_the_license_is_403_before_the_customer_is_looked_for(
    without_license: httpx.Client, external_id: str
) -> None:
    make_customer(without_license)

    response = without_license.get(f"/customers/{external_id}/projected_usage")

    assert answer(response) == forbidden("projected_usage_not_enabled")


@pytest.mark.parametrize(
    "query",
    [
        "charge_id=x",
        "charge_code=x",
        "billable_metric_code=x",
        "filter_by_charge_id=x",
        "filter_by_charge_code=x",
        "filter_by_metric_code=x",
        "charge_code=x&full_usage=true",
        "charge_code=x&group[region]=north",
    ],
)
def test_current_usage_of_an_unknown_charge_is_404(
    client: httpx.Client, app: LagoMockApp, query: str
) -> None:
    subscribe(app, make_customer(client))

    response = client.get(f"/customers/acct-1/current_usage?external_subscription_id=sub-1&{query}")

    assert answer(response) == not_found("charge_not_found")


@pytest.mark.parametrize(
    "query",
    [
        "group[region]=north",
        "filter_by_group[region]=north&full_usage=true",
        "full_usage=false",
        "full_usage=",
        "charge_code=",
        "apply_taxes=false&skip_grouping=true&filter_by_presentation=region",
    ],
)
def test_current_usage_takes_its_other_parameters(
    client: httpx.Client, app: LagoMockApp, query: str
) -> None:
    subscribe(app, make_customer(client))

    response = client.get(f"/customers/acct-1/current_usage?external_subscription_id=sub-1&{query}")

    assert answer(response) == (200, {"customer_usage": NOTHING_USED})


def test_full_usage_without_a_filter_is_405(client: httpx.Client, app: LagoMockApp) -> None:
    subscribe(app, make_customer(client))

    response = client.get(
        "/customers/acct-1/current_usage?external_subscription_id=sub-1&full_usage=true"
    )

    assert answer(response) == not_allowed("full_usage_not_allowed")


@pytest.mark.parametrize("query", ["", "&group[region]=north", "&charge_code=moorings"])
def test_full_usage_without_the_license_is_405(
    without_license: httpx.Client, app: LagoMockApp, query: str
) -> None:
    subscribe(app, make_customer(without_license))

    response = without_license.get(
        f"/customers/acct-1/current_usage?external_subscription_id=sub-1&full_usage=true{query}"
    )

    assert answer(response) == not_allowed("full_usage_not_allowed")


@pytest.mark.parametrize(
    "query", ["", "external_subscription_id", "external_subscription_id=%20", "per_page=0"]
)
@pytest.mark.parametrize("external_id", ["acct-1", "nobody"])
def test_past_usage_needs_a_subscription_id(
    client: httpx.Client, external_id: str, query: str
) -> None:
    make_customer(client)

    response = client.get(
        f"/customers/{external_id}/past_usage?billable_metric_code=berths&{query}"
    )

    assert answer(response) == refused("external_subscription_id", "value_is_mandatory")


@pytest.mark.parametrize("external_id", ["acct-1", "nobody"])
@pytest.mark.parametrize(
    "query", ["", "&page=3&per_page=2", "&periods_count=3", "&billable_metric_code="]
)
def test_past_usage_is_empty_whoever_the_customer_is(
    client: httpx.Client, external_id: str, query: str
) -> None:
    make_customer(client)

    response = client.get(
        f"/customers/{external_id}/past_usage?external_subscription_id=sub-1{query}"
    )

    assert answer(response) == (200, NO_PERIODS)


def test_past_usage_of_an_unknown_metric_is_404(client: httpx.Client) -> None:
    response = client.get(
        "/customers/nobody/past_usage"
        "?external_subscription_id=sub-1&billable_metric_code=berths&per_page=0"
    )

    assert answer(response) == not_found("billable_metric_not_found")


def test_past_usage_refuses_a_page_that_cannot_be_counted(client: httpx.Client) -> None:
    response = client.get(
        "/customers/nobody/past_usage?external_subscription_id=sub-1&per_page[]=1"
    )

    assert answer(response) == refused("per_page", "value_is_out_of_range")
