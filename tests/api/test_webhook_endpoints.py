from __future__ import annotations

import re
import uuid
from typing import Any

import httpx
import pytest

from tests.conftest import brief

KEYS = [
    "lago_id",
    "lago_organization_id",
    "webhook_url",
    "signature_algo",
    "name",
    "event_types",
    "created_at",
]
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
URL = "https://hooks.juniper.example/lago"
OTHER_URL = "https://hooks.juniper.example/other"
TWO_TYPES = ["customer.created", "customer.updated"]
TOO_MANY = "Maximum number of webhook endpoints was reached"


def post(client: httpx.Client, **fields: Any) -> httpx.Response:
    return client.post("/webhook_endpoints", json={"webhook_endpoint": fields})


def put(client: httpx.Client, lago_id: str, **fields: Any) -> httpx.Response:
    return client.put(f"/webhook_endpoints/{lago_id}", json={"webhook_endpoint": fields})


def shown(response: httpx.Response) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["webhook_endpoint"]
    endpoint: dict[str, Any] = response.json()["webhook_endpoint"]
    return endpoint


def made(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    return shown(post(client, **{"webhook_url": URL, **fields}))


def found(client: httpx.Client, lago_id: str) -> dict[str, Any]:
    return shown(client.get(f"/webhook_endpoints/{lago_id}"))


def page(client: httpx.Client, query: str = "") -> dict[str, Any]:
    body: dict[str, Any] = client.get(f"/webhook_endpoints{query}").json()
    return body


def organization(client: httpx.Client) -> dict[str, Any]:
    shown: dict[str, Any] = client.get("/organizations").json()["organization"]
    return shown


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


def assert_not_found(response: httpx.Response) -> None:
    code = "webhook_endpoint_not_found"
    assert response.json() == {"status": 404, "error": "Not Found", "code": code}
    assert response.status_code == 404


def test_create_needs_no_more_than_an_address(client: httpx.Client) -> None:
    endpoint = made(client)

    assert list(endpoint) == KEYS
    assert endpoint == {
        "lago_id": str(uuid.UUID(endpoint["lago_id"], version=4)),
        "lago_organization_id": organization(client)["lago_id"],
        "webhook_url": URL,
        "signature_algo": "jwt",
        "name": None,
        "event_types": None,
        "created_at": endpoint["created_at"],
    }
    assert INSTANT.fullmatch(endpoint["created_at"])


def test_create_keeps_what_is_sent_and_get_shows_it(client: httpx.Client) -> None:
    fields = {"signature_algo": "hmac", "name": "Ledger", "event_types": TWO_TYPES}

    endpoint = made(client, **fields)

    assert {key: endpoint[key] for key in fields} == fields
    assert found(client, endpoint["lago_id"]) == endpoint
    assert list(found(client, endpoint["lago_id"])) == KEYS


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:3000",
        "HTTPS://a.co/x?y=1",
        "http://127.0.0.1:8080/hooks",
        "https://user:secret@a.co/",
        "https://a.co/" + "x" * 500,
    ],
    ids=brief,
)
def test_an_address_is_kept_as_it_comes(client: httpx.Client, url: str) -> None:
    endpoint = made(client, webhook_url=url)

    assert endpoint["webhook_url"] == url
    assert organization(client)["webhook_urls"] == [url]


@pytest.mark.parametrize(
    ("fields", "codes"),
    [
        ({"webhook_url": "ftp://a.co"}, ["url_is_invalid"]),
        ({"webhook_url": "javascript:alert(1)"}, ["url_is_invalid"]),
        ({"webhook_url": "a.co"}, ["url_is_invalid"]),
        ({"webhook_url": "https://"}, ["url_is_invalid"]),
        ({"webhook_url": "http://é.co"}, ["url_is_invalid"]),
        ({"webhook_url": "https://a.co/x y"}, ["url_is_invalid"]),
        ({"webhook_url": 12}, ["url_is_invalid"]),
        ({"webhook_url": None}, ["value_is_mandatory", "url_is_invalid"]),
        ({"webhook_url": ""}, ["value_is_mandatory", "url_is_invalid"]),
    ],
    ids=brief,
)
def test_a_bad_address_is_refused_by_create_and_update(
    client: httpx.Client, fields: dict[str, Any], codes: list[str]
) -> None:
    endpoint = made(client)

    assert_refused(post(client, **fields), {"webhook_url": codes})
    assert_refused(put(client, endpoint["lago_id"], **fields), {"webhook_url": codes})
    assert page(client)["webhook_endpoints"] == [endpoint]


def test_create_without_an_address_is_refused(client: httpx.Client) -> None:
    codes = ["value_is_mandatory", "url_is_invalid"]

    assert_refused(post(client, name="Ledger"), {"webhook_url": codes})


def test_an_address_stands_once(client: httpx.Client) -> None:
    first = made(client)
    second = made(client, webhook_url=OTHER_URL)

    assert_refused(post(client, webhook_url=URL), {"webhook_url": ["value_already_exist"]})
    response = put(client, second["lago_id"], webhook_url=URL)
    assert_refused(response, {"webhook_url": ["value_already_exist"]})
    assert shown(put(client, first["lago_id"], webhook_url=URL)) == first
    assert page(client)["webhook_endpoints"] == [second, first]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (None, None),
        (["*"], None),
        (["customer.created"], ["customer.created"]),
        (TWO_TYPES, TWO_TYPES),
        (["invoice.voided", "wallet.terminated"], ["invoice.voided", "wallet.terminated"]),
    ],
    ids=brief,
)
def test_no_event_types_and_a_star_mean_all(
    client: httpx.Client, given: object, kept: object
) -> None:
    lago_id = made(client, event_types=given)["lago_id"]

    assert found(client, lago_id)["event_types"] == kept
    put(client, lago_id, event_types=["plan.created"]).raise_for_status()
    assert found(client, lago_id)["event_types"] == ["plan.created"]
    assert shown(put(client, lago_id, event_types=given))["event_types"] == kept


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("customer.created", "must_be_array"),
        ("*", "must_be_array"),
        (5, "must_be_array"),
        (True, "must_be_array"),
        ({"0": "customer.created"}, "must_be_array"),
        (["customer.deleted"], "invalid_types"),
        (["customer.created", "nonsense", "more"], "invalid_types"),
        (["CUSTOMER.CREATED"], "invalid_types"),
        ([""], "invalid_types"),
        ([5], "invalid_types"),
    ],
    ids=brief,
)
def test_bad_event_types_are_refused_by_create_and_update(
    client: httpx.Client, given: object, code: str
) -> None:
    endpoint = made(client)

    response = post(client, webhook_url=OTHER_URL, event_types=given)
    assert_refused(response, {"event_types": [code]})
    response = put(client, endpoint["lago_id"], event_types=given)
    assert_refused(response, {"event_types": [code]})
    assert page(client)["webhook_endpoints"] == [endpoint]


@pytest.mark.parametrize("given", ["HMAC", "none", 5], ids=brief)
def test_an_unknown_algorithm_is_refused(client: httpx.Client, given: object) -> None:
    endpoint = made(client)

    response = post(client, webhook_url=OTHER_URL, signature_algo=given)
    assert_refused(response, {"signature_algo": ["value_is_invalid"]})
    response = put(client, endpoint["lago_id"], signature_algo=given)
    assert_refused(response, {"signature_algo": ["value_is_invalid"]})


@pytest.mark.parametrize(
    "change",
    [
        {"webhook_url": OTHER_URL},
        {"signature_algo": "jwt"},
        {"name": "Other"},
        {"name": None},
        {"event_types": ["plan.created"]},
        {"event_types": None},
        {"webhook_url": URL},
    ],
    ids=brief,
)
def test_update_changes_what_is_sent_and_nothing_else(
    client: httpx.Client, change: dict[str, Any]
) -> None:
    before = made(client, signature_algo="hmac", name="Ledger", event_types=TWO_TYPES)

    endpoint = shown(put(client, before["lago_id"], **change))

    assert endpoint == {**before, **change}
    assert found(client, before["lago_id"]) == endpoint


def test_the_eleventh_is_refused_until_one_is_deleted(client: httpx.Client) -> None:
    endpoints = [made(client, webhook_url=f"https://a.co/{number}") for number in range(10)]

    assert_refused(post(client, webhook_url="https://a.co/10"), {"base": [TOO_MANY]})
    assert page(client)["meta"]["total_count"] == 10

    client.delete(f"/webhook_endpoints/{endpoints[3]['lago_id']}").raise_for_status()
    assert made(client, webhook_url="https://a.co/10")["webhook_url"] == "https://a.co/10"


def test_the_newest_is_listed_first_and_in_pages(client: httpx.Client) -> None:
    first, second, third = (made(client, webhook_url=f"https://a.co/{n}") for n in range(3))

    assert page(client, "?per_page=2") == {
        "webhook_endpoints": [third, second],
        "meta": {
            "current_page": 1,
            "next_page": 2,
            "prev_page": None,
            "total_pages": 2,
            "total_count": 3,
        },
    }
    assert page(client, "?per_page=2&page=2")["webhook_endpoints"] == [first]


def test_none_is_an_empty_collection(client: httpx.Client) -> None:
    meta = {"current_page": 0, "next_page": None, "prev_page": None}

    assert page(client, "?page=2") == {
        "webhook_endpoints": [],
        "meta": {**meta, "total_pages": 0, "total_count": 0},
    }


def test_delete_answers_the_endpoint_and_it_is_gone(client: httpx.Client) -> None:
    kept = made(client, webhook_url=OTHER_URL)
    endpoint = made(client)

    answer = shown(client.delete(f"/webhook_endpoints/{endpoint['lago_id']}"))

    assert answer == endpoint
    assert_not_found(client.get(f"/webhook_endpoints/{endpoint['lago_id']}"))
    assert_not_found(client.delete(f"/webhook_endpoints/{endpoint['lago_id']}"))
    assert page(client)["webhook_endpoints"] == [kept]
    assert organization(client)["webhook_urls"] == [OTHER_URL]
    assert made(client)["lago_id"] != endpoint["lago_id"]


@pytest.mark.parametrize("lago_id", ["7c1e6f4a-2b90-4d38-9e57-a08d3f5c6b12", "nobody", "1"])
def test_an_unknown_id_is_not_found(client: httpx.Client, lago_id: str) -> None:
    made(client)

    assert_not_found(client.get(f"/webhook_endpoints/{lago_id}"))
    assert_not_found(put(client, lago_id, webhook_url="nonsense"))
    assert_not_found(client.delete(f"/webhook_endpoints/{lago_id}"))


@pytest.mark.parametrize(
    "body", [{}, {"webhook_endpoint": None}, {"webhook_endpoint": {}}], ids=brief
)
def test_a_missing_root_is_400(client: httpx.Client, body: object) -> None:
    response = client.post("/webhook_endpoints", json=body)

    what = "BadRequest: param is missing or the value is empty or invalid: webhook_endpoint"
    assert (response.status_code, response.json()) == (400, {"status": 400, "error": what})


class TestOrganization:
    def test_it_shows_the_addresses(self, client: httpx.Client) -> None:
        for url in (URL, OTHER_URL):
            made(client, webhook_url=url)

        shown = organization(client)

        assert sorted(shown["webhook_urls"]) == [URL, OTHER_URL]
        assert shown["webhook_url"] == shown["webhook_urls"][0]

    def test_its_first_address_makes_an_endpoint_with_the_defaults(
        self, client: httpx.Client
    ) -> None:
        client.put("/organizations", json={"organization": {"webhook_url": URL}})

        (endpoint,) = page(client)["webhook_endpoints"]
        assert list(endpoint) == KEYS
        settings = {"signature_algo": "jwt", "name": None, "event_types": None}
        assert endpoint == {**endpoint, **settings, "webhook_url": URL}

    def test_its_next_address_moves_the_endpoint_of_the_lowest_id(
        self, client: httpx.Client
    ) -> None:
        made_before = [made(client, webhook_url=f"https://a.co/{number}") for number in range(5)]

        client.put("/organizations", json={"organization": {"webhook_url": URL}})

        lowest = min(made_before, key=lambda endpoint: str(endpoint["lago_id"]))
        after = {each["lago_id"]: each for each in page(client)["webhook_endpoints"]}
        before = {each["lago_id"]: each for each in made_before}
        assert after == {**before, lowest["lago_id"]: {**lowest, "webhook_url": URL}}

    def test_its_address_cannot_be_that_of_another_endpoint(self, client: httpx.Client) -> None:
        endpoints = [made(client, webhook_url=f"https://a.co/{number}") for number in range(2)]
        highest = max(endpoints, key=lambda endpoint: str(endpoint["lago_id"]))

        body = {"organization": {"webhook_url": highest["webhook_url"]}}
        response = client.put("/organizations", json=body)

        assert_refused(response, {"webhook_url": ["value_already_exist"]})
        assert page(client)["webhook_endpoints"] == endpoints[::-1]
