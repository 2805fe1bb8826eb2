from __future__ import annotations

import re

import httpx
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.mock_only

SAMPLE = [
    ("GET", "/plans", "findAllPlans"),
    ("POST", "/plans", "createPlan"),
    ("PUT", "/plans/basic", "updatePlan"),
    ("PATCH", "/plans/basic/metadata", "mergePlanMetadata"),
    ("DELETE", "/plans/basic/metadata/color", "deletePlanMetadataKey"),
    ("GET", "/coupons", "findAllCoupons"),
    ("DELETE", "/coupons/ten_off", "destroyCoupon"),
    ("POST", "/invoices/preview", "invoicePreview"),
    ("PUT", "/invoices/a/finalize", "finalizeInvoice"),
    ("POST", "/events/batch", "createBatchEvents"),
    ("POST", "/subscriptions", "createSubscription"),
    ("GET", "/subscriptions/a.b/lifetime_usage", "getSubscriptionLifetimeUsage"),
    ("GET", "/subscriptions/a%2Fb/charges", "findAllSubscriptionCharges"),
    ("PUT", "/wallets/a", "updateWallet"),
    ("GET", "/analytics/mrr", "findAllMrrs"),
]


def not_mocked(operation: str) -> dict[str, object]:
    return {
        "status": 501,
        "error": "Not Implemented",
        "code": "operation_not_mocked",
        "operation": operation,
    }


@pytest.mark.parametrize(("method", "path", "operation"), SAMPLE)
def test_a_valid_key_learns_that_an_operation_is_not_mocked(
    client: httpx.Client, method: str, path: str, operation: str
) -> None:
    response = client.request(method, path)

    assert (response.status_code, response.json()) == (501, not_mocked(operation))


@pytest.mark.parametrize(("method", "path", "operation"), SAMPLE)
def test_without_a_valid_key_it_is_401(
    client: httpx.Client, method: str, path: str, operation: str
) -> None:
    response = client.request(method, path, headers={"Authorization": "Bearer nobody"})

    assert response.status_code == 401
    assert response.json() == {"status": 401, "error": "Unauthorized"}


def test_a_word_that_another_verb_has_as_its_path_is_an_id(client: httpx.Client) -> None:
    response = client.get("/events/batch")

    assert (response.status_code, response.json()) == (501, not_mocked("findEvent"))


@pytest.mark.parametrize("body", [{}, {"plan": {"name": "Basic"}}, {"plan": None}, [1]])
def test_no_body_is_asked_for(client: httpx.Client, body: object) -> None:
    response = client.post("/plans", json=body)

    assert (response.status_code, response.json()) == (501, not_mocked("createPlan"))


def test_head_is_501_without_a_body(client: httpx.Client) -> None:
    response = client.head("/plans")

    assert (response.status_code, response.content) == (501, b"")


def test_the_catalog_knows_which_operations_are_not_mocked(
    client: httpx.Client, admin: httpx.Client
) -> None:
    operations = admin.get("/operations").json()["operations"]
    unmocked = [each for each in operations if not each["mocked"]]

    answers = {
        each["operation"]: client.request(each["method"], each["path"].replace("{", "%7B")).json()
        for each in unmocked
    }

    document = (ROOT / "openapi" / "unmocked.yaml").read_text("utf-8")
    assert answers.keys() == set(re.findall(r"operationId: (\w+)", document))
    assert answers == {operation: not_mocked(operation) for operation in answers}


def test_the_catalog_knows_which_operations_are_mocked(
    client: httpx.Client, admin: httpx.Client
) -> None:
    operations = admin.get("/operations").json()["operations"]
    mocked = [each for each in operations if each["mocked"]]

    statuses = {
        each["operation"]: client.request(each["method"], each["path"].replace("{", "x"))
        for each in mocked
    }

    assert {"createCustomer", "findOrganization", "createTax"} <= statuses.keys()
    assert not [name for name, answer in statuses.items() if answer.status_code == 501]
