from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from lago_mock.app import LagoMockApp
from tests.conftest import API_KEY

EMPTY_META = {
    "current_page": 0,
    "next_page": None,
    "prev_page": None,
    "total_pages": 0,
    "total_count": 0,
}
UNKNOWN_ID = "00000000-0000-4000-8000-000000000000"
LISTS = {
    "applied_coupons": "findAllCustomerAppliedCoupons",
    "credit_notes": "findAllCustomerCreditNotes",
    "invoices": "findAllCustomerInvoices",
    "payment_methods": "findAllCustomersPaymentMethods",
    "payment_requests": "findAllCustomerPaymentRequests",
    "payments": "findAllCustomerPayments",
    "subscriptions": "findAllCustomerSubscriptions",
    "wallets": "findAllCustomerWallets",
}
ITEMS = [
    pytest.param("DELETE", "applied_coupons/{}", "applied_coupon", id="deleteAppliedCoupon"),
    pytest.param("DELETE", "payment_methods/{}", "payment_method", id="destroyPaymentMethod"),
    pytest.param(
        "PUT", "payment_methods/{}/set_as_default", "payment_method", id="paymentMethodSetAsDefault"
    ),
    pytest.param("GET", "wallets/{}", "wallet", id="findCustomerWallet"),
    pytest.param("DELETE", "wallets/{}", "wallet", id="destroyCustomerWallet"),
]
ONCE = ("credit_notes", "invoices", "subscriptions")
BY_ENTITY = (*ONCE, "payment_requests", "wallets")
INVOICE_STATUSES = "must be one of: draft, finalized, voided, failed, pending"
PAYMENT_STATUSES = "must be one of: pending, succeeded, failed"
SCALAR = " or must be an array"

each_list = pytest.mark.parametrize("collection", LISTS)
Keep = Callable[..., dict[str, Any]]


def make_customer(client: httpx.Client, external_id: str = "acct-1") -> str:
    response = client.post("/customers", json={"customer": {"external_id": external_id}})
    return str(response.raise_for_status().json()["customer"]["lago_id"])


def entity_code(client: httpx.Client) -> str:
    return str(client.get("/billing_entities").json()["billing_entities"][0]["code"])


def answer(response: httpx.Response) -> tuple[int, Any]:
    return response.status_code, response.json()


def not_found(code: str) -> tuple[int, Any]:
    return 404, {"status": 404, "error": "Not Found", "code": code}


def refused(details: dict[str, Any]) -> tuple[int, Any]:
    return 422, {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }


def empty(collection: str) -> tuple[int, Any]:
    return 200, {collection: [], "meta": EMPTY_META}


@pytest.fixture
def keep(app: LagoMockApp) -> Keep:
    """Keep the object that the document shows in a list, which no operation makes as yet."""
    sandbox = app.server.tenants.of(API_KEY)
    assert sandbox is not None
    facts, operations = sandbox.facts, app.server.operations

    def keep(collection: str, customer_id: str, **changes: Any) -> dict[str, Any]:
        shown = operations.contract.operations[LISTS[collection]].example(200)[collection][0]
        item = {**shown, "lago_id": facts.clock.new_id(), **changes}
        operations.keep(facts, collection, {**item, "customer_id": customer_id})
        return item

    return keep


@each_list
@pytest.mark.parametrize("query", ["", "?page=1", "?page=7&per_page=2", "?page=x&per_page=x"])
def test_a_customer_that_has_none_of_it_gets_an_empty_list(
    client: httpx.Client, collection: str, query: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/{collection}{query}")

    assert answer(response) == empty(collection)
    assert list(response.json()["meta"]) == list(EMPTY_META)


@each_list
@pytest.mark.parametrize("deleted", [False, True], ids=["unknown", "deleted"])
def test_a_list_of_no_customer_is_404(client: httpx.Client, collection: str, deleted: bool) -> None:
    if deleted:
        make_customer(client)
        client.delete("/customers/acct-1").raise_for_status()

    response = client.get(f"/customers/acct-1/{collection}")

    assert answer(response) == not_found("customer_not_found")


@each_list
@pytest.mark.parametrize(
    ("query", "name"),
    [("per_page[]=1", "per_page"), ("page[]=1", "page"), ("page=" + "9" * 20, "page")],
)
def test_a_page_that_cannot_be_counted_is_refused(
    client: httpx.Client, collection: str, query: str, name: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/{collection}?{query}")

    assert answer(response) == refused({name: ["value_is_out_of_range"]})


@pytest.mark.parametrize(
    "request_line",
    [f"{collection}?per_page=0&billing_entity_codes[]=nobody" for collection in LISTS]
    + ["invoices?status=bad", "payments?invoice_id=bad"],
)
def test_the_customer_is_looked_for_before_anything_else(
    client: httpx.Client, request_line: str
) -> None:
    response = client.get(f"/customers/nobody/{request_line}")

    assert answer(response) == not_found("customer_not_found")


@each_list
def test_the_customer_may_have_a_slash_in_its_id(client: httpx.Client, collection: str) -> None:
    make_customer(client, "a/b")

    assert answer(client.get(f"/customers/a%2Fb/{collection}")) == empty(collection)


@each_list
def test_a_list_shows_the_rows_of_its_customer_alone(
    client: httpx.Client, keep: Keep, collection: str
) -> None:
    mine, other = make_customer(client), make_customer(client, "acct-2")
    older, newer = keep(collection, mine), keep(collection, mine)
    keep(collection, other)

    page = client.get(f"/customers/acct-1/{collection}").raise_for_status().json()

    assert page[collection] == [newer, older]
    assert page["meta"]["total_count"] == 2


@each_list
def test_a_list_of_rows_has_pages(client: httpx.Client, keep: Keep, collection: str) -> None:
    customer_id = make_customer(client)
    items = [keep(collection, customer_id) for _ in range(3)]

    response = client.get(f"/customers/acct-1/{collection}?page=2&per_page=2")

    assert response.json() == {
        collection: [items[0]],
        "meta": {
            "current_page": 2,
            "next_page": None,
            "prev_page": 1,
            "total_pages": 2,
            "total_count": 3,
        },
    }


@pytest.mark.parametrize("collection", BY_ENTITY)
@pytest.mark.parametrize(
    "query",
    [
        "billing_entity_codes[]=nobody",
        "billing_entity_codes[]=",
        "billing_entity_codes[]={}&billing_entity_codes[]=nobody",
        "billing_entity_codes[]=nobody&per_page=0",
        "billing_entity_codes[]=nobody&status=bad",
    ],
)
def test_an_unknown_billing_entity_is_404(
    client: httpx.Client, collection: str, query: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/{collection}?{query.format(entity_code(client))}")

    assert answer(response) == not_found("billing_entity_not_found")


@pytest.mark.parametrize("collection", BY_ENTITY)
@pytest.mark.parametrize(
    "query", ["billing_entity_codes[]={}", "billing_entity_codes[]", "billing_entity_codes=nobody"]
)
def test_a_known_billing_entity_is_taken_and_another_shape_ignored(
    client: httpx.Client, collection: str, query: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/{collection}?{query.format(entity_code(client))}")

    assert answer(response) == empty(collection)


@pytest.mark.parametrize("collection", BY_ENTITY)
def test_a_billing_entity_that_stands_twice_is_404_in_some_lists(
    client: httpx.Client, collection: str
) -> None:
    make_customer(client)
    code = entity_code(client)
    query = f"billing_entity_codes[]={code}&billing_entity_codes[]={code}"

    response = client.get(f"/customers/acct-1/{collection}?{query}")

    once = not_found("billing_entity_not_found")
    assert answer(response) == (once if collection in ONCE else empty(collection))


@pytest.mark.parametrize("collection", [name for name in LISTS if name not in BY_ENTITY])
def test_lists_without_that_filter_ignore_billing_entities(
    client: httpx.Client, collection: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/{collection}?billing_entity_codes[]=nobody")

    assert answer(response) == empty(collection)


@pytest.mark.parametrize(
    ("query", "details"),
    [
        pytest.param("status=bad", {"status": [INVOICE_STATUSES + SCALAR]}, id="status"),
        pytest.param("status=", {"status": [INVOICE_STATUSES + SCALAR]}, id="blank-status"),
        pytest.param("status=open", {"status": [INVOICE_STATUSES + SCALAR]}, id="hidden-status"),
        pytest.param(
            "statuses[]=draft&statuses[]=bad", {"status": {"1": [INVOICE_STATUSES]}}, id="statuses"
        ),
        pytest.param(
            "status[]=bad&status[]=worse",
            {"status": {"0": [INVOICE_STATUSES], "1": [INVOICE_STATUSES]}},
            id="status-as-a-list",
        ),
        pytest.param(
            "payment_status=paid",
            {"payment_status": [PAYMENT_STATUSES + SCALAR]},
            id="payment_status",
        ),
        pytest.param(
            "payment_statuses[]=paid",
            {"payment_status": {"0": [PAYMENT_STATUSES]}},
            id="payment_statuses",
        ),
        pytest.param(
            "status=bad&payment_status=paid",
            {
                "payment_status": [PAYMENT_STATUSES + SCALAR],
                "status": [INVOICE_STATUSES + SCALAR],
            },
            id="both",
        ),
        pytest.param(
            "status=bad&per_page=0", {"status": [INVOICE_STATUSES + SCALAR]}, id="before-the-page"
        ),
    ],
)
def test_an_invoice_status_that_there_is_not_is_refused_in_a_sentence(
    client: httpx.Client, query: str, details: dict[str, Any]
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/invoices?{query}")

    assert answer(response) == refused(details)
    assert list(response.json()["error_details"]) == list(details)


@pytest.mark.parametrize("invoice_id", ["bad", "", "6a51c0de93f24b7aa8d42c7e5f10b938", "7"])
def test_payments_of_an_invoice_id_that_is_no_uuid_are_refused(
    client: httpx.Client, invoice_id: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/payments?invoice_id={invoice_id}&per_page=0")

    assert answer(response) == refused({"invoice_id": ["is in invalid format"]})


@pytest.mark.parametrize(
    "request_line",
    [
        "applied_coupons?status=bad&coupon_code[]=spring&coupon_code=spring",
        "credit_notes?reason=bad&credit_status=bad&refund_status=bad&types[]=bad",
        "credit_notes?issuing_date_from=bad&issuing_date_to=2026-13-01&amount_from=x",
        "credit_notes?self_billed=perhaps&currency=bad&search_term=CN&invoice_number=1",
        "invoices?status=draft&payment_status=failed&statuses[]&invoice_type=bad",
        "invoices?issuing_date_from=bad&issuing_date_to=2026-12-31&metadata[purchase]=boats",
        "invoices?payment_overdue=perhaps&partially_paid=true&settlements[]=bad",
        f"payments?invoice_id={UNKNOWN_ID}",
        "payments?invoice_id=6A51C0DE-93f2-4b7a-a8d4-2c7e5f10b938",
        "payments?invoice_id",
        "payments?invoice_id[]=bad",
        "payment_requests?payment_status=bad&currency=bad",
        "subscriptions?status[]=bad&plan_code=x&external_id=y&currency=bad&overriden=perhaps",
        "wallets?currency=bad",
        "payment_methods?status=bad",
    ],
)
def test_filters_that_lago_does_not_judge_are_not_refused(
    client: httpx.Client, request_line: str
) -> None:
    make_customer(client)

    response = client.get(f"/customers/acct-1/{request_line}")

    assert answer(response) == empty(request_line.partition("?")[0])


@pytest.mark.parametrize("item_id", [UNKNOWN_ID, "no-uuid"])
@pytest.mark.parametrize(("method", "path", "name"), ITEMS)
def test_an_item_that_the_customer_does_not_have_is_404(
    client: httpx.Client, method: str, path: str, name: str, item_id: str
) -> None:
    make_customer(client)

    response = client.request(method, f"/customers/acct-1/{path.format(item_id)}")

    assert answer(response) == not_found(f"{name}_not_found")


@pytest.mark.parametrize(("method", "path", "name"), ITEMS)
def test_an_item_of_no_customer_is_404(
    client: httpx.Client, method: str, path: str, name: str
) -> None:
    response = client.request(method, f"/customers/acct-1/{path.format(UNKNOWN_ID)}")

    assert answer(response) == not_found("customer_not_found")


@pytest.mark.parametrize(("method", "path", "name"), ITEMS)
def test_an_item_of_another_customer_is_404(
    client: httpx.Client, keep: Keep, method: str, path: str, name: str
) -> None:
    make_customer(client)
    item = keep(f"{name}s", make_customer(client, "acct-2"))
    item_id = item["code"] if name == "wallet" else item["lago_id"]

    response = client.request(method, f"/customers/acct-1/{path.format(item_id)}")

    assert answer(response) == not_found(f"{name}_not_found")


@pytest.mark.parametrize("body", [None, {}, {"payment_method": None}, [1]])
def test_set_as_default_asks_for_no_body(client: httpx.Client, body: object) -> None:
    make_customer(client)

    path = f"/customers/acct-1/payment_methods/{UNKNOWN_ID}/set_as_default"

    assert answer(client.put(path, json=body)) == not_found("payment_method_not_found")


@pytest.mark.parametrize(
    ("collection", "name", "key"),
    [("applied_coupons", "applied_coupon", "lago_id"), ("wallets", "wallet", "code")],
)
def test_what_is_deleted_is_terminated_once_and_listed_still(
    client: httpx.Client, keep: Keep, collection: str, name: str, key: str
) -> None:
    item = keep(collection, make_customer(client))
    path = f"/customers/acct-1/{collection}/{item[key]}"

    first = client.delete(path).raise_for_status().json()[name]
    second = client.delete(path).raise_for_status().json()[name]

    assert first == {**item, "status": "terminated", "terminated_at": first["terminated_at"]}
    assert first["terminated_at"] is not None
    assert second == first
    assert client.get(f"/customers/acct-1/{collection}").json()[collection] == [first]


def test_find_customer_wallet_shows_the_newest_with_the_code(
    client: httpx.Client, keep: Keep
) -> None:
    customer_id = make_customer(client)
    keep("wallets", customer_id, status="terminated")
    newest = keep("wallets", customer_id)
    keep("wallets", customer_id, code="other")

    response = client.get(f"/customers/acct-1/wallets/{newest['code']}")

    assert answer(response) == (200, {"wallet": newest})


def test_destroy_payment_method_takes_it_off_the_list(client: httpx.Client, keep: Keep) -> None:
    customer_id = make_customer(client)
    kept, gone = keep("payment_methods", customer_id), keep("payment_methods", customer_id)
    path = f"/customers/acct-1/payment_methods/{gone['lago_id']}"

    assert answer(client.delete(path)) == (200, {"payment_method": gone})
    assert answer(client.delete(path)) == not_found("payment_method_not_found")
    assert client.get("/customers/acct-1/payment_methods").json()["payment_methods"] == [kept]


def test_set_as_default_leaves_one_default_to_the_customer(
    client: httpx.Client, keep: Keep
) -> None:
    mine, other = make_customer(client), make_customer(client, "acct-2")
    foreign = keep("payment_methods", other)
    before = keep("payment_methods", mine)
    chosen = keep("payment_methods", mine, is_default=False)

    path = f"/customers/acct-1/payment_methods/{chosen['lago_id']}/set_as_default"
    response = client.put(path)

    assert answer(response) == (200, {"payment_method": {**chosen, "is_default": True}})
    listed = {
        customer: client.get(f"/customers/{customer}/payment_methods").json()["payment_methods"]
        for customer in ("acct-1", "acct-2")
    }
    assert listed == {
        "acct-1": [{**chosen, "is_default": True}, {**before, "is_default": False}],
        "acct-2": [foreign],
    }
