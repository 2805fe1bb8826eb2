from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import running, serving_set

KEY = {"Authorization": "Bearer lago-mock-key"}
STRANGER = {"Authorization": "Bearer nobody"}
OTHER_SETTINGS = {
    "validation": "strict",
    "license": "free",
    "era": "2023",
    "latency": {"default": 1},
    "rate_limit": {"default": 1},
}
FAULT = {"operation": "createTax", "error": "bad_gateway"}


@pytest.fixture(scope="module")
def own_server() -> Iterator[str]:
    """URL of a server whose fixture set may be changed."""
    with running(build(Settings(db=":memory:", fixtures="empty"))) as url:
        yield url


@pytest.fixture
def steered(own_server: str) -> Iterator[httpx.Client]:
    """Client of that server, which is back at the set `empty`; sends no key."""
    with httpx.Client(base_url=own_server, verify=False) as client:
        client.post("/__admin/reset", json={"fixtures": "empty"}).raise_for_status()
        yield client


def customers(client: httpx.Client) -> list[str]:
    answer = client.get("/api/v1/customers", headers=KEY).json()
    return sorted(each["external_id"] for each in answer["customers"])


def test_a_reset_takes_rows_back(client: httpx.Client, admin: httpx.Client) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})
    client.post("/taxes", json={"tax": {"name": "VAT", "code": "vat", "rate": 20}})

    response = admin.post("/reset")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert client.get("/customers").json()["customers"] == []
    assert client.get("/taxes").json()["taxes"] == []


def test_a_reset_takes_back_what_was_deleted(steered: httpx.Client) -> None:
    steered.post("/__admin/reset", json={"fixtures": "default"})
    before = customers(steered)
    steered.delete("/api/v1/customers/acct-nimbus", headers=KEY).raise_for_status()

    steered.post("/__admin/reset")

    assert "acct-nimbus" in before
    assert customers(steered) == before


def test_a_reset_takes_the_organization_back_and_keeps_its_id(
    client: httpx.Client, admin: httpx.Client
) -> None:
    before = client.get("/organizations").json()
    changes = {"name": "Other", "city": "Faro", "timezone": "Asia/Tokyo", "country": "PT"}
    client.put("/organizations", json={"organization": changes}).raise_for_status()

    admin.post("/reset")

    assert client.get("/organizations").json() == before


def test_numbers_begin_anew_after_a_reset(client: httpx.Client, admin: httpx.Client) -> None:
    def first() -> tuple[int, str]:
        body = {"customer": {"external_id": "a"}}
        customer = client.post("/customers", json=body).json()["customer"]
        return customer["sequential_id"], customer["slug"]

    before = first()
    admin.post("/reset")

    assert before == first() == (1, "BLANK-001")


def test_a_reset_forgets_faults_and_requests(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")
    client.get("/customers", headers=STRANGER)
    admin.post("/faults", json=FAULT)
    admin.post("/faults", json=FAULT, headers=KEY)

    admin.post("/reset")

    assert admin.get("/requests").json()["meta"] == {"total": 0}
    assert admin.get("/faults").json() == {"faults": []}
    assert admin.get("/faults", headers=KEY).json() == {"faults": []}


def test_a_reset_with_a_key_takes_its_organization_back(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})
    admin.post("/faults", json=FAULT, headers=KEY)

    response = admin.post("/reset", headers=KEY)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert admin.get("/requests", headers=KEY).json()["meta"] == {"total": 0}
    assert admin.get("/faults", headers=KEY).json() == {"faults": []}
    assert client.get("/customers").json()["customers"] == []


def test_a_reset_with_a_key_keeps_what_is_the_servers(
    client: httpx.Client, admin: httpx.Client
) -> None:
    fault = admin.post("/faults", json=FAULT).json()
    client.get("/taxes", headers=STRANGER)

    admin.post("/reset", headers=KEY)

    assert admin.get("/faults").json() == {"faults": [fault]}
    requests = admin.get("/requests").json()["requests"]
    assert [each["path"] for each in requests] == ["/api/v1/taxes"]


def test_a_reset_with_an_unknown_key_changes_nothing(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    response = admin.post("/reset", headers=STRANGER)

    assert response.status_code == 401
    assert response.json() == {"status": 401, "error": "Unauthorized"}
    assert client.get("/customers").json()["meta"]["total_count"] == 1


def test_a_reset_can_name_another_set(steered: httpx.Client) -> None:
    response = steered.post("/__admin/reset", json={"fixtures": "default"})

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert customers(steered) == [
        "2041",
        "acct-ines",
        "acct-lanternfish",
        "acct-nimbus",
        "acct-quillfeather",
    ]


def test_a_set_stays_until_another_is_named(steered: httpx.Client) -> None:
    steered.post("/__admin/reset", json={"fixtures": "default"})
    steered.post("/__admin/reset")
    kept = customers(steered)
    steered.post("/__admin/reset", json={"fixtures": "empty"})

    assert (len(kept), customers(steered)) == (5, [])


def test_another_set_leaves_name_and_keys_of_an_organization(steered: httpx.Client) -> None:
    before = steered.get("/api/v1/organizations", headers=KEY).json()["organization"]

    steered.post("/__admin/reset", json={"fixtures": "default"})

    after = steered.get("/api/v1/organizations", headers=KEY).json()["organization"]
    assert (after["lago_id"], after["name"]) == (before["lago_id"], "Blank Slate")
    assert (before["city"], after["city"]) == (None, "Lisbon")


def test_an_unknown_set_is_not_found_and_changes_nothing(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    response = admin.post("/reset", json={"fixtures": "nothing"})

    expected = {"status": 404, "error": "Not Found", "code": "fixtures_not_found"}
    expected |= {"known": ["default", "empty"]}
    assert (response.status_code, response.json()) == (404, expected)
    assert client.get("/customers").json()["meta"]["total_count"] == 1


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"fixtures": 1}, {"fixtures": ["value_is_invalid; string is needed"]}),
        ({"fixtures": None}, {"fixtures": ["value_is_invalid; string is needed"]}),
        ({"fixtures": ["empty"]}, {"fixtures": ["value_is_invalid; string is needed"]}),
        ({"fixtures": ""}, {"fixtures": ["value_is_too_short"]}),
        ({"fixture": "empty"}, {"fixture": ["unknown_field; did you mean fixtures?"]}),
    ],
)
def test_a_body_that_says_something_else_is_refused(
    client: httpx.Client, admin: httpx.Client, body: object, details: dict[str, list[str]]
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    response = admin.post("/reset", json=body)

    assert response.status_code == 422
    assert response.json()["error_details"] == details
    assert client.get("/customers").json()["meta"]["total_count"] == 1


@pytest.mark.parametrize("body", [b"[]", b'"empty"', b"1", b"null"])
def test_a_body_that_is_no_object_is_refused(
    client: httpx.Client, admin: httpx.Client, body: bytes
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    response = admin.post("/reset", content=body, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert client.get("/customers").json()["meta"]["total_count"] == 1


def test_another_set_may_be_that_of_one_organization(
    client: httpx.Client, admin: httpx.Client
) -> None:
    other = {"Authorization": "Bearer other-key"}
    admin.post("/organizations", json={"api_key": "other-key"}).raise_for_status()

    response = admin.post("/reset", json={"fixtures": "default"}, headers=other)

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert len(client.get("/customers", headers=other).json()["customers"]) == 5
    assert client.get("/customers").json()["customers"] == []
    admin.post("/reset", headers=KEY).raise_for_status()
    assert client.get("/customers").json()["customers"] == []


def test_a_set_of_one_organization_stays_until_another_is_named(
    client: httpx.Client, admin: httpx.Client
) -> None:
    found = []
    for body in ({"fixtures": "default"}, {}, {"fixtures": "empty"}, {}):
        admin.post("/reset", json=body, headers=KEY).raise_for_status()
        found.append(client.get("/customers").json()["meta"]["total_count"])

    assert found == [5, 5, 0, 0]


def test_a_reset_of_the_server_forgets_the_sets_of_single_organizations(
    client: httpx.Client, admin: httpx.Client
) -> None:
    admin.post("/reset", json={"fixtures": "default"}, headers=KEY).raise_for_status()

    admin.post("/reset").raise_for_status()
    first = customers_of(client)
    admin.post("/reset", headers=KEY).raise_for_status()

    assert (first, customers_of(client)) == ([], [])


def test_an_unknown_set_for_one_organization_changes_nothing(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    response = admin.post("/reset", json={"fixtures": "nothing"}, headers=KEY)

    assert (response.status_code, response.json()["code"]) == (404, "fixtures_not_found")
    assert customers_of(client) == ["a"]


def test_a_set_of_ones_own_can_be_named_like_those_that_ship(tmp_path: Path) -> None:
    own = {"organization": {"name": "Own"}, "customers": [{"external_id": "mine"}]}
    with serving_set(tmp_path, own) as url, httpx.Client(base_url=url, verify=False) as client:
        client.delete("/api/v1/customers/mine", headers=KEY).raise_for_status()

        for headers in (KEY, {}):
            body = {"fixtures": "own"}
            client.post("/__admin/reset", json=body, headers=headers).raise_for_status()

            assert customers(client) == ["mine"]


def test_a_reset_takes_every_kind_of_state_back(client: httpx.Client, admin: httpx.Client) -> None:
    settings = admin.get("/settings").json()
    for headers in (None, KEY):
        admin.patch("/settings", json=OTHER_SETTINGS, headers=headers).raise_for_status()
        admin.put("/clock", json={"now": "2031-01-01T00:00:00Z"}, headers=headers)
        admin.post("/faults", json=FAULT, headers=headers).raise_for_status()
    client.post("/customers", json={"customer": {"external_id": "a"}}).raise_for_status()
    client.get("/customers", headers=STRANGER)
    admin.post("/organizations", json={"api_key": "other-key"}).raise_for_status()
    assert client.get("/customers").status_code == 429

    admin.post("/reset")

    assert admin.get("/requests").json()["meta"] == {"total": 0}
    assert [admin.get("/settings", headers=each).json() for each in (None, KEY)] == [settings] * 2
    assert [admin.get("/faults", headers=each).json()["faults"] for each in (None, KEY)] == [[], []]
    frozen = [admin.get("/clock", headers=each).json()["frozen"] for each in (None, KEY)]
    assert frozen == [False, False]
    assert customers_of(client) == []
    assert len(admin.get("/organizations").json()["organizations"]) == 1
    made = client.post("/customers", json={"customer": {"external_id": "a"}}).json()["customer"]
    assert made["sequential_id"] == 1


def test_a_delayed_call_writes_nothing_after_a_reset(
    server: str, client: httpx.Client, admin: httpx.Client
) -> None:
    admin.post("/faults", json={"operation": "createCustomer", "delay_ms": 60_000})
    answers: list[httpx.Response] = []

    def create() -> None:
        body = {"customer": {"external_id": "late"}}
        answers.append(httpx.post(f"{server}/api/v1/customers", json=body, headers=KEY))

    thread = threading.Thread(target=create)
    thread.start()
    while not admin.get("/requests").json()["requests"]:
        pass  # it has not arrived yet
    admin.post("/reset").raise_for_status()
    thread.join(10)

    assert [answer.status_code for answer in answers] == [503]
    assert customers_of(client) == []


def test_a_body_that_is_no_json_cannot_be_read(client: httpx.Client, admin: httpx.Client) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    response = admin.post("/reset", content=b"{", headers={"Content-Type": "application/json"})

    assert response.status_code == 400
    assert response.json()["error"].startswith("Bad Request")
    assert client.get("/customers").json()["meta"]["total_count"] == 1


def test_a_media_type_that_is_none_is_not_taken(admin: httpx.Client) -> None:
    response = admin.post("/reset", content=b"{}", headers={"Content-Type": "garbage"})

    assert response.status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_only_a_post_resets(client: httpx.Client, admin: httpx.Client, method: str) -> None:
    client.post("/customers", json={"customer": {"external_id": "a"}})

    response = admin.request(method, "/reset")

    assert response.status_code == 404
    assert client.get("/customers").json()["meta"]["total_count"] == 1


def test_a_call_whose_body_comes_after_a_reset_writes_nothing(
    server: str, admin: httpx.Client, client: httpx.Client
) -> None:
    host, _, port = server.removeprefix("http://").partition(":")
    body = b'{"customer": {"external_id": "late"}}'
    head = (
        f"POST /api/v1/customers HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        f"Authorization: {KEY['Authorization']}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(head.encode())
        while not admin.get("/requests").json()["requests"]:
            pass  # the head has not arrived yet
        admin.post("/reset").raise_for_status()
        connection.sendall(body)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert customers_of(client) == []


def customers_of(client: httpx.Client) -> list[str]:
    return [each["external_id"] for each in client.get("/customers").json()["customers"]]
