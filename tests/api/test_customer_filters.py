from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import brief, running

SEAL: dict[str, Any] = {
    "external_id": "seal",
    "name": "Marlow Boats",
    "firstname": "Ada",
    "lastname": "Quill",
    "legal_name": "Tern Holdings",
    "email": "billing@heron.example",
    "account_type": "partner",
    "customer_type": "company",
    "country": "FR",
    "currency": "EUR",
    "state": "OR",
    "zipcode": "97103",
    "tax_identification_number": "FR1",
    "city": "Astoria",
    "phone": "+1 503",
    "metadata": [{"key": "tier", "value": "gold"}, {"key": "seats", "value": "5"}],
}
OTTER: dict[str, Any] = {
    "external_id": "otter",
    "name": "Éclair 100% pur",
    "customer_type": "individual",
    "country": "NO",
    "currency": "NOK",
    "state": "or",
    "zipcode": "97103-1",
    "tax_identification_number": "",
    "metadata": [{"key": "tier", "value": "silver"}],
}
CAPITALS: dict[str, Any] = {
    "external_id": "SEAL",
    "name": "snow_drift",
    "billing_entity_code": "juniper_fr",
    "country": "XK",
    "currency": "EUR",
    "metadata": [{"key": "tier", "value": "gold"}, {"key": "seats", "value": "7"}],
}
BARE: dict[str, Any] = {"external_id": "bare", "billing_entity_code": "juniper_us"}
GONE = {**SEAL, "external_id": "gone"}

FIXTURES = {
    "organization": {"name": "Juniper", "api_key": "juniper-key"},
    "billing_entities": [
        {"code": "juniper_fr", "name": "Juniper France"},
        {"code": "juniper_us", "name": "Juniper America"},
        {"code": "juniper_no", "name": "Juniper Norway"},
    ],
    "customers": [SEAL, OTTER, CAPITALS, BARE, GONE],
}
ALL = ["bare", "SEAL", "otter", "seal"]
EMPTY_META = {
    "current_page": 0,
    "next_page": None,
    "prev_page": None,
    "total_pages": 0,
    "total_count": 0,
}
ONE_OF_TWO_TYPES = "must be one of: company, individual"
ONE_OF_TWO_ACCOUNTS = "must be one of: customer, partner"
YES_OR_NO = "must be one of: true, false"
NO_TYPE = "must be nil when has_customer_type is false"
TEXT = "must be a string"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Client of a server with four customers and a deleted one; these tests change nothing."""
    path = tmp_path_factory.mktemp("fixtures") / "juniper.json"
    path.write_text(json.dumps(FIXTURES), "utf-8")
    headers = {"Authorization": "Bearer juniper-key"}
    with (
        running(build(Settings(db=":memory:", fixtures=str(path)))) as url,
        httpx.Client(base_url=f"{url}/api/v1", headers=headers, verify=False) as client,
    ):
        client.delete("/customers/gone").raise_for_status()
        yield client


def listed(client: httpx.Client, query: str) -> list[str]:
    response = client.get(f"/customers?{query}")
    assert response.status_code == 200, response.text
    page = response.json()
    names = [customer["external_id"] for customer in page["customers"]]
    assert page["meta"]["total_count"] == len(names)
    return names


def assert_refused(response: httpx.Response, details: dict[str, Any]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422
    assert list(response.json()["error_details"]) == list(details)


def test_without_a_filter_all_are_listed_the_newest_first(client: httpx.Client) -> None:
    assert listed(client, "") == ALL


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("search_term=marlow", ["seal"], id="name"),
        pytest.param("search_term=ada", ["seal"], id="firstname"),
        pytest.param("search_term=quill", ["seal"], id="lastname"),
        pytest.param("search_term=tern", ["seal"], id="legal_name"),
        pytest.param("search_term=heron.ex", ["seal"], id="email"),
        pytest.param("search_term=tte", ["otter"], id="inside external_id"),
        pytest.param("search_term=seal", ["SEAL", "seal"], id="external_id in any case"),
        pytest.param("search_term=TERN%20HOLD", ["seal"], id="capitals and a space"),
        pytest.param("search_term=%C3%A9clair", ["otter"], id="letter outside ascii"),
        pytest.param("search_term=%20%09tern%0A", ["seal"], id="trimmed"),
        pytest.param("search_term=e", ["bare", "SEAL", "otter", "seal"], id="several columns"),
        pytest.param("search_term=%25", ["otter"], id="percent sign"),
        pytest.param("search_term=_", ["SEAL"], id="underscore"),
        pytest.param("search_term=t%25n", [], id="percent sign is no wildcard"),
        pytest.param("search_term=t_rn", [], id="underscore is no wildcard"),
        pytest.param("search_term=%5C", [], id="backslash"),
        pytest.param("search_term=", ALL, id="empty"),
        pytest.param("search_term=%20%09", ALL, id="blank"),
        pytest.param("search_term[]=tern", ALL, id="list is ignored"),
        pytest.param("search_term=astoria", [], id="city is not searched"),
        pytest.param("search_term=503", [], id="phone is not searched"),
        pytest.param("search_term=gold", [], id="metadata is not searched"),
        pytest.param("search_term=FR1", [], id="tax number is not searched"),
    ],
)
def test_search_term_is_looked_for_in_names_id_and_email(
    client: httpx.Client, query: str, names: list[str]
) -> None:
    assert listed(client, query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("external_id=seal", ["seal"], id="exact"),
        pytest.param("external_id=SEAL", ["SEAL"], id="capitals"),
        pytest.param("external_id=Seal", [], id="other case"),
        pytest.param("external_id=sea", [], id="part"),
        pytest.param("external_id=seal%20", [], id="not trimmed"),
        pytest.param("external_id=gone", [], id="deleted"),
        pytest.param("external_id=", ALL, id="empty"),
        pytest.param("external_id=%20", ALL, id="blank"),
        pytest.param("external_id=otter&search_term=tern", ["otter"], id="search is ignored"),
        pytest.param("external_id=nobody&search_term=tern", [], id="search is ignored, none"),
        pytest.param("external_id=&search_term=tern", ["seal"], id="search beside empty text"),
        pytest.param("external_id=%20&search_term=tern", ["seal"], id="search beside blank text"),
    ],
)
def test_external_id_is_the_whole_id_and_goes_before_search_term(
    client: httpx.Client, query: str, names: list[str]
) -> None:
    assert listed(client, query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("account_type[]=partner", ["seal"], id="account_type"),
        pytest.param("account_type[]=customer", ["bare", "SEAL", "otter"], id="account_type 2"),
        pytest.param("account_type[]=partner&account_type[]=customer", ALL, id="account_type both"),
        pytest.param("countries[]=FR", ["seal"], id="countries"),
        pytest.param("countries[]=FR&countries[]=NO", ["otter", "seal"], id="countries, two"),
        pytest.param("countries[]=FR&countries[]=FR", ["seal"], id="countries, twice"),
        pytest.param("countries[]=XK", ["SEAL"], id="countries, XK"),
        pytest.param("countries[]=DE", [], id="countries, nobody"),
        pytest.param("currencies[]=EUR", ["SEAL", "seal"], id="currencies"),
        pytest.param("currencies[]=NOK&currencies[]=KWD", ["otter"], id="currencies, two"),
        pytest.param("states[]=OR", ["seal"], id="states"),
        pytest.param("states[]=or", ["otter"], id="states, small"),
        pytest.param("states[]=Or", [], id="states, other case"),
        pytest.param("states[]=OR&states[]=or", ["otter", "seal"], id="states, two"),
        pytest.param("zipcodes[]=97103", ["seal"], id="zipcodes"),
        pytest.param("zipcodes[]=9710", [], id="zipcodes, part"),
        pytest.param("zipcodes[]=97103&zipcodes[]=97103-1", ["otter", "seal"], id="zipcodes, two"),
        pytest.param("billing_entity_codes[]=juniper", ["otter", "seal"], id="default entity"),
        pytest.param("billing_entity_codes[]=juniper_fr", ["SEAL"], id="entity"),
        pytest.param("billing_entity_codes[]=juniper_no", [], id="entity, nobody"),
        pytest.param(
            "billing_entity_codes[]=juniper_fr&billing_entity_codes[]=juniper_us",
            ["bare", "SEAL"],
            id="entities, two",
        ),
        pytest.param(
            "billing_entity_codes[]=juniper_fr&billing_entity_codes[]=juniper_fr",
            ["SEAL"],
            id="entities, twice",
        ),
    ],
)
def test_a_list_filter_finds_who_has_one_of_the_values(
    client: httpx.Client, query: str, names: list[str]
) -> None:
    assert listed(client, query) == names


@pytest.mark.parametrize(
    "name",
    [
        "account_type",
        "billing_entity_codes",
        "countries",
        "currencies",
        "states",
        "zipcodes",
        "metadata",
    ],
)
@pytest.mark.parametrize("value", ["", "nonsense", "FR"])
def test_a_list_filter_or_metadata_in_scalar_form_is_ignored(
    client: httpx.Client, name: str, value: str
) -> None:
    assert listed(client, f"{name}={value}") == ALL


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("has_tax_identification_number=true", ["otter", "seal"], id="tax number"),
        pytest.param("has_tax_identification_number=false", ["bare", "SEAL"], id="no tax number"),
        pytest.param("has_customer_type=true", ["otter", "seal"], id="type"),
        pytest.param("has_customer_type=false", ["bare", "SEAL"], id="no type"),
        pytest.param("customer_type=company", ["seal"], id="company"),
        pytest.param("customer_type=individual", ["otter"], id="individual"),
        pytest.param("customer_type=company&has_customer_type=true", ["seal"], id="both"),
    ],
)
def test_customers_are_told_apart_by_what_they_have(
    client: httpx.Client, query: str, names: list[str]
) -> None:
    assert listed(client, query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        pytest.param("metadata[tier]=gold", ["SEAL", "seal"], id="pair"),
        pytest.param("metadata[tier]=gold&metadata[seats]=5", ["seal"], id="two pairs"),
        pytest.param("metadata[tier]=silver&metadata[seats]=5", [], id="pairs of two customers"),
        pytest.param("metadata[tier]=gol", [], id="part"),
        pytest.param("metadata[tier]=Gold", [], id="value in other case"),
        pytest.param("metadata[Tier]=gold", [], id="key in other case"),
        pytest.param("metadata[seats]=", ["bare", "otter"], id="without a key"),
        pytest.param("metadata[tier]=", ["bare"], id="without a key 2"),
        pytest.param("metadata[color]=", ALL, id="without a key that nobody has"),
        pytest.param("metadata[tier]=gold&metadata[color]=", ["SEAL", "seal"], id="with, without"),
        pytest.param("metadata[tier]=silver&metadata[seats]=", ["otter"], id="with, without 2"),
        pytest.param("metadata[]=gold", ALL, id="list is ignored"),
    ],
)
def test_metadata_filters_by_pairs_and_an_empty_value_by_a_missing_key(
    client: httpx.Client, query: str, names: list[str]
) -> None:
    assert listed(client, query) == names


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("currencies[]=EUR&countries[]=FR", ["seal"]),
        ("currencies[]=EUR&countries[]=NO", []),
        ("currencies[]=EUR&billing_entity_codes[]=juniper_fr", ["SEAL"]),
        ("search_term=seal&metadata[seats]=7", ["SEAL"]),
        ("search_term=seal&customer_type=individual", []),
        ("external_id=seal&countries[]=NO", []),
        ("external_id=seal&account_type[]=partner&states[]=OR&zipcodes[]=97103", ["seal"]),
        ("has_customer_type=false&has_tax_identification_number=false", ["bare", "SEAL"]),
        ("has_customer_type=true&has_tax_identification_number=false", []),
    ],
    ids=brief,
)
def test_all_filters_must_hold(client: httpx.Client, query: str, names: list[str]) -> None:
    assert listed(client, query) == names


def test_a_page_counts_what_the_filters_leave(client: httpx.Client) -> None:
    page = client.get("/customers?currencies[]=EUR&per_page=1&page=2").json()

    assert [customer["external_id"] for customer in page["customers"]] == ["seal"]
    assert page["meta"] == {
        "current_page": 2,
        "next_page": None,
        "prev_page": 1,
        "total_pages": 2,
        "total_count": 2,
    }


def test_no_match_is_an_empty_collection(client: httpx.Client) -> None:
    response = client.get("/customers?countries[]=DE&page=3")

    assert response.json() == {"customers": [], "meta": EMPTY_META}
    assert response.status_code == 200


def test_filters_can_stand_in_a_json_body(client: httpx.Client) -> None:
    response = client.request("GET", "/customers", json={"countries": ["FR", "NO"], "per_page": 1})

    assert [customer["external_id"] for customer in response.json()["customers"]] == ["otter"]
    assert response.json()["meta"]["total_count"] == 2


def test_unknown_filters_are_ignored(client: httpx.Client) -> None:
    assert listed(client, "with_deleted=true&city=Astoria&cities[]=x&has_email=maybe") == ALL


@pytest.mark.parametrize(
    ("query", "details"),
    [
        ("account_type[]=x", {"account_type": {"0": [ONE_OF_TWO_ACCOUNTS]}}),
        ("account_type[]=", {"account_type": {"0": [ONE_OF_TWO_ACCOUNTS]}}),
        ("account_type[]=Partner", {"account_type": {"0": [ONE_OF_TWO_ACCOUNTS]}}),
        (
            "account_type[]=x&account_type[]=partner&account_type[]=y",
            {"account_type": {"0": [ONE_OF_TWO_ACCOUNTS], "2": [ONE_OF_TWO_ACCOUNTS]}},
        ),
        ("has_tax_identification_number=1", {"has_tax_identification_number": [YES_OR_NO]}),
        ("has_tax_identification_number=TRUE", {"has_tax_identification_number": [YES_OR_NO]}),
        ("has_tax_identification_number=", {"has_tax_identification_number": [YES_OR_NO]}),
        ("has_customer_type=0", {"has_customer_type": [YES_OR_NO]}),
        ("has_customer_type=False", {"has_customer_type": [YES_OR_NO]}),
        ("has_customer_type=", {"has_customer_type": [YES_OR_NO]}),
        ("customer_type=x", {"customer_type": [ONE_OF_TWO_TYPES]}),
        ("customer_type=Company", {"customer_type": [ONE_OF_TWO_TYPES]}),
        ("customer_type=", {"customer_type": [ONE_OF_TWO_TYPES]}),
        ("has_customer_type=false&customer_type=company", {"customer_type": [NO_TYPE]}),
        (
            "has_customer_type=false&customer_type=company&account_type[]=x",
            {"account_type": {"0": [ONE_OF_TWO_ACCOUNTS]}, "customer_type": [NO_TYPE]},
        ),
        ("metadata[tier][]=gold", {"metadata": {"tier": [TEXT]}}),
        ("metadata[tier][a]=gold", {"metadata": {"tier": [TEXT]}}),
        ("metadata[tier][a][]=gold", {"metadata": {"tier": [TEXT]}}),
        (
            "metadata[a][]=1&metadata[tier]=gold&metadata[b][c]=1",
            {"metadata": {"a": [TEXT], "b": [TEXT]}},
        ),
    ],
    ids=brief,
)
def test_a_bad_value_is_refused_with_a_sentence(
    client: httpx.Client, query: str, details: dict[str, Any]
) -> None:
    assert_refused(client.get(f"/customers?{query}"), details)


@pytest.mark.parametrize(
    ("name", "count", "begin", "end"),
    [
        ("currencies", 142, ["AED", "AFN", "ALL"], ["YER", "ZAR", "ZMW"]),
        ("countries", 250, ["AD", "AE", "AF"], ["ZM", "ZW", "XK"]),
    ],
)
def test_the_sentence_lists_every_value_that_can_be(
    client: httpx.Client, name: str, count: int, begin: list[str], end: list[str]
) -> None:
    details = client.get(f"/customers?{name}[]=nonsense").json()["error_details"]

    ((sentence,),) = details[name].values()
    head, _, tail = sentence.partition(": ")
    codes = tail.split(", ")
    assert head == "must be one of"
    assert (len(codes), codes[:3], codes[-3:]) == (count, begin, end)
    assert codes[:-1] == sorted(set(codes[:-1]))
    query = "&".join(f"{name}[]={code}" for code in codes)
    assert set(listed(client, query)) <= {*ALL}


@pytest.mark.parametrize(
    ("query", "name", "bad"),
    [
        ("countries[]=fr", "countries", ["0"]),
        ("countries[]=", "countries", ["0"]),
        ("countries[]=FR&countries[]=FRA&countries[]=XX", "countries", ["1", "2"]),
        ("currencies[]=eur", "currencies", ["0"]),
        ("currencies[]=", "currencies", ["0"]),
        ("currencies[]=EUR&currencies[]=XXX", "currencies", ["1"]),
    ],
    ids=brief,
)
def test_each_bad_item_of_a_vocabulary_is_told_by_its_index(
    client: httpx.Client, query: str, name: str, bad: list[str]
) -> None:
    response = client.get(f"/customers?{query}")
    other = client.get(f"/customers?{name}[]=nonsense").json()["error_details"][name]["0"]

    assert_refused(response, {name: dict.fromkeys(bad, other)})


def test_all_bad_filters_are_told_together_in_lagos_order(client: httpx.Client) -> None:
    query = (
        "metadata[k][]=1&customer_type=x&has_customer_type=x&has_tax_identification_number=x"
        "&currencies[]=x&countries[]=x&account_type[]=x"
    )

    response = client.get(f"/customers?{query}")

    assert response.status_code == 422
    assert list(response.json()["error_details"]) == [
        "account_type",
        "countries",
        "currencies",
        "has_tax_identification_number",
        "has_customer_type",
        "customer_type",
        "metadata",
    ]


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("billing_entity_codes[]=nobody", id="unknown"),
        pytest.param("billing_entity_codes[]=JUNIPER", id="other case"),
        pytest.param("billing_entity_codes[]=", id="empty text"),
        pytest.param("billing_entity_codes[]=juniper&billing_entity_codes[]=nobody", id="one"),
        pytest.param("customer_type=x&billing_entity_codes[]=nobody", id="before other filters"),
        pytest.param("per_page=0&billing_entity_codes[]=nobody", id="before the page"),
    ],
)
def test_an_unknown_billing_entity_is_not_found_before_anything_else(
    client: httpx.Client, query: str
) -> None:
    response = client.get(f"/customers?{query}")

    expected = {"status": 404, "error": "Not Found", "code": "billing_entity_not_found"}
    assert (response.status_code, response.json()) == (404, expected)
