from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lago_mock.app import LagoMockApp
from tests.conftest import API_KEY

OURS, THEIRS = API_KEY, "second-key"
FAULT = {"operation": "findAllTaxes", "error": "bad_gateway", "times": None}
NESTED = {
    "applied_coupons": "findAllCustomerAppliedCoupons",
    "credit_notes": "findAllCustomerCreditNotes",
    "invoices": "findAllCustomerInvoices",
    "payment_methods": "findAllCustomersPaymentMethods",
    "payment_requests": "findAllCustomerPaymentRequests",
    "payments": "findAllCustomerPayments",
    "subscriptions": "findAllCustomerSubscriptions",
    "wallets": "findAllCustomerWallets",
}
CUSTOMER: dict[str, Any] = {
    "external_id": "acct-1",
    "name": "Harbour Rowing",
    "email": "harbour@rowing.example",
    "currency": "EUR",
    "country": "PT",
    "tax_codes": ["vat"],
    "metadata": [{"key": "color", "value": "green"}],
}


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def theirs(admin: httpx.Client, client: httpx.Client) -> Iterator[httpx.Client]:
    """Client of a second organization on the same server; `client` is of the first."""
    body = {"name": "Second", "api_key": THEIRS}
    admin.post("/organizations", json=body).raise_for_status()
    with httpx.Client(base_url=client.base_url, headers=bearer(THEIRS), verify=False) as second:
        yield second


@pytest.fixture
def full(client: httpx.Client) -> dict[str, Any]:
    """Give the first organization something of all that the API can make, and return it."""
    posted = {
        "taxes": ("tax", {"name": "VAT", "code": "vat", "rate": 20}),
        "webhook_endpoints": ("webhook_endpoint", {"webhook_url": "https://ours.example"}),
        "billing_entities": ("billing_entity", {"name": "Branch", "code": "branch"}),
        "customers": ("customer", CUSTOMER),
    }
    return {
        name: client.post(f"/{name}", json={root: body}).raise_for_status().json()[root]
        for name, (root, body) in posted.items()
    }


def ask(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """Send a request whose body, if the method has one, is right for what the path names."""
    roots = {"taxes": "tax", "webhook_endpoints": "webhook_endpoint"}
    root = roots.get(path.split("/")[1], "billing_entity")
    body = {root: {"name": "Changed", "webhook_url": "https://x.example"}}
    return client.request(method, path, json=body if method == "PUT" else None)


def answers(client: httpx.Client) -> dict[str, Any]:
    """Return all that the lists of an organization show, and the organization itself."""
    paths = ("organizations", "customers", "taxes", "webhook_endpoints", "billing_entities")
    return {path: client.get(f"/{path}").raise_for_status().json() for path in paths}


# Rows


@pytest.mark.usefixtures("full")
def test_lists_show_what_is_ones_own(theirs: httpx.Client) -> None:
    shown = answers(theirs)

    assert shown["customers"]["customers"] == []
    assert shown["customers"]["meta"]["total_count"] == 0
    assert shown["taxes"]["taxes"] == []
    assert shown["webhook_endpoints"]["webhook_endpoints"] == []
    assert [each["code"] for each in shown["billing_entities"]["billing_entities"]] == ["second"]
    organization = shown["organizations"]["organization"]
    assert (organization["name"], organization["webhook_urls"]) == ("Second", [])


ITEMS = [
    ("GET", "/customers/acct-1", "customer_not_found"),
    ("DELETE", "/customers/acct-1", "customer_not_found"),
    ("GET", "/customers/acct-1/portal_url", "customer_not_found"),
    ("POST", "/customers/acct-1/checkout_url", "customer_not_found"),
    ("GET", "/customers/acct-1/current_usage?external_subscription_id=s", "resource_not_found"),
    ("GET", "/customers/acct-1/projected_usage?external_subscription_id=s", "resource_not_found"),
    *(("GET", f"/customers/acct-1/{name}", "customer_not_found") for name in NESTED),
    ("GET", "/taxes/vat", "tax_not_found"),
    ("PUT", "/taxes/vat", "tax_not_found"),
    ("DELETE", "/taxes/vat", "tax_not_found"),
    ("GET", "/billing_entities/branch", "billing_entity_not_found"),
    ("PUT", "/billing_entities/branch", "billing_entity_not_found"),
    ("GET", "/webhook_endpoints/{webhook_endpoints}", "webhook_endpoint_not_found"),
    ("PUT", "/webhook_endpoints/{webhook_endpoints}", "webhook_endpoint_not_found"),
    ("DELETE", "/webhook_endpoints/{webhook_endpoints}", "webhook_endpoint_not_found"),
]


@pytest.mark.parametrize(("method", "path", "code"), ITEMS)
def test_what_another_has_is_not_found_and_stays(
    client: httpx.Client,
    theirs: httpx.Client,
    full: dict[str, Any],
    method: str,
    path: str,
    code: str,
) -> None:
    before = answers(client)
    path = path.format(**{name: each["lago_id"] for name, each in full.items()})

    response = ask(theirs, method, path)

    expected = {"status": 404, "error": "Not Found", "code": code}
    assert (response.status_code, response.json()) == (404, expected)
    assert answers(client) == before
    if "usage" not in path:  # that is not found of one's own customer either, without a plan
        assert ask(client, method, path).json().get("code") != code


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize(
    ("filters", "status"),
    [
        ("search_term=Harbour", 200),
        ("countries[]=PT", 200),
        ("currencies[]=EUR", 200),
        ("metadata[color]=green", 200),
        ("billing_entity_codes[]=branch", 404),
        ("per_page=1&page=1", 200),
    ],
)
def test_no_filter_finds_what_another_has(theirs: httpx.Client, filters: str, status: int) -> None:
    response = theirs.get(f"/customers?{filters}")

    assert response.status_code == status
    assert response.json().get("customers", []) == []


@pytest.mark.usefixtures("full")
def test_what_names_a_thing_of_another_is_refused(theirs: httpx.Client) -> None:
    def code(**customer: Any) -> Any:
        body = {"customer": {"external_id": "new", **customer}}
        return theirs.post("/customers", json=body).json().get("code")

    assert code(tax_codes=["vat"]) == "tax_not_found"
    assert code(billing_entity_code="branch") == "billing_entity_not_found"
    assert theirs.get("/customers/new").status_code == 404


def test_both_may_use_the_same_names(
    client: httpx.Client, theirs: httpx.Client, full: dict[str, Any]
) -> None:
    for external_id in ("acct-2", "acct-3"):
        client.post("/customers", json={"customer": {"external_id": external_id}})
    theirs.post("/taxes", json={"tax": {"name": "VAT", "code": "vat", "rate": 7}})
    hook = {"webhook_endpoint": {"webhook_url": "https://ours.example"}}
    assert theirs.post("/webhook_endpoints", json=hook).status_code == 200

    customer = theirs.post("/customers", json={"customer": CUSTOMER}).json()["customer"]

    own = full["customers"]
    assert customer["sequential_id"] == own["sequential_id"] == 1
    assert customer["lago_id"] != own["lago_id"]
    assert customer["taxes"][0]["rate"] == 7.0
    assert client.get("/customers/acct-1").json()["customer"]["taxes"][0]["rate"] == 20.0


def test_each_changes_its_own(client: httpx.Client, theirs: httpx.Client) -> None:
    for each, name in ((client, "Ours"), (theirs, "Theirs")):
        body = {"external_id": "a", "metadata": [{"key": "of", "value": name}]}
        each.post("/customers", json={"customer": body}).raise_for_status()
    (of_ours,) = client.get("/customers/a").json()["customer"]["metadata"]

    # The id of the other one's metadata names no row here.
    metadata = [{"id": of_ours["lago_id"], "key": "of", "value": "Mine"}]
    body = {"external_id": "a", "name": "Changed", "metadata": metadata}
    theirs.post("/customers", json={"customer": body})
    theirs.put("/organizations", json={"organization": {"city": "Faro"}})

    mine = client.get("/customers/a").json()["customer"]
    assert (mine["name"], mine["metadata"]) == (None, [of_ours])
    assert client.get("/organizations").json()["organization"]["city"] is None
    assert theirs.delete("/customers/a").status_code == 200
    assert client.get("/customers/a").status_code == 200


@pytest.mark.parametrize("collection", NESTED)
def test_nested_lists_show_what_is_ones_own(
    app: LagoMockApp, client: httpx.Client, theirs: httpx.Client, collection: str
) -> None:
    for each in (client, theirs):
        each.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()
    customer = client.get("/customers/a").json()["customer"]
    sandbox = app.server.tenants.of(OURS)
    assert sandbox is not None
    operations = app.server.operations
    item = operations.contract.operations[NESTED[collection]].example(200)[collection][0]
    row = {**item, "lago_id": sandbox.clock.new_id(), "customer_id": customer["lago_id"]}
    operations.keep(sandbox.facts, collection, row)

    path = f"/customers/a/{collection}"

    assert [each["lago_id"] for each in client.get(path).json()[collection]] == [row["lago_id"]]
    assert theirs.get(path).json()[collection] == []


@pytest.mark.usefixtures("full")
def test_a_portal_link_opens_the_customer_of_its_organization(
    client: httpx.Client, theirs: httpx.Client
) -> None:
    body = {"external_id": "acct-1", "name": "Another Club"}
    theirs.post("/customers", json={"customer": body}).raise_for_status()
    urls = [
        each.get("/customers/acct-1/portal_url").json()["customer"]["portal_url"]
        for each in (client, theirs)
    ]

    pages = [httpx.get(url).text for url in urls]

    assert ["Harbour Rowing" in page for page in pages] == [True, False]
    assert ["Another Club" in page for page in pages] == [False, True]


# The slug, which no two organizations share


def slug_of(client: httpx.Client) -> Any:
    return client.get("/organizations").json()["organization"]["slug"]


def put(client: httpx.Client, **organization: Any) -> httpx.Response:
    return client.put("/organizations", json={"organization": organization})


@pytest.mark.parametrize("slug", ["blank-slate", " Blank-Slate "])
def test_a_slug_of_another_is_refused(theirs: httpx.Client, slug: str) -> None:
    response = put(theirs, slug=slug, city="Faro")

    assert response.status_code == 422
    assert response.json()["error_details"] == {"slug": ["value_already_exist"]}
    assert slug_of(theirs) == "second"
    assert theirs.get("/organizations").json()["organization"]["city"] is None


@pytest.mark.parametrize("slug", ["second", "third"])
def test_a_slug_of_ones_own_or_of_nobody_is_taken(theirs: httpx.Client, slug: str) -> None:
    assert put(theirs, slug=slug).json()["organization"]["slug"] == slug


def test_a_slug_of_another_is_refused_with_the_rest_of_its_stage(theirs: httpx.Client) -> None:
    def details(**organization: Any) -> Any:
        return put(theirs, slug="blank-slate", **organization).json()["error_details"]

    taken = ["value_already_exist"]
    found = details(country="zz", net_payment_term=-1, timezone="Mars", default_currency="XXX")
    assert list(found) == ["slug", "country", "net_payment_term"]
    assert found["slug"] == taken
    assert details(timezone="Mars") == {"slug": taken}
    assert details(webhook_url="x") == {"webhook_url": ["url_is_invalid"]}


def test_a_slug_is_free_once_its_owner_has_another(
    client: httpx.Client, theirs: httpx.Client, admin: httpx.Client
) -> None:
    put(theirs, slug="third").raise_for_status()

    # A reset gives it back to its owner.
    assert put(client, slug="second").status_code == 422
    put(theirs, slug="fourth").raise_for_status()
    assert put(client, slug="third").status_code == 200
    (second,) = admin.get("/organizations", headers=bearer(THEIRS)).json()["organizations"]
    admin.delete(f"/organizations/{second['id']}").raise_for_status()
    assert put(client, slug="second").status_code == 200


# Admin calls with a key


def test_faults_of_one_meet_its_requests_alone(
    admin: httpx.Client, client: httpx.Client, theirs: httpx.Client
) -> None:
    fault = admin.post("/faults", json=FAULT, headers=bearer(THEIRS)).json()

    assert [each.get("/taxes").status_code for each in (client, theirs)] == [200, 502]
    for headers in (bearer(OURS), {}):
        assert admin.get("/faults", headers=headers).json() == {"faults": []}
        assert admin.get(f"/faults/{fault['id']}", headers=headers).status_code == 404
        assert admin.delete(f"/faults/{fault['id']}", headers=headers).status_code == 404
    admin.delete("/faults", headers=bearer(OURS)).raise_for_status()
    assert len(admin.get("/faults", headers=bearer(THEIRS)).json()["faults"]) == 1


def test_requests_of_one_are_shown_to_it_alone(
    admin: httpx.Client, client: httpx.Client, theirs: httpx.Client
) -> None:
    client.get("/taxes")
    theirs.get("/customers")

    def paths(key: str | None) -> list[str]:
        headers = bearer(key) if key else {}
        requests = admin.get("/requests", headers=headers).json()["requests"]
        return [each["path"] for each in requests]

    assert paths(OURS) == ["/api/v1/taxes"]
    assert paths(THEIRS) == ["/api/v1/customers"]
    assert len(paths(None)) == 2
    (request,) = admin.get("/requests", headers=bearer(THEIRS)).json()["requests"]
    other = admin.get(f"/requests/{request['id']}", headers=bearer(OURS))
    assert other.json()["code"] == "request_not_found"
    admin.delete("/requests", headers=bearer(THEIRS)).raise_for_status()
    assert paths(OURS) == ["/api/v1/taxes"]


def test_settings_of_one_hold_for_it_alone(
    admin: httpx.Client, client: httpx.Client, theirs: httpx.Client
) -> None:
    change = {"validation": "strict", "license": "free"}
    admin.patch("/settings", json=change, headers=bearer(THEIRS)).raise_for_status()

    assert [put(each, colour="red").status_code for each in (client, theirs)] == [200, 422]
    for headers in (bearer(OURS), {}):
        assert admin.get("/settings", headers=headers).json()["validation"] == "lago"


def test_a_reset_of_one_leaves_the_other(
    admin: httpx.Client, client: httpx.Client, theirs: httpx.Client
) -> None:
    for each in (client, theirs):
        each.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()
        put(each, city="Faro").raise_for_status()
    for key in (OURS, THEIRS):
        admin.post("/faults", json=FAULT, headers=bearer(key))
        admin.patch("/settings", json={"license": "free"}, headers=bearer(key))
        admin.put("/clock", json={"now": "2027-01-31T00:00:00Z"}, headers=bearer(key))
        admin.put("/snapshots/one", headers=bearer(key)).raise_for_status()
    before = answers_of_admin(admin, OURS)

    admin.post("/reset", headers=bearer(THEIRS)).raise_for_status()

    assert answers_of_admin(admin, OURS) == before
    assert client.get("/customers/a").status_code == 200
    assert theirs.get("/customers/a").status_code == 404
    after = answers_of_admin(admin, THEIRS)
    assert (after["faults"]["faults"], after["settings"]["license"]) == ([], "premium")
    admin.delete("/snapshots/one", headers=bearer(OURS)).raise_for_status()  # outlives resets


def answers_of_admin(admin: httpx.Client, key: str) -> dict[str, Any]:
    paths = ("faults", "requests", "settings", "snapshots", "organizations")
    return {path: admin.get(f"/{path}", headers=bearer(key)).json() for path in paths}


def test_snapshots_of_one_are_its_own(
    admin: httpx.Client, client: httpx.Client, theirs: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()
    admin.put("/snapshots/theirs", headers=bearer(THEIRS)).raise_for_status()
    theirs.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()

    for headers in (bearer(OURS), {}):
        assert "theirs" not in admin.get("/snapshots", headers=headers).json()["snapshots"]
        for method, path in (
            ("POST", "/snapshots/theirs/restore"),
            ("DELETE", "/snapshots/theirs"),
        ):
            response = admin.request(method, path, headers=headers)
            assert response.json()["code"] == "snapshot_not_found"
    admin.post("/snapshots/theirs/restore", headers=bearer(THEIRS)).raise_for_status()
    assert [each.get("/customers/a").status_code for each in (client, theirs)] == [200, 404]


def test_a_state_shows_ones_own_and_no_secret(admin: httpx.Client, theirs: httpx.Client) -> None:
    (own,) = admin.get("/organizations", headers=bearer(THEIRS)).json()["organizations"]

    state = admin.get("/state", headers=bearer(THEIRS))

    (shown,) = state.json()["organizations"]
    assert shown["organization"]["lago_id"] == own["id"]
    for text in (THEIRS, OURS):
        assert text not in state.text
    assert theirs.get("/taxes").status_code == 200


def test_a_key_of_one_opens_nothing_of_the_other(
    admin: httpx.Client, client: httpx.Client, theirs: httpx.Client
) -> None:
    (own,) = admin.get("/organizations", headers=bearer(THEIRS)).json()["organizations"]
    reader = {"permissions": {"tax": ["read"]}}
    key = admin.post(f"/organizations/{own['id']}/keys", json=reader).json()["value"]
    client.post("/taxes", json={"tax": {"name": "VAT", "code": "vat", "rate": 20}})

    assert theirs.get("/taxes", headers=bearer(key)).json()["taxes"] == []
    assert theirs.get("/customers", headers=bearer(key)).status_code == 403
    assert client.get("/customers").status_code == 200
