from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from lago_mock.app import LagoMockApp, build
from lago_mock.settings import Settings
from lago_mock.store.store import StoreUnwritable
from lago_mock.wire import JSONObject
from tests.conftest import running
from tests.process import run, serving

KEY = {"Authorization": "Bearer lago-mock-key"}
OTHER = {"Authorization": "Bearer other-key"}
UNKNOWN_ID = "5a0f4c1e-9d3b-4e67-8c52-7b1f60d2a9e4"
DONE = {"status": "ok", "api_keys": []}
RICH = {
    "external_id": "rich",
    "name": "Rich & Co",
    "currency": "EUR",
    "tax_codes": ["vat"],
    "metadata": [{"key": "a", "value": "b", "display_in_invoice": True}],
    "shipping_address": {"city": "Faro"},
    "billing_configuration": {
        "payment_provider": "stripe",
        "provider_customer_id": "cus_1",
        "provider_payment_methods": ["card", "link"],
        "sync_with_provider": True,
        "document_locale": "fr",
    },
    "integration_customers": [
        {"integration_type": "netsuite", "integration_code": "n", "external_customer_id": "1"}
    ],
    "invoice_custom_section_codes": ["s"],
}
OWNED = {
    "applied_coupons",
    "credit_notes",
    "invoices",
    "payment_methods",
    "payment_requests",
    "payments",
    "subscriptions",
    "wallets",
}


@pytest.fixture
def filled(client: httpx.Client) -> httpx.Client:
    """Client of an organization that has what the API can make."""
    for path, body in (
        ("/taxes", {"tax": {"name": "VAT", "code": "vat", "rate": 20}}),
        (
            "/billing_entities",
            {"billing_entity": {"code": "fr", "name": "F", "tax_codes": ["vat"]}},
        ),
        ("/webhook_endpoints", {"webhook_endpoint": {"webhook_url": "https://hooks.example"}}),
        ("/customers", {"customer": RICH}),
        ("/customers", {"customer": {"external_id": "plain"}}),
    ):
        client.post(path, json=body).raise_for_status()
    own = {"timezone": "Asia/Tokyo", "billing_configuration": {"vat_rate": 5}}
    client.put("/organizations", json={"organization": own}).raise_for_status()
    return client


def state_of(admin: httpx.Client, headers: dict[str, str] | None = None) -> JSONObject:
    found: JSONObject = admin.get("/state", headers=headers).raise_for_status().json()
    return found


def rows(state: JSONObject, collection: str) -> list[JSONObject]:
    found: list[JSONObject] = state["organizations"][0]["collections"].setdefault(collection, [])
    return found


def refusals(admin: httpx.Client, state: Any, headers: dict[str, str] | None = None) -> JSONObject:
    """Return the details of a refusal, after which everything must be as before."""
    before = state_of(admin)
    response = admin.put("/state", json=state, headers=headers)
    assert (response.status_code, response.json()["code"]) == (422, "validation_errors")
    assert state_of(admin) == before
    details: JSONObject = response.json()["error_details"]
    return details


def owned(app: LagoMockApp, customer_id: str) -> dict[str, list[JSONObject]]:
    """Return a row of each thing that belongs to a customer: the examples of the document."""
    operations = app.server.operations.contract.operations.values()
    examples = [each.example(200) for each in operations if each.id.startswith("findAllCustomer")]
    found = {name: answer[name] for answer in examples if answer for name in OWNED & answer.keys()}
    return {
        name: [{**each, "customer_id": customer_id} for each in items[:1]]
        for name, items in found.items()
    }


def declare(state: JSONObject) -> None:
    for name, more in (
        ("payment_providers", {"code": "s", "type": "stripe", "name": None}),
        ("integrations", {"code": "n", "type": "netsuite", "name": "N"}),
        ("invoice_custom_sections", {"code": "s", "name": "S"}),
    ):
        rows(state, name).append({"lago_id": UNKNOWN_ID, **more})


# Out and back


@pytest.mark.parametrize("headers", [{}, KEY], ids=["whole server", "key"])
def test_a_state_is_given_back_as_it_was(
    filled: httpx.Client, admin: httpx.Client, headers: dict[str, str]
) -> None:
    state = state_of(admin, headers)
    shown = [filled.get(path).json() for path in ("/customers", "/taxes", "/organizations")]
    admin.post("/reset")
    filled.post("/customers", json={"customer": {"external_id": "stranger"}})

    response = admin.put("/state", json=state, headers=headers)

    assert (response.status_code, response.json()) == (200, DONE)
    assert state_of(admin, headers) == state
    assert shown == [filled.get(path).json() for path in ("/customers", "/taxes", "/organizations")]
    made = filled.post("/customers", json={"customer": {"external_id": "c"}}).json()["customer"]
    assert made["sequential_id"] == 3


def test_a_state_shows_rows_the_oldest_first_and_no_secret(
    filled: httpx.Client, admin: httpx.Client
) -> None:
    filled.delete("/customers/rich").raise_for_status()
    filled.post("/customers", json={"customer": {"external_id": "young"}})

    state = state_of(admin)

    (organization,) = state["organizations"]
    own = organization["organization"]
    assert state["version"] == 1
    assert [each["external_id"] for each in rows(state, "customers")] == ["plain", "young"]
    assert organization["sequences"] == {"customers": 3}
    assert "integrations" not in organization["collections"]
    assert [key["value"] for key in own["api_keys"]] == ["…-key"]
    assert own.keys().isdisjoint(("founding", "temporary", "fixtures"))
    assert "lago-mock-key" not in json.dumps(state)


def test_faults_requests_clock_and_settings_stay(filled: httpx.Client, admin: httpx.Client) -> None:
    state = state_of(admin)
    admin.post("/faults", json={"operation": "createTax", "error": "bad_gateway"})
    admin.put("/clock", json={"now": "2030-01-01T00:00:00Z"})
    admin.patch("/settings", json={"license": "free"})
    total = admin.get("/requests").json()["meta"]["total"]

    admin.put("/state", json=state).raise_for_status()

    assert len(admin.get("/faults").json()["faults"]) == 1
    assert admin.get("/requests").json()["meta"]["total"] == total > 0
    assert admin.get("/health").json()["timestamp"] == "2030-01-01T00:00:00Z"
    assert admin.get("/settings").json()["license"] == "free"


def test_an_answer_that_was_kept_is_made_anew(filled: httpx.Client, admin: httpx.Client) -> None:
    state = state_of(admin)
    assert filled.get("/customers/rich").json()["customer"]["name"] == "Rich & Co"
    rows(state, "customers")[0]["name"] = "Poor"

    admin.put("/state", json=state).raise_for_status()

    assert filled.get("/customers/rich").json()["customer"]["name"] == "Poor"


def test_the_order_of_rows_is_that_of_the_state(filled: httpx.Client, admin: httpx.Client) -> None:
    state = state_of(admin)
    rows(state, "customers").reverse()

    admin.put("/state", json=state).raise_for_status()

    shown = filled.get("/customers").json()["customers"]
    assert [each["external_id"] for each in shown] == ["rich", "plain"]


def test_what_belongs_to_customers_can_be_given_although_the_api_cannot_make_it(
    app: LagoMockApp, filled: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin, KEY)
    customer = rows(state, "customers")[0]
    given = owned(app, customer["lago_id"])
    state["organizations"][0]["collections"] |= given
    declare(state)

    admin.put("/state", json=state, headers=KEY).raise_for_status()

    assert given.keys() == OWNED
    for name in OWNED:
        assert filled.get(f"/customers/rich/{name}").json()["meta"]["total_count"] == 1
        assert filled.get(f"/customers/plain/{name}").json()["meta"]["total_count"] == 0
    sections = rows(state_of(admin), "invoice_custom_sections")
    blank = dict.fromkeys(("description", "details", "display_name"))
    assert sections == [{"lago_id": UNKNOWN_ID, "code": "s", "name": "S", **blank}]


def test_what_belongs_to_a_customer_belongs_to_one_that_is_there(
    app: LagoMockApp, filled: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin)
    state["organizations"][0]["collections"] |= owned(app, "nobody")

    found = refusals(admin, state)

    place, text = "/organizations/0/collections", "it is the lago_id of none of the customers"
    assert found == {f"{place}/{name}/0/customer_id": [text] for name in OWNED}


def test_what_refers_to_deleted_rows_is_left_out_of_a_state(
    app: LagoMockApp, filled: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin)
    rich, plain = rows(state, "customers")
    kept = owned(app, rich["lago_id"])
    for name, (row,) in owned(app, plain["lago_id"]).items():
        kept[name].append({**row, "lago_id": UNKNOWN_ID})
    state["organizations"][0]["collections"] |= kept
    admin.put("/state", json=state).raise_for_status()
    filled.delete("/customers/plain").raise_for_status()
    filled.delete("/taxes/vat").raise_for_status()

    state = state_of(admin)

    assert {name: len(rows(state, name)) for name in OWNED} == dict.fromkeys(OWNED, 1)
    assert [each["tax_ids"] for each in rows(state, "customers")] == [[]]
    assert [each["tax_ids"] for each in rows(state, "billing_entities")] == [[], []]
    admin.put("/state", json=state).raise_for_status()
    assert state_of(admin) == state


def test_a_state_outlives_the_server_with_its_state_file(tmp_path: Path) -> None:
    with serving(tmp_path) as server, httpx.Client(base_url=server.url, verify=False) as client:
        state = client.get("/__admin/state").json()
        rows(state, "customers").reverse()
        state["organizations"][0]["sequences"]["customers"] = 50.0
        rows(state, "customers")[0]["sequential_id"] = 50.0
        client.put("/__admin/state", json=state).raise_for_status()
        server.process.kill()
        server.process.wait()
    for _ in range(2):
        with serving(tmp_path) as server, httpx.Client(base_url=server.url, verify=False) as client:
            text = client.get("/__admin/state").text
            assert (json.loads(text), '"sequential_id":50,' in text) == (state, True)
            server.stop()


def test_a_state_in_a_file_is_a_fixture_set(
    filled: httpx.Client, admin: httpx.Client, tmp_path: Path
) -> None:
    state = state_of(admin)
    (tmp_path / "mine.json").write_text(json.dumps(state), "utf-8")

    checked = run(tmp_path, "check", "mine.json")
    with (
        serving(tmp_path, "--fixtures", "./mine.json", "--api-key", "own-key") as server,
        httpx.Client(base_url=server.url, verify=False) as client,
    ):
        served = state_of_all(client)
        client.post("/__admin/reset").raise_for_status()

        assert served == state_of_all(client)
        assert server.stop()[0] == 0
    assert checked.stdout.splitlines()[-1] == "mine.json: the fixture set is in order"
    for each in (state, served):
        del each["organizations"][0]["organization"]["api_keys"]
    assert served == state


def state_of_all(client: httpx.Client) -> JSONObject:
    found: JSONObject = client.get("/__admin/state").raise_for_status().json()
    return found


# Organizations


def add_other(admin: httpx.Client) -> str:
    body = {"name": "Other", "api_key": "other-key"}
    made: str = admin.post("/organizations", json=body).raise_for_status().json()["id"]
    return made


def ids(admin: httpx.Client) -> list[str]:
    return [each["id"] for each in admin.get("/organizations").json()["organizations"]]


def test_with_a_key_the_state_is_that_of_one_organization(
    filled: httpx.Client, admin: httpx.Client
) -> None:
    add_other(admin)

    assert len(state_of(admin)["organizations"]) == 2
    (mine,) = state_of(admin, KEY)["organizations"]
    (other,) = state_of(admin, OTHER)["organizations"]
    assert (mine["organization"]["name"], other["organization"]["name"]) == ("Blank Slate", "Other")


def test_with_a_key_rows_of_one_organization_can_be_given_to_another(
    filled: httpx.Client, admin: httpx.Client
) -> None:
    other = add_other(admin)
    state, before = state_of(admin, KEY), ids(admin)
    state["organizations"][0]["organization"]["slug"] = "its-own"

    response = admin.put("/state", json=state, headers=OTHER)

    assert (response.status_code, response.json()) == (200, DONE)
    assert ids(admin) == before
    shown = filled.get("/organizations", headers=OTHER).json()["organization"]
    assert (shown["lago_id"], shown["slug"], shown["name"]) == (other, "its-own", "Blank Slate")
    assert filled.get("/customers/rich", headers=OTHER).status_code == 200
    admin.post("/reset", headers=OTHER)
    assert filled.get("/organizations", headers=OTHER).json()["organization"]["name"] == "Other"


def test_with_a_key_a_slug_of_another_organization_is_refused(
    filled: httpx.Client, admin: httpx.Client
) -> None:
    add_other(admin)
    state = state_of(admin, KEY)

    found = refusals(admin, state, OTHER)

    assert found == {"/organizations/0/organization/slug": ["value_already_exist"]}


def test_with_a_key_a_state_of_several_organizations_is_refused(admin: httpx.Client) -> None:
    add_other(admin)

    found = refusals(admin, state_of(admin), KEY)

    what = "a key is of one organization; leave it out to replace all of them"
    assert found == {"/organizations/1": [what]}


def test_organizations_that_are_not_given_are_gone(
    client: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin)
    add_other(admin)

    admin.put("/state", json=state).raise_for_status()

    assert ids(admin) == [state["organizations"][0]["organization"]["lago_id"]]
    assert client.get("/customers", headers=OTHER).status_code == 401


def test_an_organization_that_is_there_keeps_its_keys(
    client: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin)
    own = state["organizations"][0]["organization"]
    for keys in (None, [], [{"lago_id": "k", "value": "another-key"}]):
        own["api_keys"] = keys
        if keys is None:
            del own["api_keys"]

        assert admin.put("/state", json=state).json() == DONE
        assert client.get("/customers").status_code == 200


def test_a_new_organization_gets_new_keys_for_those_that_are_cut(
    client: httpx.Client, admin: httpx.Client
) -> None:
    other = add_other(admin)
    state = state_of(admin)
    state["organizations"][1]["organization"]["api_keys"][0]["name"] = "cut"
    admin.delete(f"/organizations/{other}").raise_for_status()

    (made,) = admin.put("/state", json=state).json()["api_keys"]

    key_id = state["organizations"][1]["organization"]["api_keys"][0]["lago_id"]
    assert (made["organization"], made["id"]) == (other, key_id)
    headers = {"Authorization": f"Bearer {made['value']}"}
    assert client.get("/organizations", headers=headers).json()["organization"]["name"] == "Other"
    keys = admin.get(f"/organizations/{other}/keys").json()["keys"]
    assert [(key["name"], key["value"]) for key in keys] == [("cut", f"…{made['value'][-4:]}")]
    assert client.get("/customers", headers=OTHER).status_code == 401


@pytest.mark.parametrize("keys", [None, []])
def test_a_new_organization_without_keys_gets_one(
    client: httpx.Client, admin: httpx.Client, keys: list[JSONObject] | None
) -> None:
    state = state_of(admin)
    new = deepcopy(state["organizations"][0])
    new["organization"] |= {"lago_id": UNKNOWN_ID, "slug": "new", "api_keys": keys}
    del new["organization"]["hmac_key"]
    if keys is None:
        del new["organization"]["api_keys"]
    state["organizations"].append(new)

    (made,) = admin.put("/state", json=state).json()["api_keys"]

    headers = {"Authorization": f"Bearer {made['value']}"}
    shown = client.get("/organizations", headers=headers).json()["organization"]
    assert (shown["lago_id"], shown["slug"]) == (UNKNOWN_ID, "new")
    assert admin.get(f"/organizations/{UNKNOWN_ID}").json()["hmac_key"]


def test_a_new_organization_has_the_keys_that_are_given_whole(
    client: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin)
    new = deepcopy(state["organizations"][0])
    ends = "2999-01-01T00:00:00Z"
    key = {"lago_id": "k", "value": "given-key", "expires_at": ends, "permissions": None}
    new["organization"] |= {"lago_id": UNKNOWN_ID, "slug": "new", "api_keys": [key]}
    state["organizations"].append(new)

    (made,) = admin.put("/state", json=state).json()["api_keys"]

    assert made == {"organization": UNKNOWN_ID, "id": "k", "value": "given-key"}
    assert client.get("/taxes", headers={"Authorization": "Bearer given-key"}).status_code == 200


def test_a_reset_of_the_server_removes_new_organizations_but_the_first(
    client: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin)
    (present,) = state["organizations"]
    state["organizations"] = []
    for number in (1, 2):
        new = deepcopy(present)
        new["organization"] |= {"lago_id": f"{UNKNOWN_ID[:-1]}{number}", "slug": f"new-{number}"}
        state["organizations"].append(new)
    with (
        running(build(Settings(db=":memory:", fixtures="default"))) as url,
        httpx.Client(base_url=url, verify=False) as fresh,
    ):
        made = fresh.put("/__admin/state", json=state).json()["api_keys"]
        fresh.post("/__admin/reset").raise_for_status()

        headers = [{"Authorization": f"Bearer {key['value']}"} for key in made]
        first, second = (fresh.get("/api/v1/customers", headers=each) for each in headers)
        assert first.json()["meta"]["total_count"] == 5
        assert second.status_code == 401
        assert fresh.get("/api/v1/customers", headers=KEY).status_code == 401


def test_a_new_organization_beside_the_first_goes_with_a_reset(admin: httpx.Client) -> None:
    state = state_of(admin)
    new = deepcopy(state["organizations"][0])
    new["organization"] |= {"lago_id": UNKNOWN_ID, "slug": "new"}
    state["organizations"].insert(0, new)
    admin.put("/state", json=state).raise_for_status()
    assert len(ids(admin)) == 2

    admin.post("/reset")

    assert ids(admin) == [state["organizations"][1]["organization"]["lago_id"]]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"slug": "new"}, "lago_id"),
        ({"lago_id": UNKNOWN_ID}, "slug"),
        (
            {
                "lago_id": UNKNOWN_ID,
                "slug": "new",
                "api_keys": [{"lago_id": "k", "value": "lago-mock-key"}],
            },
            "api_keys/0/value",
        ),
    ],
)
def test_two_organizations_cannot_share_an_id_a_slug_or_a_key(
    admin: httpx.Client, change: JSONObject, place: str
) -> None:
    state = state_of(admin)
    second = deepcopy(state["organizations"][0])
    second["organization"] |= change
    state["organizations"].append(second)

    where = f"/organizations/1/organization/{place}"
    assert refusals(admin, state)[where] == ["value_already_exist"]


def test_an_unknown_key_sees_and_changes_nothing(admin: httpx.Client) -> None:
    state, stranger = state_of(admin), {"Authorization": "Bearer nobody"}

    assert admin.get("/state", headers=stranger).status_code == 401
    assert admin.put("/state", json=state, headers=stranger).status_code == 401


def test_a_state_that_the_disk_refuses_is_a_500_and_changes_nothing(
    filled: httpx.Client, admin: httpx.Client, app: LagoMockApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = state_of(admin)
    rows(state, "customers").clear()
    before = state_of(admin)

    def refuse(_commit: object) -> None:
        raise StoreUnwritable("no space")

    monkeypatch.setattr(app.store, "_append", refuse)
    response = admin.put("/state", json=state)
    monkeypatch.undo()

    assert response.status_code == 500
    assert state_of(admin) == before


# What is refused


@pytest.mark.parametrize(
    ("state", "details"),
    [
        ({}, {"organizations": ["value_is_mandatory"], "version": ["value_is_mandatory"]}),
        ({"version": 2, "organizations": [{}]}, {"version": ["value_is_invalid"]}),
        ({"version": 1, "organizations": []}, {"organizations": ["value_is_invalid"]}),
        (
            {"version": 1, "organizations": [{}]},
            {
                "/organizations/0": [
                    f"required: '{name}' is a required property"
                    for name in ("organization", "collections", "sequences")
                ]
            },
        ),
    ],
    ids=["nothing", "another version", "no organization", "an empty organization"],
)
def test_what_is_no_state_is_refused(
    admin: httpx.Client, state: JSONObject, details: JSONObject
) -> None:
    found = refusals(admin, state)

    assert found == details


def set_to(*path: str | int, value: Any) -> Callable[[JSONObject], None]:
    """Return what sets a value, or drops it for `...`, below the first organization."""

    def change(state: JSONObject) -> None:
        node = state["organizations"][0]
        for step in path[:-1]:
            node = node[step]
        if value is ...:
            del node[path[-1]]
        else:
            node[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "place", "text"),
    [
        (
            set_to("sequences", "customers", value=-1),
            "/sequences/customers",
            "minimum: 0",
        ),
        (
            set_to("sequences", "customers", value=1),
            "/collections/customers/1/sequential_id",
            "sequence: 1 is the last number given",
        ),
        (
            set_to("collections", "taxs", value=[]),
            "/collections",
            "additionalProperties: Additional properties are not allowed ('taxs' was unexpected)",
        ),
        (set_to("collections", "taxes", 0, value=7), "/collections/taxes/0", 'type: "object"'),
        (
            set_to("collections", "taxes", 0, "code", value=...),
            "/collections/taxes/0",
            "required: 'code' is a required property",
        ),
        (
            set_to("collections", "taxes", 0, "colour", value="red"),
            "/collections/taxes/0",
            "additionalProperties: Additional properties are not allowed ('colour' was unexpected)",
        ),
        (
            set_to("collections", "taxes", 0, "deleted_at", value="2026-01-01T00:00:00Z"),
            "/collections/taxes/0/deleted_at",
            "not",
        ),
        (
            set_to("collections", "taxes", 0, "rate", value="much"),
            "/collections/taxes/0/rate",
            'type: "number", at /taxes/0/rate in the answer of findAllTaxes',
        ),
        (
            set_to("collections", "customers", 1, "currency", value="GOLD"),
            "/collections/customers/1/currency",
            "enum, at /customers/0/currency in the answer of findAllCustomers",
        ),
        (
            set_to("collections", "customers", 1, "document_locale", value="xx"),
            "/collections/customers/1",
            "enum, at /customers/0/billing_configuration/document_locale "
            "in the answer of findAllCustomers",
        ),
        (
            set_to("collections", "customers", 1, "billing_entity_id", value=UNKNOWN_ID),
            "/collections/customers/1/billing_entity_id",
            "it is the lago_id of none of the billing_entities",
        ),
        (
            set_to("collections", "customers", 0, "tax_ids", 0, value=UNKNOWN_ID),
            "/collections/customers/0/tax_ids/0",
            "it is the lago_id of none of the taxes",
        ),
        (
            set_to("collections", "billing_entities", 1, "tax_ids", value=[UNKNOWN_ID]),
            "/collections/billing_entities/1/tax_ids/0",
            "it is the lago_id of none of the taxes",
        ),
        (
            set_to("collections", "customers", 0, "metadata", 0, "created_at", value=...),
            "/collections/customers/0",
            "findAllCustomers cannot show it: KeyError('created_at')",
        ),
        (
            set_to("collections", "customers", 0, "shipping_address", value=None),
            "/collections/customers/0/shipping_address",
            'type: "object"',
        ),
        (
            set_to("collections", "billing_entities", value=[]),
            "/collections/billing_entities",
            "the first billing entity must have the lago_id default",
        ),
        (
            set_to("organization", "country", value="Utopia"),
            "/organization/country",
            "enum, at /organization/country in the answer of findOrganization",
        ),
        (set_to("organization", "lago_id", value="x"), "/organization/lago_id", 'format: "uuid"'),
        (
            set_to("organization", "api_keys", 0, "expires_at", value="2026-12-31T23:59:60Z"),
            "/organization/api_keys/0/expires_at",
            "no time",
        ),
        (
            set_to("organization", "premium_integrations", value=["nonsense"]),
            "/organization/premium_integrations/0",
            "no premium integration nonsense; there are "
            "api_permissions, granular_lifetime_usage, multi_entities_enterprise, "
            "multi_entities_pro, projected_usage, revenue_share",
        ),
        (
            set_to("collections", "integrations", value=[{"code": "x", "type": "fax"}]),
            "/collections/integrations/0/type",
            "value_is_invalid",
        ),
    ],
)
def test_what_the_api_could_not_show_is_refused_by_its_place(
    filled: httpx.Client,
    admin: httpx.Client,
    change: Callable[[JSONObject], None],
    place: str,
    text: str,
) -> None:
    state = state_of(admin)
    change(state)

    assert text in refusals(admin, state)[f"/organizations/0{place}"]


@pytest.mark.parametrize("column", ["lago_id", "external_id"])
def test_two_rows_cannot_share_their_id_or_natural_key(
    filled: httpx.Client, admin: httpx.Client, column: str
) -> None:
    state = state_of(admin)
    first, second = rows(state, "customers")
    second[column] = first[column]

    place = "/organizations/0/collections/customers"
    assert refusals(admin, state) == {f"{place}/1/{column}": [f"unique, as in {place}/0"]}


def test_100_problems_are_told_at_most(filled: httpx.Client, admin: httpx.Client) -> None:
    state = state_of(admin)
    rows(state, "taxes").extend({"code": str(number)} for number in range(200))

    assert sum(map(len, refusals(admin, state).values())) == 100


def test_an_active_subscription_must_have_what_its_usage_shows(
    app: LagoMockApp, filled: httpx.Client, admin: httpx.Client
) -> None:
    state = state_of(admin)
    (subscription,) = owned(app, rows(state, "customers")[0]["lago_id"])["subscriptions"]
    subscription |= {"status": "active", "current_billing_period_ending_at": None}
    rows(state, "subscriptions").append(subscription)

    place = "/organizations/0/collections/subscriptions/0/current_billing_period_ending_at"
    assert refusals(admin, state) == {place: ['type: "string"']}


# Nothing that is taken breaks anything later

VALUES = (
    None,
    True,
    -1,
    1.5,
    10**30,
    "",
    "x",
    "default",
    "2026-01-01T00:00:00.000000Z",
    [],
    ["x"],
    [None],
    {},
    {"lago_id": "x"},
)


def listed(node: Any) -> list[Any]:
    return node if isinstance(node, list) else []


def places(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if place:
        yield place
    for key, value in node.items() if isinstance(node, dict) else enumerate(listed(node)):
        yield from places(value, (*place, key))


def mutate(state: JSONObject, random: Random) -> None:
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        *path, last = random.choice([each for each in places(state) if len(each) > 3])
        node: Any = state
        for step in path:
            node = node[step]
        what = random.choice(("drop", "set", "set", "add"))
        if what == "drop":
            del node[last]
        elif what == "set":
            node[last] = random.choice(VALUES)
        elif isinstance(node, dict):
            node["surprise"] = random.choice(VALUES)
        else:
            node.append(deepcopy(node[last]))


def everything_asked(app: LagoMockApp, client: httpx.Client) -> Iterator[httpx.Response]:
    """Yield the answer to each GET that is mocked, for each customer, and to some writes."""
    named = {"external_customer_id": ["rich", "plain"], "code": ["vat", "fr"]}
    for operation in app.server.operations.contract.operations.values():
        if operation.method != "GET" or not app.server.operations.is_mocked(operation):
            continue
        paths = [operation.path]
        for name in operation.parameters:
            values = named.get(name, [UNKNOWN_ID])
            paths = [path.replace(f"{{{name}}}", each) for path in paths for each in values]
        for path in paths:
            yield client.get(path, params={"external_subscription_id": "sub-1"})
    for customer in ("rich", "plain", "new"):
        yield client.post("/customers", json={"customer": {**RICH, "external_id": customer}})
        yield client.post(f"/customers/{customer}/checkout_url")
    yield client.get("/customers", params={"search_term": "a", "metadata[a]": "b"})
    yield client.put("/organizations", json={"organization": {"country": "FR"}})
    yield client.put("/taxes/vat", json={"tax": {"applied_to_organization": True}})
    yield client.put("/billing_entities/fr", json={"billing_entity": {"name": "G"}})


@pytest.mark.parametrize("seed", range(12))
def test_a_mutated_state_is_refused_or_breaks_nothing(
    app: LagoMockApp, filled: httpx.Client, admin: httpx.Client, seed: int
) -> None:
    state = state_of(admin, KEY)
    state["organizations"][0]["collections"] |= owned(app, rows(state, "customers")[0]["lago_id"])
    declare(state)
    admin.put("/state", json=state, headers=KEY).raise_for_status()
    random = Random(seed)
    for _ in range(12):
        mutated = deepcopy(state)
        mutate(mutated, random)

        answer = admin.put("/state", json=mutated, headers=KEY)

        assert answer.status_code in (200, 422)
        if answer.status_code == 200:
            assert {each.status_code for each in everything_asked(app, filled)} < {
                200,
                403,
                404,
                405,
                422,
            }
