from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import API_KEY, running

Story = dict[str, Any]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@contextmanager
def serving(**settings: Any) -> Iterator[httpx.Client]:
    """Serve from the set `default` with these settings, and give a client."""
    app = build(Settings(db=":memory:", fixtures="default", **settings))
    with running(app) as url, httpx.Client(base_url=url, verify=False) as client:
        yield client


def story(client: httpx.Client, key: str = API_KEY) -> Story:
    """Do the same things, and tell of all ids, slugs and tokens that were made by them."""
    client.put("/__admin/clock", json={"now": "2027-01-31T12:00:00Z"}).raise_for_status()
    with httpx.Client(base_url=f"{client.base_url}/api/v1", headers=bearer(key)) as api:
        body: Story = {"external_id": "a", "metadata": [{"key": "k", "value": "v"}]}
        customer = api.post("/customers", json={"customer": body}).json()["customer"]
        tax = api.post("/taxes", json={"tax": {"name": "T", "code": "t", "rate": 1}}).json()
        hook = {"webhook_url": "https://a.example"}
        endpoint = api.post("/webhook_endpoints", json={"webhook_endpoint": hook}).json()
        portal = api.get("/customers/a/portal_url").json()["customer"]["portal_url"]
    return {
        "customer": customer,
        "tax": tax,
        "endpoint": endpoint,
        "portal": portal.rpartition("/")[2],
    }


def made(client: httpx.Client) -> Story:
    """Make organizations and keys, and tell of what the server made up."""
    first = client.get("/__admin/organizations").json()["organizations"][0]
    tom = client.post("/__admin/organizations", json={"name": "42"}).json()
    key = client.post(f"/__admin/organizations/{first['id']}/keys", json={}).json()
    fault = {"operation": "createTax", "error": "forbidden"}
    return {
        "first": first,
        "tom": tom,
        "key": key,
        "fault": client.post("/__admin/faults", json=fault).json()["id"],
        "of tom": story(client, tom["api_key"])["customer"]["lago_id"],
    }


def test_ids_slugs_and_tokens_repeat_from_one_reset_to_the_next() -> None:
    with serving(seed="a") as client:
        stories = []
        for _ in range(3):
            client.post("/__admin/reset").raise_for_status()
            stories.append({**story(client), **made(client)})

    created = [each["tom"].pop("created_at") for each in stories]
    assert set(created) == {"2027-01-31T12:00:00Z"}
    assert stories[0] == stories[1] == stories[2]
    assert stories[0]["tom"]["slug"].startswith("org-")


def test_they_repeat_from_one_reset_of_one_organization_to_the_next() -> None:
    with serving(seed="a") as client:
        stories = []
        for _ in range(2):
            client.get("/__admin/organizations")
            client.post("/__admin/reset", headers=bearer(API_KEY)).raise_for_status()
            stories.append(story(client))

    assert stories[0] == stories[1]


def test_they_repeat_from_one_start_to_the_next() -> None:
    stories = []
    for _ in range(2):
        with serving(seed="a") as client:
            stories.append({**story(client), **made(client)})

    assert stories[0] == stories[1]


def test_a_start_is_as_a_reset() -> None:
    with serving(seed="a") as client:
        before = {**story(client), **made(client)}
        client.post("/__admin/reset").raise_for_status()
        after = {**story(client), **made(client)}

    assert {**before, "fault": ""} == {**after, "fault": ""}


def test_another_seed_makes_others() -> None:
    def ids(seed: str) -> set[str]:
        with serving(seed=seed) as client:
            told, others = story(client), made(client)
        return {
            told["customer"]["lago_id"],
            told["portal"].rpartition("-")[2],
            others["tom"]["id"],
            others["tom"]["api_key"],
            others["tom"]["slug"],
            others["key"]["value"],
            others["fault"],
        }

    assert not ids("a") & ids("b")


def test_the_ids_of_an_organization_follow_from_its_key_whatever_came_before() -> None:
    def told(*keys: str) -> dict[str, Story]:
        with serving(seed="a", any_key=True) as client:
            client.get("/__admin/health")
            return {
                key: {
                    **story(client, key),
                    "id": client.get("/__admin/organizations", headers=bearer(key)).json()[
                        "organizations"
                    ][0]["id"],
                }
                for key in keys
            }

    forwards, backwards = told("gw0", "gw1"), told("gw1", "gw0")

    assert forwards == backwards
    assert forwards["gw0"]["id"] != forwards["gw1"]["id"]
    assert forwards["gw0"]["customer"]["lago_id"] != forwards["gw1"]["customer"]["lago_id"]


def test_nothing_that_was_made_is_made_twice() -> None:
    with serving(seed="a") as client:
        client.post("/__admin/organizations", json={"api_key": "k"}).raise_for_status()
        for _ in range(3):
            client.post("/__admin/organizations", json={}).raise_for_status()
        listed = client.get("/__admin/organizations").json()["organizations"]

    ids = [each[name] for each in listed for name in ("id", "hmac_key", "slug")]
    ids += [key["id"] for each in listed for key in each["keys"]]
    assert len(ids) == len(set(ids)) == 20


@pytest.mark.parametrize("what", ["customer", "portal"])
def test_without_a_seed_nothing_repeats(what: str) -> None:
    with serving() as client:
        first = story(client)[what]
        client.post("/__admin/reset").raise_for_status()
        second = story(client)[what]

    assert first != second


def test_a_link_of_one_start_opens_after_the_next() -> None:
    with serving(seed="a") as client:
        token = story(client)["portal"]
    with serving(seed="a") as client:
        story(client)
        assert client.get(f"/customer-portal/{token}").status_code == 200
    with serving(seed="b") as client:
        story(client)
        assert client.get(f"/customer-portal/{token}").status_code == 404


def test_a_server_that_goes_on_with_its_rows_gives_no_id_twice(tmp_path: Path) -> None:
    ids = []
    for number in range(3):
        app = build(Settings(db=str(tmp_path / "state.json"), fixtures="empty", seed="a"))
        with running(app) as url, httpx.Client(base_url=url, headers=bearer(API_KEY)) as client:
            body = {"customer": {"external_id": f"acct-{number}"}}
            ids.append(client.post("/api/v1/customers", json=body).json()["customer"]["lago_id"])
            total = client.get("/api/v1/customers").json()["meta"]["total_count"]
            assert total == number + 1

    assert len(set(ids)) == 3
