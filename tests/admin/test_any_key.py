from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lago_mock.app import LagoMockApp, build
from lago_mock.settings import Settings
from tests.conftest import running

CUSTOMER = {"customer": {"external_id": "a"}}


@pytest.fixture(scope="module")
def open_app() -> LagoMockApp:
    return build(Settings(db=":memory:", fixtures="empty", any_key=True))


@pytest.fixture(scope="module")
def open_server(open_app: LagoMockApp) -> Iterator[str]:
    """URL of a server that takes any key."""
    with running(open_app) as url:
        yield url


@pytest.fixture
def steered(open_server: str) -> Iterator[httpx.Client]:
    """Client of that server, which has its first organization alone."""
    with httpx.Client(base_url=open_server, verify=False) as client:
        client.post("/__admin/reset").raise_for_status()
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def count(client: httpx.Client) -> int:
    return len(client.get("/__admin/organizations").json()["organizations"])


def test_a_key_makes_an_organization_at_its_first_use(steered: httpx.Client) -> None:
    shown = [
        steered.get("/api/v1/organizations", headers=bearer(key)).json()["organization"]
        for key in ("new-key-1", "new-key-2", "new-key-1")
    ]

    ids = [each["lago_id"] for each in shown]
    assert (ids[0], len(set(ids))) == (ids[2], 2)
    assert [each["name"] for each in shown] == ["Blank Slate"] * 3
    listed = steered.get("/__admin/organizations").json()["organizations"]
    assert [each["id"] for each in listed[1:]] == ids[:2]
    assert [(each["first"], each["fixtures"]) for each in listed[1:]] == [(False, "empty")] * 2
    assert [each["keys"][0]["value"] for each in listed[1:]] == ["…ey-1", "…ey-2"]


def test_each_has_rows_of_its_own(steered: httpx.Client) -> None:
    def total(key: str) -> int:
        answer = steered.get("/api/v1/customers", headers=bearer(key)).json()
        return int(answer["meta"]["total_count"])

    steered.post("/api/v1/customers", json=CUSTOMER, headers=bearer("new-key-1"))

    assert [total(key) for key in ("new-key-1", "new-key-2", "lago-mock-key")] == [1, 0, 0]


def test_it_begins_with_the_present_set(steered: httpx.Client) -> None:
    steered.post("/__admin/reset", json={"fixtures": "default"}).raise_for_status()
    answer = steered.get("/api/v1/customers", headers=bearer("new-key")).json()
    steered.post("/__admin/reset", json={"fixtures": "empty"}).raise_for_status()

    assert answer["meta"]["total_count"] == 5


def test_an_admin_call_makes_one_too(steered: httpx.Client) -> None:
    response = steered.post("/__admin/reset", headers=bearer("new-key"))

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert count(steered) == 2
    steered.get("/api/v1/taxes", headers=bearer("new-key")).raise_for_status()
    assert count(steered) == 2


@pytest.mark.parametrize("path", ["/__admin/health", "/__admin/version", "/__admin/nothing"])
def test_what_needs_no_key_makes_none(steered: httpx.Client, path: str) -> None:
    steered.get(path, headers=bearer("new-key"))

    assert count(steered) == 1


@pytest.mark.parametrize("key", ["k" * 256, "clé".encode(), b"\xff"], ids=["long", "é", "byte"])
def test_what_cannot_be_a_key_makes_none(steered: httpx.Client, key: str | bytes) -> None:
    value = b"Bearer " + (key if isinstance(key, bytes) else key.encode())
    for path in ("/api/v1/taxes", "/__admin/faults"):
        assert steered.get(path, headers={b"Authorization": value}).status_code == 401
    assert count(steered) == 1


def test_no_key_at_all_makes_none(steered: httpx.Client) -> None:
    assert steered.get("/api/v1/taxes").status_code == 401
    assert count(steered) == 1


def test_a_key_that_has_expired_or_was_removed_makes_none(steered: httpx.Client) -> None:
    old = {"api_key": "old-key", "expires_at": "2020-02-29T00:00:00Z"}
    steered.post("/__admin/organizations", json=old).raise_for_status()
    former = steered.post("/__admin/organizations", json={"api_key": "former-key"}).json()
    keys = f"/__admin/organizations/{former['id']}/keys"
    steered.post(keys, json={"value": "present-key"}).raise_for_status()
    steered.delete(f"{keys}/{former['keys'][0]['id']}").raise_for_status()

    for key in ("old-key", "former-key"):
        assert steered.get("/api/v1/taxes", headers=bearer(key)).status_code == 401
    assert count(steered) == 3


def test_a_reset_of_the_server_removes_them(steered: httpx.Client) -> None:
    steered.post("/api/v1/customers", json=CUSTOMER, headers=bearer("new-key"))

    steered.post("/__admin/reset").raise_for_status()

    assert count(steered) == 1
    again = steered.get("/api/v1/customers", headers=bearer("new-key")).json()
    assert again["meta"]["total_count"] == 0


def test_a_reset_with_its_key_leaves_it(steered: httpx.Client) -> None:
    def found() -> object:
        return steered.get("/api/v1/organizations", headers=bearer("new-key")).json()

    before = found()
    steered.post("/api/v1/customers", json=CUSTOMER, headers=bearer("new-key"))

    steered.post("/__admin/reset", headers=bearer("new-key")).raise_for_status()

    assert found() == before
    answer = steered.get("/api/v1/customers", headers=bearer("new-key")).json()
    assert answer["meta"]["total_count"] == 0


def test_none_is_made_past_the_limit(steered: httpx.Client, open_app: LagoMockApp) -> None:
    tenants = open_app.server.tenants
    for _ in range(999):
        tenants.add({}, tenants.new_key())

    for path in ("/api/v1/taxes", "/__admin/faults"):
        assert steered.get(path, headers=bearer("new-key")).status_code == 401
    assert steered.get("/api/v1/taxes", headers=bearer("lago-mock-key")).status_code == 200


def test_without_the_setting_an_unknown_key_is_refused(
    admin: httpx.Client, client: httpx.Client
) -> None:
    assert client.get("/taxes", headers=bearer("new-key")).status_code == 401
    assert admin.get("/faults", headers=bearer("new-key")).status_code == 401
    assert len(admin.get("/organizations").json()["organizations"]) == 1


def test_an_unknown_key_that_the_disk_refuses_is_a_500_in_lagos_shape(tmp_path: Path) -> None:
    app = build(Settings(db=str(tmp_path / "state.json"), fixtures="empty", any_key=True))
    with running(app) as url, httpx.Client(base_url=url, verify=False) as client:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
        try:
            headers = {"Authorization": "Bearer newcomer"}
            refused = client.get("/api/v1/organizations", headers=headers)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        later = client.get("/api/v1/organizations", headers=headers)

    assert (refused.status_code, refused.json()) == (
        500,
        {"status": 500, "error": "Internal Server Error"},
    )
    assert later.status_code == 200
