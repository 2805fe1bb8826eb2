from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lago_mock.app import LagoMockApp
from lago_mock.store.store import StoreUnwritable
from tests.process import serving

KEY = {"Authorization": "Bearer lago-mock-key"}
OTHER = {"Authorization": "Bearer other-key"}
THIRD = {"Authorization": "Bearer third-key"}
NAMES = "1 to 100 letters, digits, hyphens, dots and underscores are needed"


@pytest.fixture(autouse=True)
def no_snapshots(admin: httpx.Client) -> Iterator[None]:
    """Snapshots outlive the reset that each test begins with."""
    yield
    for headers in ({}, KEY):
        for name in snapshots(admin, headers):
            admin.delete(f"/snapshots/{name}", headers=headers).raise_for_status()


def snapshots(admin: httpx.Client, headers: dict[str, str] | None = None) -> list[str]:
    names: list[str] = admin.get("/snapshots", headers=headers).json()["snapshots"]
    return names


def customers(client: httpx.Client, headers: dict[str, str] | None = None) -> list[str]:
    answer = client.get("/customers", headers=headers)
    return sorted(each["external_id"] for each in answer.json()["customers"])


def add(client: httpx.Client, name: str, headers: dict[str, str] | None = None) -> None:
    body = {"customer": {"external_id": name}}
    client.post("/customers", json=body, headers=headers).raise_for_status()


def make_other(admin: httpx.Client) -> str:
    body = {"name": "Other", "api_key": "other-key"}
    made: str = admin.post("/organizations", json=body).json()["id"]
    return made


@pytest.mark.parametrize("headers", [{}, KEY], ids=["whole server", "key"])
def test_a_restore_gives_rows_and_numbers_back_as_often_as_wished(
    client: httpx.Client, admin: httpx.Client, headers: dict[str, str]
) -> None:
    add(client, "kept")
    taken = admin.put("/snapshots/before", headers=headers)
    for _ in range(2):
        add(client, "late")
        client.delete("/customers/kept").raise_for_status()

        restored = admin.post("/snapshots/before/restore", headers=headers)

        assert customers(client) == ["kept"]
    made = client.post("/customers", json={"customer": {"external_id": "next"}}).json()["customer"]
    assert (taken.status_code, taken.json()) == (200, {"status": "ok"})
    assert (restored.status_code, restored.json()) == (200, {"status": "ok"})
    assert made["sequential_id"] == 2


def test_a_restore_gives_the_organization_back(client: httpx.Client, admin: httpx.Client) -> None:
    before = client.get("/organizations").json()
    admin.put("/snapshots/before", headers=KEY)
    client.put("/organizations", json={"organization": {"city": "Faro"}}).raise_for_status()

    admin.post("/snapshots/before/restore", headers=KEY)

    assert client.get("/organizations").json() == before


def test_a_restore_leaves_faults_requests_clock_and_settings(
    client: httpx.Client, admin: httpx.Client
) -> None:
    admin.put("/snapshots/before")
    client.get("/taxes")
    admin.post("/faults", json={"operation": "createTax", "error": "bad_gateway"})
    admin.put("/clock", json={"now": "2030-01-01T00:00:00Z"})
    admin.patch("/settings", json={"license": "free"})

    admin.post("/snapshots/before/restore")

    assert len(admin.get("/faults").json()["faults"]) == 1
    assert admin.get("/requests").json()["meta"]["total"] == 1
    assert admin.get("/health").json()["timestamp"] == "2030-01-01T00:00:00Z"
    assert admin.get("/settings").json()["license"] == "free"


def test_the_answer_to_a_read_is_that_of_the_restored_rows(
    client: httpx.Client, admin: httpx.Client
) -> None:
    client.post("/customers", json={"customer": {"external_id": "a", "name": "before"}})
    admin.put("/snapshots/before")
    client.post("/customers", json={"customer": {"external_id": "a", "name": "after"}})
    assert client.get("/customers/a").json()["customer"]["name"] == "after"

    admin.post("/snapshots/before/restore")

    assert client.get("/customers/a").json()["customer"]["name"] == "before"


def test_a_snapshot_of_the_same_name_is_replaced(client: httpx.Client, admin: httpx.Client) -> None:
    admin.put("/snapshots/one")
    add(client, "a")
    admin.put("/snapshots/two")
    admin.put("/snapshots/one")

    admin.post("/reset")
    admin.post("/snapshots/one/restore")

    assert snapshots(admin) == ["one", "two"]
    assert customers(client) == ["a"]


def test_snapshots_of_an_organization_and_of_the_server_are_apart(admin: httpx.Client) -> None:
    admin.put("/snapshots/all")
    admin.put("/snapshots/one", headers=KEY)

    assert (snapshots(admin), snapshots(admin, KEY)) == (["all"], ["one"])
    assert admin.post("/snapshots/one/restore").status_code == 404
    assert admin.post("/snapshots/all/restore", headers=KEY).status_code == 404


def test_an_organizations_snapshot_leaves_the_others(
    client: httpx.Client, admin: httpx.Client
) -> None:
    make_other(admin)
    admin.put("/snapshots/mine", headers=KEY)
    add(client, "a")
    add(client, "b", OTHER)

    admin.post("/snapshots/mine/restore", headers=KEY)

    assert (customers(client), customers(client, OTHER)) == ([], ["b"])


def test_with_the_server_organizations_made_since_go_and_removed_ones_come_back(
    client: httpx.Client, admin: httpx.Client
) -> None:
    other = make_other(admin)
    add(client, "b", OTHER)
    admin.put("/snapshots/two")
    admin.delete(f"/organizations/{other}").raise_for_status()
    third = admin.post("/organizations", json={"name": "Third", "api_key": "third-key"})
    third.raise_for_status()

    admin.post("/snapshots/two/restore")

    assert customers(client, OTHER) == ["b"]
    assert (
        client.get("/customers", headers={"Authorization": "Bearer third-key"}).status_code == 401
    )
    ids = [each["id"] for each in admin.get("/organizations").json()["organizations"]]
    assert (len(ids), ids[1]) == (2, other)


@pytest.mark.parametrize("headers", [{}, KEY], ids=["whole server", "key"])
def test_a_removed_snapshot_is_gone(admin: httpx.Client, headers: dict[str, str]) -> None:
    admin.put("/snapshots/gone", headers=headers)

    removed = admin.delete("/snapshots/gone", headers=headers)

    assert (removed.status_code, removed.json()) == (200, {"status": "ok"})
    assert snapshots(admin, headers) == []


@pytest.mark.parametrize("headers", [{}, KEY], ids=["whole server", "key"])
@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/snapshots/none/restore"), ("DELETE", "/snapshots/none")]
)
def test_an_unknown_snapshot_is_not_found(
    admin: httpx.Client, headers: dict[str, str], method: str, path: str
) -> None:
    response = admin.request(method, path, headers=headers)

    expected = {"status": 404, "error": "Not Found", "code": "snapshot_not_found"}
    assert (response.status_code, response.json()) == (404, expected)


@pytest.mark.parametrize("name", ["a", "Z9", "_", "a.json", "before-import", "x" * 100])
def test_a_name_of_letters_digits_and_three_signs_is_taken(admin: httpx.Client, name: str) -> None:
    assert admin.put(f"/snapshots/{name}").status_code == 200
    assert snapshots(admin) == [name]


@pytest.mark.parametrize("name", ["x" * 101, "a%20b", "a%2Fb", "a:b", "%C3%A4", "a%0A", "*"])
def test_any_other_name_is_refused(admin: httpx.Client, name: str) -> None:
    response = admin.put(f"/snapshots/{name}")

    assert (response.status_code, response.json()["error_details"]) == (422, {"name": [NAMES]})
    assert snapshots(admin) == []


@pytest.mark.parametrize("headers", [{}, KEY], ids=["whole server", "key"])
def test_there_are_100_snapshots_at_most(admin: httpx.Client, headers: dict[str, str]) -> None:
    for number in range(100):
        admin.put(f"/snapshots/{number}", headers=headers).raise_for_status()

    one_more, known = (admin.put(f"/snapshots/{name}", headers=headers) for name in ("more", "7"))

    sentence = "There are 100 snapshots, and there can be no more; delete one first"
    assert one_more.status_code == 422
    assert one_more.json()["error_details"] == {"name": [sentence]}
    assert known.status_code == 200
    assert len(snapshots(admin, headers)) == 100


def test_a_snapshot_outlives_a_reset(client: httpx.Client, admin: httpx.Client) -> None:
    add(client, "a")
    admin.put("/snapshots/all")
    admin.put("/snapshots/mine", headers=KEY)

    admin.post("/reset")

    assert (snapshots(admin), snapshots(admin, KEY)) == (["all"], ["mine"])
    admin.post("/snapshots/mine/restore", headers=KEY)
    assert customers(client) == ["a"]


def test_snapshots_of_an_organization_go_with_it(admin: httpx.Client) -> None:
    other = make_other(admin)
    admin.put("/snapshots/its", headers=OTHER)
    admin.delete(f"/organizations/{other}").raise_for_status()
    make_other(admin)

    assert snapshots(admin, OTHER) == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_an_unknown_key_touches_no_snapshot(admin: httpx.Client, method: str) -> None:
    admin.put("/snapshots/one")
    stranger = {"Authorization": "Bearer nobody"}

    assert admin.request(method, "/snapshots/one", headers=stranger).status_code == 401
    assert admin.get("/snapshots", headers=stranger).status_code == 401
    assert snapshots(admin) == ["one"]


def test_a_snapshot_that_the_disk_refuses_is_a_500(
    admin: httpx.Client, app: LagoMockApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_commit: object) -> None:
        raise StoreUnwritable("no space")

    monkeypatch.setattr(app.store, "_append", refuse)

    assert admin.put("/snapshots/one").status_code == 500
    monkeypatch.undo()
    assert snapshots(admin) == []


def test_snapshots_outlive_the_server_with_its_state_file(tmp_path: Path) -> None:
    with serving(tmp_path) as server, httpx.Client(base_url=server.url, verify=False) as client:
        client.post("/api/v1/customers", json={"customer": {"external_id": "a"}}, headers=KEY)
        client.put("/__admin/snapshots/all").raise_for_status()
        client.put("/__admin/snapshots/mine", headers=KEY).raise_for_status()
        client.delete("/api/v1/customers/a", headers=KEY).raise_for_status()
        server.process.kill()
        server.process.wait()
    for name, headers in (("all", {}), ("mine", KEY)):
        with serving(tmp_path) as server, httpx.Client(base_url=server.url, verify=False) as client:
            assert client.get("/api/v1/customers/a", headers=KEY).status_code == 404

            client.post(f"/__admin/snapshots/{name}/restore", headers=headers).raise_for_status()

            assert client.get("/api/v1/customers/a", headers=KEY).status_code == 200
            client.delete("/api/v1/customers/a", headers=KEY).raise_for_status()
            server.stop()
