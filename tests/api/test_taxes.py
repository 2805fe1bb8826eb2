from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

KEYS = [
    "lago_id",
    "name",
    "code",
    "rate",
    "description",
    "applied_to_organization",
    "add_ons_count",
    "customers_count",
    "plans_count",
    "charges_count",
    "commitments_count",
    "created_at",
]
VAT: dict[str, Any] = {
    "name": "French VAT",
    "code": "vat_fr",
    "rate": 20.0,
    "description": "Standard rate",
    "applied_to_organization": True,
}
MANDATORY = ("name", "code", "rate")


def create(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    response = client.post("/taxes", json={"tax": {**VAT, **fields}})
    assert response.status_code == 200, response.text
    tax: dict[str, Any] = response.json()["tax"]
    return tax


def update(client: httpx.Client, fields: dict[str, Any], code: str = "vat_fr") -> httpx.Response:
    return client.put(f"/taxes/{code}", json={"tax": fields})


def found(client: httpx.Client, code: str = "vat_fr") -> dict[str, Any]:
    tax: dict[str, Any] = client.get(f"/taxes/{code}").json()["tax"]
    return tax


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422
    assert list(response.json()["error_details"]) == list(details)


def assert_not_found(response: httpx.Response) -> None:
    assert response.json() == {"status": 404, "error": "Not Found", "code": "tax_not_found"}
    assert response.status_code == 404


def test_create_shows_a_tax_exactly_so_and_in_this_order(client: httpx.Client) -> None:
    before = datetime.now(UTC) - timedelta(seconds=1)

    response = client.post("/taxes", json={"tax": VAT})

    tax = response.json()["tax"]
    assert response.status_code == 200
    assert list(response.json()) == ["tax"]
    assert list(tax) == KEYS
    counters = dict.fromkeys(KEYS[6:11], 0)
    generated = {key: tax[key] for key in ("lago_id", "created_at")}
    assert tax == {**VAT, **counters, **generated}
    assert tax["lago_id"] == str(uuid.UUID(tax["lago_id"], version=4))
    made = datetime.strptime(tax["created_at"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert before <= made <= datetime.now(UTC)


def test_create_needs_no_more_than_name_code_and_rate(client: httpx.Client) -> None:
    response = client.post("/taxes", json={"tax": {"name": "VAT", "code": "vat", "rate": 0}})

    tax = response.json()["tax"]
    assert (tax["description"], tax["applied_to_organization"]) == (None, False)


def test_the_rate_is_written_with_a_fraction(client: httpx.Client) -> None:
    response = client.post("/taxes", json={"tax": {**VAT, "rate": 20}})

    assert '"rate":20.0,' in response.text


def test_get_shows_what_create_answered(client: httpx.Client) -> None:
    tax = create(client)

    assert found(client) == tax
    assert list(found(client)) == KEYS


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"rate": 0}, {"rate": 0.0}),
        ({"rate": "5.5"}, {"rate": 5.5}),
        ({"rate": " 7 "}, {"rate": 7.0}),
        ({"name": 12}, {"name": "12"}),
        ({"name": " VAT "}, {"name": " VAT "}),
        ({"code": True}, {"code": "t"}),
        ({"code": "VAT fr"}, {"code": "VAT fr"}),
        ({"description": None}, {"description": None}),
        ({"description": ""}, {"description": ""}),
        ({"description": 5}, {"description": "5"}),
        ({"description": "x" * 3000}, {"description": "x" * 3000}),
        ({"applied_to_organization": "no"}, {"applied_to_organization": True}),
        ({"applied_to_organization": "f"}, {"applied_to_organization": False}),
        ({"applied_to_organization": 0}, {"applied_to_organization": False}),
    ],
    ids=str,
)
@pytest.mark.parametrize("verb", ["POST", "PUT"])
def test_a_value_is_kept_as_lago_reads_it(
    client: httpx.Client, verb: str, given: dict[str, Any], shown: dict[str, Any]
) -> None:
    if verb == "POST":
        tax = create(client, **given)
    else:
        create(client)
        tax = update(client, given).json()["tax"]

    assert tax == {**tax, **VAT, **shown}
    assert found(client, tax["code"]) == tax


@pytest.mark.parametrize("verb", ["POST", "PUT"])
@pytest.mark.parametrize(
    ("fields", "details"),
    [
        ({"name": None}, {"name": ["value_is_mandatory"]}),
        ({"name": ""}, {"name": ["value_is_mandatory"]}),
        ({"name": " "}, {"name": ["value_is_mandatory"]}),
        ({"code": None}, {"code": ["value_is_mandatory"]}),
        ({"code": ""}, {"code": ["value_is_mandatory"]}),
        ({"code": "\t"}, {"code": ["value_is_mandatory"]}),
        ({"rate": None}, {"rate": ["value_is_mandatory"]}),
        ({"rate": ""}, {"rate": ["value_is_mandatory"]}),
        ({"rate": "twenty"}, {"rate": ["is not a number"]}),
        ({"rate": True}, {"rate": ["is not a number"]}),
        (
            {"rate": "x", "code": "", "name": ""},
            {
                "name": ["value_is_mandatory"],
                "code": ["value_is_mandatory"],
                "rate": ["is not a number"],
            },
        ),
    ],
    ids=str,
)
def test_a_bad_value_is_refused_and_saves_nothing(
    client: httpx.Client, verb: str, fields: dict[str, Any], details: dict[str, list[str]]
) -> None:
    if verb == "POST":
        response = client.post("/taxes", json={"tax": {**VAT, **fields}})
        kept = []
    else:
        kept = [create(client)]
        response = update(client, {"description": "New", **fields})

    assert_refused(response, details)
    assert client.get("/taxes").json()["taxes"] == kept


@pytest.mark.parametrize("key", MANDATORY)
@pytest.mark.parametrize("dropped", [None, ["x"], {"a": 1}], ids=["absent", "list", "object"])
def test_create_needs_name_code_and_rate(client: httpx.Client, key: str, dropped: object) -> None:
    fields = {each: value for each, value in {**VAT, key: dropped}.items() if value is not None}

    response = client.post("/taxes", json={"tax": fields})

    assert_refused(response, {key: ["value_is_mandatory"]})


def test_create_tells_all_that_is_missing(client: httpx.Client) -> None:
    response = client.post("/taxes", json={"tax": {"description": "x"}})

    assert_refused(response, {key: ["value_is_mandatory"] for key in MANDATORY})


def test_unknown_keys_are_ignored(client: httpx.Client) -> None:
    unknown = {"lago_id": "x", "customers_count": 9, "created_at": "x", "kind": {"a": [1]}}

    tax = create(client, **unknown)

    assert list(tax) == KEYS
    assert tax["customers_count"] == 0
    assert "x" not in (tax["lago_id"], tax["created_at"])
    assert update(client, unknown).json()["tax"] == tax


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Name"},
        {"rate": 19.6},
        {"description": None},
        {"applied_to_organization": False},
        {"code": "other"},
        dict(VAT),
    ],
    ids=str,
)
def test_update_changes_the_keys_that_are_sent_and_no_others(
    client: httpx.Client, fields: dict[str, Any]
) -> None:
    before = create(client)

    response = update(client, fields)

    tax = response.json()["tax"]
    assert response.status_code == 200
    assert tax == {**before, **fields}
    assert list(tax) == KEYS
    assert found(client, tax["code"]) == tax


@pytest.mark.parametrize("dropped", [["x"], {"a": 1}], ids=["list", "object"])
def test_update_ignores_lists_and_objects(client: httpx.Client, dropped: object) -> None:
    before = create(client)

    assert update(client, dict.fromkeys(VAT, dropped)).json()["tax"] == before


def test_applied_to_organization_null_changes_nothing(client: httpx.Client) -> None:
    before = create(client)

    assert update(client, {"applied_to_organization": None}).json()["tax"] == before


def test_a_new_code_frees_the_old_one(client: httpx.Client) -> None:
    tax = create(client)

    update(client, {"code": "vat"})

    assert_not_found(client.get("/taxes/vat_fr"))
    assert create(client)["lago_id"] != tax["lago_id"]
    assert found(client, "vat")["lago_id"] == tax["lago_id"]


def test_a_code_in_use_is_refused_for_a_new_tax(client: httpx.Client) -> None:
    before = create(client)

    response = client.post("/taxes", json={"tax": {**VAT, "name": "Other"}})

    assert_refused(response, {"code": ["value_already_exist"]})
    assert client.get("/taxes").json()["taxes"] == [before]


def test_a_code_in_use_is_refused_for_another_tax(client: httpx.Client) -> None:
    create(client)
    before = create(client, code="vat_de")

    response = update(client, {"name": "Other", "code": "vat_fr"}, "vat_de")

    assert_refused(response, {"code": ["value_already_exist"]})
    assert found(client, "vat_de") == before


def test_codes_are_told_apart_by_case(client: httpx.Client) -> None:
    first = create(client)
    second = create(client, code="VAT_FR")

    assert (found(client), found(client, "VAT_FR")) == (first, second)


def test_delete_shows_the_tax_as_it_was(client: httpx.Client) -> None:
    tax = create(client)

    response = client.delete("/taxes/vat_fr")

    assert response.status_code == 200
    assert response.json() == {"tax": tax}
    assert list(response.json()["tax"]) == KEYS


@pytest.mark.parametrize("code", ["vat_fr", "nope", "VAT_de", "a%00b"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_or_deleted_tax_is_not_found(
    client: httpx.Client, method: str, code: str
) -> None:
    create(client)
    client.delete("/taxes/vat_fr").raise_for_status()
    other = create(client, code="vat_de")

    assert_not_found(client.request(method, f"/taxes/{code}", json={"tax": {"name": "x"}}))
    assert client.get("/taxes").json()["taxes"] == [other]


def test_an_unknown_tax_is_not_found_before_its_values_are_judged(client: httpx.Client) -> None:
    assert_not_found(update(client, {"rate": "x", "name": ""}))


def test_the_code_of_a_deleted_tax_is_free_again(client: httpx.Client) -> None:
    old = create(client)
    client.delete("/taxes/vat_fr").raise_for_status()

    new = create(client)

    assert new["lago_id"] != old["lago_id"]
    assert client.get("/taxes").json()["taxes"] == [new]


def test_a_customer_shows_the_tax_as_it_is_now(client: httpx.Client) -> None:
    create(client)
    customer = {"external_id": "acct-1", "tax_codes": ["vat_fr"]}
    client.post("/customers", json={"customer": customer}).raise_for_status()

    tax = update(client, {"code": "vat", "rate": 19.6}).json()["tax"]

    assert client.get("/customers/acct-1").json()["customer"]["taxes"] == [tax]


def test_delete_takes_the_tax_from_customers_and_organization(client: httpx.Client) -> None:
    create(client)
    kept = create(client, code="kept")
    customer = {"external_id": "acct-1", "tax_codes": ["vat_fr", "kept"]}
    client.post("/customers", json={"customer": customer}).raise_for_status()

    client.delete("/taxes/vat_fr").raise_for_status()
    create(client, applied_to_organization=False)

    assert client.get("/customers/acct-1").json()["customer"]["taxes"] == [kept]
    answer = client.put("/organizations", json={"organization": {"city": "Albi"}}).json()
    assert answer["organization"]["taxes"] == [kept]


@pytest.mark.parametrize("applied", [True, False])
def test_applied_to_organization_puts_the_tax_among_the_organizations(
    client: httpx.Client, applied: bool
) -> None:
    create(client, applied_to_organization=not applied)

    tax = update(client, {"applied_to_organization": applied}).json()["tax"]

    answer = client.put("/organizations", json={"organization": {"city": "Albi"}}).json()
    assert answer["organization"]["taxes"] == ([tax] if applied else [])
