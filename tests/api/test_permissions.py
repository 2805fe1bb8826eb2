from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import serving_set

RESOURCES = [
    "organization",
    "customer",
    "tax",
    "billing_entity",
    "webhook_endpoint",
    "webhook_jwt_public_key",
]
JUNIPER: dict[str, Any] = {
    "name": "Juniper",
    "api_key": "juniper-key",
    "api_keys": [
        {"value": "expired", "expires_at": "2020-02-29T00:00:00Z"},
        {"value": "expired-elsewhere", "expires_at": "2020-02-29T00:00:00+02:00"},
        {"value": "expiring", "expires_at": "2999-01-01T00:00:00Z"},
        {"value": "lasting", "expires_at": None},
        {"value": "plain"},
        {"value": "named", "name": "Ledger"},
        {"value": "nothing", "permissions": {}},
        {"value": "reader", "permissions": {name: ["read"] for name in RESOURCES}},
        {"value": "writer", "permissions": {name: ["write"] for name in RESOURCES}},
        {"value": "customers", "permissions": {"customer": ["read", "write"]}},
        {"value": "expired-reader", "expires_at": "2020-01-01T00:00:00Z", "permissions": {}},
    ],
}
CUSTOMERS = [{"external_id": "acct-1"}]
EXPIRED = ["expired", "expired-elsewhere", "expired-reader"]
UNLIMITED = ["juniper-key", "expiring", "lasting", "plain", "named"]

OPERATIONS = [
    ("GET", "/organizations", "organization", "read"),
    ("PUT", "/organizations", "organization", "write"),
    ("GET", "/organizations/grpc_token", "organization", "read"),
    ("GET", "/customers", "customer", "read"),
    ("POST", "/customers", "customer", "write"),
    ("GET", "/customers/acct-1", "customer", "read"),
    ("DELETE", "/customers/acct-1", "customer", "write"),
    ("GET", "/customers/acct-1/portal_url", "customer", "read"),
    ("POST", "/customers/acct-1/checkout_url", "customer", "write"),
    ("GET", "/taxes", "tax", "read"),
    ("POST", "/taxes", "tax", "write"),
    ("GET", "/taxes/vat", "tax", "read"),
    ("PUT", "/taxes/vat", "tax", "write"),
    ("DELETE", "/taxes/vat", "tax", "write"),
    ("GET", "/billing_entities", "billing_entity", "read"),
    ("POST", "/billing_entities", "billing_entity", "write"),
    ("GET", "/billing_entities/juniper", "billing_entity", "read"),
    ("PUT", "/billing_entities/juniper", "billing_entity", "write"),
    ("GET", "/webhook_endpoints", "webhook_endpoint", "read"),
    ("POST", "/webhook_endpoints", "webhook_endpoint", "write"),
    ("GET", "/webhook_endpoints/x", "webhook_endpoint", "read"),
    ("PUT", "/webhook_endpoints/x", "webhook_endpoint", "write"),
    ("DELETE", "/webhook_endpoints/x", "webhook_endpoint", "write"),
    ("GET", "/webhooks/public_key", "webhook_jwt_public_key", "read"),
    ("GET", "/webhooks/json_public_key", "webhook_jwt_public_key", "read"),
]
OF_A_CUSTOMER = [
    ("GET", "/customers/acct-1/current_usage", "customer_usage", "read"),
    ("GET", "/customers/acct-1/past_usage", "customer_usage", "read"),
    ("GET", "/customers/acct-1/projected_usage", "customer_usage", "read"),
    ("GET", "/customers/acct-1/applied_coupons", "applied_coupon", "read"),
    ("DELETE", "/customers/acct-1/applied_coupons/x", "applied_coupon", "write"),
    ("GET", "/customers/acct-1/credit_notes", "credit_note", "read"),
    ("GET", "/customers/acct-1/invoices", "invoice", "read"),
    ("GET", "/customers/acct-1/payments", "payment", "read"),
    ("GET", "/customers/acct-1/payment_requests", "payment_request", "read"),
    ("GET", "/customers/acct-1/subscriptions", "subscription", "read"),
    ("GET", "/customers/acct-1/wallets", "wallet", "read"),
    ("POST", "/customers/acct-1/wallets", "wallet", "write"),
    ("GET", "/customers/acct-1/wallets/main", "wallet", "read"),
    ("PUT", "/customers/acct-1/wallets/main", "wallet", "write"),
    ("DELETE", "/customers/acct-1/wallets/main", "wallet", "write"),
    ("GET", "/customers/acct-1/payment_methods", "payment_method", "read"),
    ("DELETE", "/customers/acct-1/payment_methods/x", "payment_method", "write"),
    ("PUT", "/customers/acct-1/payment_methods/x/set_as_default", "payment_method", "write"),
]
ELSEWHERE = [
    ("POST", "/events", "event", "write"),
    ("GET", "/plans", "plan", "read"),
    ("POST", "/subscriptions", "subscription", "write"),
]
SUCCEEDING = [
    ("GET", "/organizations", None),
    ("PUT", "/organizations", {"organization": {"city": "Albi"}}),
    ("GET", "/customers", None),
    ("POST", "/customers", {"customer": {"external_id": "acct-2"}}),
    ("DELETE", "/customers/acct-1", None),
    ("POST", "/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 20}}),
    ("GET", "/billing_entities", None),
    ("GET", "/webhook_endpoints", None),
    ("POST", "/webhook_endpoints", {"webhook_endpoint": {"webhook_url": "https://a.co"}}),
    ("GET", "/webhooks/public_key", None),
]


def served(folder: Path, organization: dict[str, Any]) -> AbstractContextManager[str]:
    """Serve a fixture set of one organization and one customer."""
    return serving_set(folder, {"organization": organization, "customers": CUSTOMERS})


@pytest.fixture(scope="module")
def juniper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server with the keys above, where rights count."""
    with served(tmp_path_factory.mktemp("fixtures"), JUNIPER) as url:
        yield url


@pytest.fixture(scope="module")
def without_rights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a server with the same keys, where every key may do everything."""
    organization = {**JUNIPER, "premium_integrations": ["revenue_share"]}
    with served(tmp_path_factory.mktemp("fixtures"), organization) as url:
        yield url


@contextmanager
def reset(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{url}/api/v1", verify=False) as client:
        client.post(f"{url}/__admin/reset").raise_for_status()
        yield client


@pytest.fixture
def client(juniper: str) -> Iterator[httpx.Client]:
    """Client without a key, of the server where rights count; it is back at its fixture set."""
    with reset(juniper) as client:
        yield client


def key(value: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {value}"}


def assert_forbidden(response: httpx.Response, mode: str, resource: str) -> None:
    code = f"{mode}_action_not_allowed_for_{resource}"
    assert response.json() == {"status": 403, "error": "Forbidden", "code": code}
    assert response.status_code == 403


class TestExpiry:
    @pytest.mark.parametrize("value", EXPIRED)
    @pytest.mark.parametrize(
        ("method", "path"),
        [("GET", "/organizations"), ("POST", "/customers"), ("GET", "/customers/nobody")],
    )
    def test_an_expired_key_is_401(
        self, client: httpx.Client, value: str, method: str, path: str
    ) -> None:
        response = client.request(method, path, headers=key(value))

        assert response.json() == {"status": 401, "error": "Unauthorized"}
        assert response.status_code == 401

    @pytest.mark.parametrize("value", UNLIMITED)
    def test_every_other_key_opens_the_same_organization(
        self, client: httpx.Client, value: str
    ) -> None:
        response = client.get("/organizations", headers=key(value))

        assert response.status_code == 200
        assert response.json()["organization"]["name"] == "Juniper"

    def test_an_expired_key_does_not_hide_a_missing_route(self, client: httpx.Client) -> None:
        response = client.get("/nowhere", headers=key("expired"))

        expected = {"status": 404, "error": "Not Found", "code": "resource_not_found"}
        assert (response.status_code, response.json()) == (404, expected)


class TestRights:
    @pytest.mark.parametrize(
        ("method", "path", "resource", "mode"), [*OPERATIONS, *OF_A_CUSTOMER, *ELSEWHERE]
    )
    def test_a_key_without_the_right_is_forbidden(
        self, client: httpx.Client, method: str, path: str, resource: str, mode: str
    ) -> None:
        response = client.request(method, path, headers=key("nothing"))

        assert_forbidden(response, mode, resource)

    @pytest.mark.parametrize(("method", "path", "resource", "mode"), OPERATIONS)
    def test_reading_and_writing_are_two_rights(
        self, client: httpx.Client, method: str, path: str, resource: str, mode: str
    ) -> None:
        allowed, other = ("reader", "writer") if mode == "read" else ("writer", "reader")

        assert client.request(method, path, headers=key(allowed)).status_code != 403
        assert_forbidden(client.request(method, path, headers=key(other)), mode, resource)

    @pytest.mark.parametrize(("method", "path", "resource", "mode"), OPERATIONS)
    def test_a_right_holds_for_its_own_resource(
        self, client: httpx.Client, method: str, path: str, resource: str, mode: str
    ) -> None:
        response = client.request(method, path, headers=key("customers"))

        if resource == "customer":
            assert response.status_code != 403
        else:
            assert_forbidden(response, mode, resource)

    @pytest.mark.parametrize(("method", "path", "body"), SUCCEEDING)
    def test_a_key_without_a_list_of_rights_has_them_all(
        self, client: httpx.Client, method: str, path: str, body: object
    ) -> None:
        assert client.request(method, path, json=body, headers=key("plain")).status_code == 200

    def test_a_forbidden_call_writes_nothing(self, client: httpx.Client) -> None:
        body = {"customer": {"external_id": "acct-2"}}
        before = client.get("/customers", headers=key("plain")).json()

        assert_forbidden(
            client.post("/customers", json=body, headers=key("reader")), "write", "customer"
        )
        assert_forbidden(
            client.delete("/customers/acct-1", headers=key("reader")), "write", "customer"
        )

        assert client.get("/customers", headers=key("plain")).json() == before

    def test_head_needs_the_right_to_read(self, client: httpx.Client) -> None:
        assert client.head("/customers", headers=key("reader")).status_code == 200
        assert client.head("/customers", headers=key("writer")).status_code == 403


class TestOrder:
    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            pytest.param("POST", "/customers", None, id="no body"),
            pytest.param("POST", "/customers", {}, id="no root"),
            pytest.param("POST", "/customers", {"customer": {"currency": "x"}}, id="bad values"),
            pytest.param("DELETE", "/customers/nobody", None, id="missing customer"),
            pytest.param("POST", "/customers/nobody/checkout_url", None, id="missing customer 2"),
        ],
    )
    def test_the_right_comes_before_body_and_look_up(
        self, client: httpx.Client, method: str, path: str, body: object
    ) -> None:
        response = client.request(method, path, json=body, headers=key("reader"))

        assert_forbidden(response, "write", "customer")

    @pytest.mark.parametrize("path", ["/customers?countries[]=x", "/customers/nobody"])
    def test_the_right_comes_before_filters_and_look_up(
        self, client: httpx.Client, path: str
    ) -> None:
        assert_forbidden(client.get(path, headers=key("writer")), "read", "customer")

    def test_what_cannot_be_parsed_comes_before_the_right(self, client: httpx.Client) -> None:
        headers = {**key("nothing"), "Content-Type": "application/json"}

        response = client.post("/customers", content=b"{", headers=headers)

        assert response.status_code == 400

    @pytest.mark.parametrize(
        ("method", "path"), [("GET", "/nowhere"), ("PUT", "/customers"), ("PATCH", "/taxes/vat")]
    )
    def test_a_missing_route_comes_before_the_right(
        self, client: httpx.Client, method: str, path: str
    ) -> None:
        response = client.request(method, path, headers=key("nothing"))

        expected = {"status": 404, "error": "Not Found", "code": "resource_not_found"}
        assert (response.status_code, response.json()) == (404, expected)


@pytest.mark.parametrize("value", ["nothing", "reader", "plain"])
@pytest.mark.parametrize(("method", "path", "body"), SUCCEEDING)
def test_without_the_premium_integration_every_key_has_all_rights(
    without_rights: str, value: str, method: str, path: str, body: object
) -> None:
    with reset(without_rights) as client:
        response = client.request(method, path, json=body, headers=key(value))

    assert response.status_code == 200


def test_without_the_premium_integration_expiry_counts_all_the_same(without_rights: str) -> None:
    with reset(without_rights) as client:
        assert client.get("/organizations", headers=key("expired")).status_code == 401
