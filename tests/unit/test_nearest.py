from __future__ import annotations

from functools import cache

import pytest

from lago_mock.app import load_contract
from lago_mock.contract.contract import Contract
from lago_mock.nearest import is_routed, nearest
from lago_mock.resources import load_resources
from tests.unmocked import READ

LACKS = "the path lacks /api/v1: add it to the base URL"
TWICE = "the base URL ends in /api/v1 and the client adds it once more"


@cache
def contract() -> Contract:
    return load_contract(load_resources())


@pytest.mark.parametrize(
    ("method", "path", "operation", "why"),
    [
        pytest.param(
            "PATCH", "/api/v1/customers", "createCustomer", "this path takes GET, POST", id="verb"
        ),
        pytest.param(
            "DELETE",
            "/api/v1/taxes",
            "findAllTaxes",
            "this path takes GET, POST",
            id="no such verb",
        ),
        pytest.param(
            "OPTIONS", "/api/v1/taxes/", "findAllTaxes", "this path takes GET, POST", id="odd verb"
        ),
        pytest.param(
            "POST",
            "/api/v1/taxes/a",
            "updateTax",
            "this path takes GET, PUT, DELETE",
            id="verb of an item",
        ),
        pytest.param(
            "POST",
            "/api/v1/taxes/%ZZ",
            "updateTax",
            "this path takes GET, PUT, DELETE",
            id="broken escape",
        ),
        pytest.param(
            "HEAD",
            "/api/v1/custmers",
            "findAllCustomers",
            "`custmers` is not `customers`",
            id="segment",
        ),
        pytest.param(
            "POST",
            "/api/v1/Customers",
            "createCustomer",
            "`Customers` is not `customers`",
            id="case",
        ),
        pytest.param(
            "GET",
            "/api/v1/custmers.json",
            "findAllCustomers",
            "`custmers.json` is not `customers`",
            id="ending",
        ),
        pytest.param(
            "PUT",
            "/api/v1/invoices/1/finalise",
            "finalizeInvoice",
            "`finalise` is not `finalize`",
            id="last segment",
        ),
        pytest.param(
            "GET",
            "/api/v1/custmer/a/walets",
            "findAllCustomerWallets",
            "`custmer` is not `customers`; `walets` is not `wallets`",
            id="two segments",
        ),
        pytest.param(
            "DELETE",
            "/api/v1/add-ons",
            "findAllAddOns",
            "`add-ons` is not `add_ons`; this path takes GET, POST",
            id="segment and verb",
        ),
        pytest.param(
            "GET",
            "/api/v1/customers/a/b",
            "findCustomer",
            "`a` is one segment too many",
            id="too long",
        ),
        pytest.param(
            "GET",
            "/api/v1/lago/customers",
            "findAllCustomers",
            "`lago` is one segment too many",
            id="too long before",
        ),
        pytest.param(
            "GET",
            "/api/v1/subscriptions/charges/a/filters",
            "findAllSubscriptionChargeFilters",
            "`{external_id}` is missing",
            id="too short",
        ),
        pytest.param("GET", "/customers", "findAllCustomers", LACKS, id="no prefix"),
        pytest.param(
            "POST",
            "/custmers",
            "createCustomer",
            f"{LACKS}; `custmers` is not `customers`",
            id="no prefix and segment",
        ),
        pytest.param(
            "GET",
            "/v1/customers/a",
            "findCustomer",
            "the path begins /v1, not /api/v1",
            id="half a prefix",
        ),
        pytest.param(
            "GET",
            "/api/v2/customers/a/walets",
            "findAllCustomerWallets",
            "the path begins /api/v2, not /api/v1; `walets` is not `wallets`",
            id="another version",
        ),
        pytest.param(
            "GET",
            "/lago/api/v1/customers",
            "findAllCustomers",
            "the path begins /lago/api/v1, not /api/v1",
            id="below another path",
        ),
        pytest.param("GET", "/api/v1/api/v1/taxes", "findAllTaxes", TWICE, id="prefix twice"),
        pytest.param(
            "PUT",
            "/api/v1/api/v1/api/v1/tax",
            "createTax",
            f"{TWICE}; `tax` is not `taxes`; this path takes GET, POST",
            id="all at once",
        ),
    ],
)
def test_nearest_operation_is_told_with_what_differs(
    method: str, path: str, operation: str, why: str
) -> None:
    found = nearest(contract(), method, path)
    assert found is not None
    assert (found.operation.id, found.why) == (operation, why)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "",
        "*",
        "/api/v1",
        "/api/v1/",
        "/nowhere",
        "/api/v1/nowhere",
        "/api/v1/api/v1/nowhere",
        "/favicon.ico",
        "/graphql",
        "/api/v1/nowhere/a",
        "/api/v1/customers/a/b/c/d",
        f"/api/v1/{'x' * 100_000}",
        "/x" * 30_000,
        f"/api/v1{'/x' * 30_000}",
    ],
    ids=lambda path: path[:30],
)
def test_what_is_like_nothing_has_no_nearest(path: str) -> None:
    assert nearest(contract(), "GET", path) is None


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/v1/customers", True),
        ("HEAD", "/api/v1/customers/", True),
        ("GET", "/api/v1/customers/a%20b", True),
        ("GET", f"/api/v1{READ.path}", True),
        ("PATCH", "/api/v1/customers", False),
        ("GET", "/api/v1/nowhere", False),
        ("GET", "/customers", False),
        ("GET", "/api/v1customers", False),
    ],
)
def test_route_is_known(method: str, path: str, expected: bool) -> None:
    assert is_routed(contract(), method, path) is expected
    if expected:
        assert nearest(contract(), method, path) is None


def test_nearest_is_shown_with_the_whole_path() -> None:
    found = nearest(contract(), "GET", "/customers/a")
    assert found is not None
    assert found.shown() == {
        "operation": "findCustomer",
        "method": "GET",
        "path": "/api/v1/customers/{external_customer_id}",
        "why": LACKS,
    }
