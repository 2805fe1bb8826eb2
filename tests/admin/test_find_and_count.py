from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from lago_mock.app import LagoMockApp, build
from lago_mock.settings import Settings
from tests.conftest import running

KEY = {"Authorization": "Bearer lago-mock-key"}
STRANGER = {"Authorization": "Bearer nobody-at-all"}


def found(admin: httpx.Client, search: dict[str, Any], **headers: str) -> list[dict[str, Any]]:
    response = admin.post("/requests/find", json=search, headers=headers)
    assert response.status_code == 200, response.text
    requests: list[dict[str, Any]] = response.json()["requests"]
    return requests


def counted(admin: httpx.Client, search: dict[str, Any], **headers: str) -> int:
    response = admin.post("/requests/count", json=search, headers=headers)
    assert response.status_code == 200, response.text
    count: int = response.json()["count"]
    return count


def ask(client: httpx.Client) -> None:
    """Send five requests: two customers, one of them refused, a list, a tax, and a wrong path."""
    client.post("/customers", json={"customer": {"external_id": "a", "currency": "EUR"}})
    client.post("/customers", json={"customer": {"external_id": "b", "currency": "eurx"}})
    client.get("/customers?page=2&currencies[]=EUR&currencies[]=USD", headers={"X-Note": "one two"})
    client.get("/taxes/vat")
    client.put("/nowhere", content=b"hello")


@pytest.mark.parametrize(
    ("search", "places"),
    [
        pytest.param({}, [0, 1, 2, 3, 4], id="all"),
        pytest.param({"operation": "createCustomer"}, [0, 1], id="operation"),
        pytest.param({"operation": ["findTax", "createCustomer"]}, [0, 1, 3], id="operations"),
        pytest.param({"operation": "*"}, [0, 1, 2, 3, 4], id="any operation"),
        pytest.param({"method": "GET"}, [2, 3], id="method"),
        pytest.param({"path": "/api/v1/customers"}, [0, 1, 2], id="path"),
        pytest.param({"path": "/api/v1/t*"}, [3], id="glob at the end"),
        pytest.param({"method": "PUT", "path": "*/nowhere"}, [4], id="path without a route"),
        pytest.param({"status": 200}, [0, 2], id="status"),
        pytest.param({"status": [404, 422]}, [1, 3, 4], id="statuses"),
        pytest.param({"status": 503}, [], id="no such status"),
        pytest.param({"match": {"headers": {"x-note": "one *"}}}, [2], id="header"),
        pytest.param({"match": {"headers": {"X-Note": None}}}, [0, 1, 3, 4], id="no header"),
        pytest.param({"match": {"query": {"page": None}}}, [0, 1, 3, 4], id="no parameter"),
        pytest.param({"match": {"query": {"page": "2"}}}, [2], id="parameter"),
        pytest.param({"match": {"query": {"currencies[]": ["EUR", "USD"]}}}, [2], id="list"),
        pytest.param({"match": {"body": {"customer": {"external_id": "b"}}}}, [1], id="body"),
        pytest.param(
            {"match": {"body": {"customer": {"currency": "EUR"}}}, "status": 422}, [], id="both"
        ),
    ],
)
def test_requests_are_found_by_every_word(
    client: httpx.Client, admin: httpx.Client, search: dict[str, Any], places: list[int]
) -> None:
    ask(client)
    every = admin.get("/requests").json()["requests"]

    assert found(admin, search) == [every[place] for place in places]
    assert counted(admin, search) == len(places)


def test_a_search_without_a_body_finds_all(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")

    assert len(admin.post("/requests/find").json()["requests"]) == 1
    assert admin.post("/requests/count").json() == {"count": 1, "requestJournalDisabled": False}


def test_requests_are_found_since_another_one(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/customers")
    client.get("/taxes")
    first, second = found(admin, {})

    assert found(admin, {"since": first["id"]}) == [second]
    assert found(admin, {"since": second["id"]}) == []


def test_requests_are_found_since_an_instant(client: httpx.Client, admin: httpx.Client) -> None:
    client.put("/nowhere")
    admin.put("/clock", json={"now": "2030-01-01T00:00:00Z"}).raise_for_status()
    client.get("/customers")
    admin.put("/clock", json={"now": "2030-01-01T00:00:10Z"}).raise_for_status()
    client.get("/taxes")

    def paths(since: str) -> list[str]:
        return [each["path"][8:] for each in found(admin, {"since": since})]

    assert paths("2030-01-01T00:00:00Z") == ["customers", "taxes"]
    assert paths("2030-01-01T02:00:00.001+02:00") == ["taxes"]
    assert paths("2030-01-01T00:00:10.001Z") == []


@pytest.mark.parametrize("path", ["/requests/find", "/requests/count"])
@pytest.mark.parametrize(
    ("search", "details"),
    [
        (
            {"operation": "createCustmer"},
            {"operation": ["no operation createCustmer; did you mean createCustomer?"]},
        ),
        (
            {"operation": "createTax", "method": "GET"},
            {"method": ["no such operation takes GET, but POST"]},
        ),
        (
            {"operation": "createTax", "path": "/api/v1/customers"},
            {"path": ["no such operation at /api/v1/customers; did you mean /api/v1/taxes?"]},
        ),
        ({"since": "yesterday"}, {"since": ["value_is_invalid"]}),
        ({"since": 5}, {"since": ["value_is_invalid; string is needed"]}),
        ({"status": "200"}, {"status": ["value_is_invalid; integer or array is needed"]}),
        ({"status": 99}, {"status": ["value_is_out_of_range; 100 is the least"]}),
        ({"status": []}, {"status": ["value_is_invalid"]}),
        ({"count": 0}, {"count": ["value_is_out_of_range; 1 is the least"]}),
        ({"timeout_ms": 60_001}, {"timeout_ms": ["value_is_out_of_range; 60000 is the most"]}),
        ({"timeout_ms": 0.5}, {"timeout_ms": ["is not a number"]}),
        ({"colour": "red"}, {"colour": ["unknown_field"]}),
    ],
    ids=str,
)
def test_a_search_that_can_find_nothing_is_refused(
    admin: httpx.Client, path: str, search: dict[str, Any], details: dict[str, list[str]]
) -> None:
    response = admin.post(path, json=search)

    assert response.status_code == 422
    assert response.json()["error_details"] == details


def test_a_key_finds_its_own_requests_only(client: httpx.Client, admin: httpx.Client) -> None:
    other = admin.post("/organizations", json={"name": "Other"}).json()
    key = {"Authorization": f"Bearer {other['api_key']}"}
    client.get("/customers")
    client.get("/taxes", headers=key)
    client.get("/organizations", headers=STRANGER)

    assert [each["operation"] for each in found(admin, {}, **KEY)] == ["findAllCustomers"]
    assert [each["operation"] for each in found(admin, {}, **key)] == ["findAllTaxes"]
    assert counted(admin, {}) == 3
    assert admin.post("/requests/count", headers=STRANGER).status_code == 401


# Waiting


@contextmanager
def waiting(admin: httpx.Client, search: dict[str, Any], **headers: str) -> Iterator[Future[int]]:
    """Count in another thread, with time enough."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(counted, admin, {"timeout_ms": 9_000, **search}, **headers)


@pytest.fixture
def readers(app: LagoMockApp, admin: httpx.Client) -> Callable[[int], None]:
    """Wait until so many wait on the server; nobody does at first."""
    feed = app.server.tenants.archive.feed

    def wait(count: int) -> None:
        end = time.monotonic() + 9
        while len(feed.readers) != count:
            assert time.monotonic() < end, f"{len(feed.readers)} wait"

    wait(0)
    return wait


def test_a_wait_ends_when_another_thread_sends_the_request(
    client: httpx.Client, admin: httpx.Client, readers: Callable[[int], None]
) -> None:
    search = {"operation": "createCustomer", "status": 200}
    with waiting(admin, search) as count:
        readers(1)
        client.post("/customers", json={"customer": {}})
        client.get("/customers")
        assert not count.done()
        client.post("/customers", json={"customer": {"external_id": "a"}})
        assert count.result(9) == 1
    readers(0)


def test_a_wait_goes_on_until_there_are_enough(
    client: httpx.Client, admin: httpx.Client, readers: Callable[[int], None]
) -> None:
    client.get("/taxes")
    with waiting(admin, {"operation": "findAllTaxes", "count": 3}) as count:
        readers(1)
        client.get("/taxes")
        assert not count.done()
        client.get("/taxes")
        assert count.result(9) == 3


def test_what_is_there_already_needs_no_wait(client: httpx.Client, admin: httpx.Client) -> None:
    client.get("/taxes")
    began = time.monotonic()

    assert counted(admin, {"path": "*/taxes", "timeout_ms": 9_000}) == 1
    assert time.monotonic() - began < 5


def test_a_wait_ends_with_what_there_is_when_time_is_over(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.get("/taxes")

    search = {"operation": "findAllTaxes", "count": 2, "timeout_ms": 30}
    assert counted(admin, search) == 1
    assert [each["operation"] for each in found(admin, search)] == ["findAllTaxes"]


def test_a_request_that_is_still_open_is_found_but_by_no_status(
    client: httpx.Client, admin: httpx.Client, readers: Callable[[int], None]
) -> None:
    admin.post("/faults", json={"operation": "findAllTaxes", "connection": "HANG"})
    search = {"operation": "findAllTaxes"}
    with ThreadPoolExecutor(1) as pool, waiting(admin, search) as count:
        readers(1)
        hanging = pool.submit(client.get, "/taxes")
        try:
            assert count.result(9) == 1
            (entry,) = found(admin, search)
            assert (entry["status"], entry["answer"], entry["fault"] is None) == (None, None, False)
            assert counted(admin, {**search, "status": [200, 503]}) == 0
        finally:
            admin.post("/reset").raise_for_status()
    assert hanging.result().status_code == 503


@pytest.mark.parametrize("headers", [{}, KEY], ids=["server", "organization"])
def test_a_reset_ends_a_wait(
    client: httpx.Client,
    admin: httpx.Client,
    readers: Callable[[int], None],
    headers: dict[str, str],
) -> None:
    client.get("/taxes")
    with waiting(admin, {"count": 2}, **headers) as count:
        readers(1)
        admin.post("/reset", headers=headers).raise_for_status()
        assert count.result(9) == 0


def test_a_wait_of_one_organization_hears_nothing_of_another(
    client: httpx.Client, admin: httpx.Client, readers: Callable[[int], None]
) -> None:
    other = admin.post("/organizations", json={"name": "Other"}).json()
    with waiting(admin, {"path": "*/taxes"}, **KEY) as count:
        readers(1)
        client.get("/taxes", headers={"Authorization": f"Bearer {other['api_key']}"})
        client.get("/taxes", headers=STRANGER)
        assert not count.done()
        client.get("/taxes")
        assert count.result(9) == 1


def test_requests_that_are_forgotten_meanwhile_do_not_count(
    client: httpx.Client, admin: httpx.Client, readers: Callable[[int], None]
) -> None:
    with waiting(admin, {"operation": "findAllTaxes", "count": 2}) as count:
        readers(1)
        client.get("/taxes")
        admin.delete("/requests").raise_for_status()
        client.get("/taxes")
        assert not count.done()
        client.get("/taxes")
        assert count.result(9) == 2


def test_a_wait_that_nobody_waits_for_is_given_up(
    server: str, admin: httpx.Client, readers: Callable[[int], None]
) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{server}/__admin/requests/count", json={"timeout_ms": 60_000}, timeout=0.2)
    readers(0)


def test_a_wait_ends_with_the_server() -> None:
    app = build(Settings(db=":memory:", fixtures="empty"))
    feed = app.server.tenants.archive.feed
    with ThreadPoolExecutor(1) as pool:
        with running(app) as url:
            wait = {"timeout_ms": 60_000}
            count = pool.submit(httpx.post, f"{url}/__admin/requests/count", json=wait, timeout=20)
            while not feed.readers:
                assert not count.done()
            began = time.monotonic()
        assert time.monotonic() - began < 5
        assert count.result().json() == {"count": 0, "requestJournalDisabled": False}


def test_nothing_is_waited_for_where_no_journal_is_kept() -> None:
    settings = Settings(db=":memory:", fixtures="empty", journal_size=0)
    with running(build(settings)) as url, httpx.Client(base_url=url, verify=False) as client:
        client.get("/api/v1/customers", headers=KEY)
        answer = client.post("/__admin/requests/count", json={"timeout_ms": 60_000}).json()
        found = client.post("/__admin/requests/find", json={"timeout_ms": 60_000}).json()

    assert answer == {"count": 0, "requestJournalDisabled": True}
    assert found == {"requests": [], "requestJournalDisabled": True}
