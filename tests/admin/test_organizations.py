from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lago_mock.app import LagoMockApp, build
from lago_mock.grants import INTEGRATIONS
from lago_mock.settings import Settings
from tests.conftest import API_KEY, running

FIRST_KEY = {"Authorization": f"Bearer {API_KEY}"}
NOBODY = "00000000-0000-4000-8000-000000000000"
UNKNOWN = {"status": 404, "error": "Not Found", "code": "organization_not_found"}
ONLY_KEY = {"name": None, "expires_at": None, "permissions": None}
NO_TIME = "value_is_invalid; a time such as 2027-01-31T23:59:00Z is needed"


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def made(admin: httpx.Client, **body: Any) -> Any:
    response = admin.post("/organizations", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def refused(response: httpx.Response) -> Any:
    assert response.status_code == 422, response.text
    return response.json()["error_details"]


def first_id(admin: httpx.Client) -> str:
    return str(admin.get("/organizations").json()["organizations"][0]["id"])


def seen(client: httpx.Client, key: str, path: str = "/organizations") -> httpx.Response:
    return client.get(path, headers=bearer(key))


# Reading


def test_there_is_one_from_the_start(admin: httpx.Client, client: httpx.Client) -> None:
    shown = client.get("/organizations").json()["organization"]

    (organization,) = admin.get("/organizations").json()["organizations"]

    (key,) = organization.pop("keys")
    assert {**key, "id": ""} == {"id": "", "value": "…-key", **ONLY_KEY}
    assert organization == {
        "id": shown["lago_id"],
        "name": "Blank Slate",
        "slug": "blank-slate",
        "created_at": shown["created_at"],
        "license": "premium",
        "premium_integrations": None,
        "hmac_key": organization["hmac_key"],
        "fixtures": "empty",
        "first": True,
    }


def test_each_is_found_by_its_id(admin: httpx.Client) -> None:
    added = made(admin, name="Juniper")
    del added["api_key"]

    assert admin.get(f"/organizations/{added['id']}").json() == added
    listed = admin.get("/organizations").json()["organizations"]
    assert [each["name"] for each in listed] == ["Blank Slate", "Juniper"]
    assert listed[1] == added


def test_with_a_key_there_is_no_other_than_its_own(admin: httpx.Client) -> None:
    added = made(admin, api_key="second-key")
    own, other = bearer("second-key"), first_id(admin)

    listed = admin.get("/organizations", headers=own).json()["organizations"]
    assert [each["id"] for each in listed] == [added["id"]]
    assert admin.get(f"/organizations/{added['id']}", headers=own).status_code == 200
    for method, path in [
        ("GET", f"/organizations/{other}"),
        ("PATCH", f"/organizations/{other}"),
        ("DELETE", f"/organizations/{other}"),
        ("GET", f"/organizations/{other}/keys"),
        ("POST", f"/organizations/{other}/keys"),
        ("PATCH", f"/organizations/{other}/keys/x"),
        ("DELETE", f"/organizations/{other}/keys/x"),
    ]:
        body = None if method in ("GET", "DELETE") else {}
        response = admin.request(method, path, json=body, headers=own)
        assert (response.status_code, response.json()) == (404, UNKNOWN)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/organizations/{}"),
        ("PATCH", "/organizations/{}"),
        ("DELETE", "/organizations/{}"),
        ("GET", "/organizations/{}/keys"),
        ("POST", "/organizations/{}/keys"),
        ("PATCH", "/organizations/{}/keys/x"),
        ("DELETE", "/organizations/{}/keys/x"),
    ],
)
def test_an_unknown_one_is_not_found(admin: httpx.Client, method: str, path: str) -> None:
    body = None if method in ("GET", "DELETE") else {}
    response = admin.request(method, path.format(NOBODY), json=body)

    assert (response.status_code, response.json()) == (404, UNKNOWN)


def test_an_unknown_key_is_refused(admin: httpx.Client) -> None:
    response = admin.get("/organizations", headers=bearer("nobody"))

    assert (response.status_code, response.json()) == (
        401,
        {"status": 401, "error": "Unauthorized"},
    )


# Making


def test_one_is_made_of_nothing(admin: httpx.Client, client: httpx.Client) -> None:
    organization = made(admin)

    shown = seen(client, organization["api_key"]).json()["organization"]
    assert (shown["lago_id"], shown["name"]) == (organization["id"], "Blank Slate")
    assert shown["created_at"] == organization["created_at"]
    assert (organization["slug"], organization["first"]) == (shown["slug"], False)
    assert organization["keys"][0]["value"] == f"…{organization['api_key'][-4:]}"
    assert len(organization["api_key"]) == 36


def test_it_has_what_is_said_of_it(admin: httpx.Client, client: httpx.Client) -> None:
    organization = made(
        admin,
        name="Évora Rowing & Co",
        api_key="rowing-key-1",
        fixtures="default",
        license="free",
        premium_integrations=["revenue_share"],
        hmac_key="shh",
        permissions={"customer": ["read"]},
        expires_at="2999-01-31T00:00:00+01:00",
    )

    wanted = {
        "name": "Évora Rowing & Co",
        "slug": "evora-rowing-co",
        "license": "free",
        "premium_integrations": ["revenue_share"],
        "hmac_key": "shh",
        "fixtures": "default",
        "api_key": "rowing-key-1",
    }
    assert wanted.items() <= organization.items()
    assert {**organization["keys"][0], "id": ""} == {
        "id": "",
        "name": None,
        "value": "…ey-1",
        "expires_at": "2999-01-31T00:00:00+01:00",
        "permissions": {"customer": ["read"]},
    }
    shown = seen(client, "rowing-key-1").json()["organization"]
    assert (shown["name"], shown["slug"]) == ("Évora Rowing & Co", "evora-rowing-co")
    assert seen(client, "rowing-key-1", "/customers").json()["meta"]["total_count"] == 5
    entities = seen(client, "rowing-key-1", "/billing_entities").json()["billing_entities"]
    assert [(each["name"], each["code"]) for each in entities] == [
        ("Évora Rowing & Co", "evora_rowing_co")
    ]


def test_a_slug_that_another_has_gets_three_more_characters(admin: httpx.Client) -> None:
    slugs = [made(admin, name=name)["slug"] for name in ("Juniper", "Juniper", "Juniper", "x" * 60)]
    long = made(admin, name="x" * 60)["slug"]

    first, *others, whole = slugs
    assert (first, whole) == ("juniper", "x" * 40)
    assert len({*slugs, long}) == 5
    for each in others:
        base, _, suffix = each.rpartition("-")
        assert (base, len(suffix)) == ("juniper", 3)
    assert (long[:37], len(long)) == ("x" * 36 + "-", 40)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"name": ""}, "name", "value_is_too_short"),
        ({"name": "   "}, "name", "value_is_mandatory"),
        ({"name": "x" * 256}, "name", "value_is_too_long"),
        ({"name": None}, "name", "value_is_invalid; string is needed"),
        ({"api_key": ""}, "api_key", "value_is_too_short"),
        ({"api_key": "two words"}, "api_key", "value_is_invalid"),
        ({"api_key": "tab\there"}, "api_key", "value_is_invalid"),
        ({"api_key": "line\n"}, "api_key", "value_is_invalid"),
        ({"api_key": "clé"}, "api_key", "value_is_invalid"),
        ({"api_key": "k" * 256}, "api_key", "value_is_too_long"),
        ({"api_key": 1}, "api_key", "value_is_invalid; string is needed"),
        ({"api_key": API_KEY}, "api_key", "value_already_exist"),
        ({"license": "gold"}, "license", "value_is_invalid; there are premium, free"),
        ({"hmac_key": ""}, "hmac_key", "value_is_too_short"),
        ({"expires_at": "tomorrow"}, "expires_at", NO_TIME),
        ({"expires_at": "2016-12-31T23:59:60Z"}, "expires_at", "second must be in 0..59"),
        ({"fixtures": ""}, "fixtures", "value_is_too_short"),
        ({"colour": "red"}, "colour", "unknown_field"),
        (
            {"premium_integrations": ["api_permission"]},
            "premium_integrations",
            "no premium integration api_permission; did you mean api_permissions?",
        ),
        (
            {"premium_integrations": ["?"]},
            "premium_integrations",
            f"no premium integration ?; there are {', '.join(INTEGRATIONS)}",
        ),
        (
            {"permissions": {"custmer": ["read"]}},
            "permissions",
            "no resource custmer; did you mean customer?",
        ),
        (
            {"permissions": {"customer": ["delete"]}},
            "permissions.customer.0",
            "value_is_invalid; there are read, write",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_makes_nothing(
    admin: httpx.Client, body: dict[str, Any], field: str, code: str
) -> None:
    assert refused(admin.post("/organizations", json=body)) == {field: [code]}
    assert len(admin.get("/organizations").json()["organizations"]) == 1


def test_all_that_is_wrong_is_said_at_once(admin: httpx.Client) -> None:
    details = refused(
        admin.post(
            "/organizations",
            json={
                "api_key": API_KEY,
                "premium_integrations": ["revenue_shares", "projected_usages", "revenue_share"],
                "permissions": {"taxes": [], "plans": [], "tax": []},
                "expires_at": "2016-12-31T23:59:60Z",
            },
        )
    )

    assert {name: len(texts) for name, texts in details.items()} == {
        "premium_integrations": 2,
        "api_key": 1,
        "permissions": 2,
        "expires_at": 1,
    }


def test_an_unknown_fixture_set_is_not_found(admin: httpx.Client) -> None:
    response = admin.post("/organizations", json={"fixtures": "nothing"})

    expected = {"status": 404, "error": "Not Found", "code": "fixtures_not_found"}
    expected |= {"known": ["default", "empty"]}
    assert (response.status_code, response.json()) == (404, expected)
    assert len(admin.get("/organizations").json()["organizations"]) == 1


def test_only_the_whole_server_makes_one(admin: httpx.Client) -> None:
    response = admin.post("/organizations", json={}, headers=FIRST_KEY)

    expected = {"status": 403, "error": "Forbidden", "code": "whole_server_only"}
    assert (response.status_code, response.json()) == (403, expected)


def test_there_can_be_a_thousand_and_no_more(admin: httpx.Client, app: LagoMockApp) -> None:
    tenants = app.server.tenants
    for _ in range(999):
        tenants.add({}, tenants.new_key())

    details = refused(admin.post("/organizations", json={}))

    assert details == {"organizations": ["there are 1000, and no more can be"]}
    last = admin.get("/organizations").json()["organizations"][-1]
    admin.delete(f"/organizations/{last['id']}").raise_for_status()
    made(admin)


# Changing


def test_what_is_left_out_stays(admin: httpx.Client, client: httpx.Client) -> None:
    before = made(admin, name="Juniper", api_key="second-key", license="free", hmac_key="old")
    path = f"/organizations/{before['id']}"
    del before["api_key"]

    assert admin.patch(path, json={}).json() == before
    assert admin.patch(path, json={"name": "Oak"}).json() == {**before, "name": "Oak"}
    after = admin.patch(path, json={"hmac_key": "new", "premium_integrations": []}).json()

    assert after == {**before, "name": "Oak", "hmac_key": "new", "premium_integrations": []}
    shown = seen(client, "second-key").json()["organization"]
    assert (shown["name"], shown["slug"]) == ("Oak", "juniper")


def test_a_license_of_its_own_goes_before_the_servers(
    admin: httpx.Client, client: httpx.Client
) -> None:
    path = f"/organizations/{first_id(admin)}"

    def timezone_counts() -> bool:
        body = {"organization": {"timezone": "Mars"}}
        return client.put("/organizations", json=body).status_code == 422

    assert admin.patch(path, json={"license": "free"}).json()["license"] == "free"
    assert not timezone_counts()
    admin.patch("/settings", json={"license": "free"})
    assert admin.patch(path, json={"license": "premium"}).json()["license"] == "premium"
    assert timezone_counts()
    assert admin.patch(path, json={"license": None}).json()["license"] == "free"


def test_the_license_that_was_set_last_holds(admin: httpx.Client) -> None:
    path = f"/organizations/{first_id(admin)}"
    admin.patch("/settings", json={"license": "free"}, headers=FIRST_KEY)

    assert admin.get(path).json()["license"] == "free"
    assert admin.patch(path, json={"license": "premium"}).json()["license"] == "premium"
    assert admin.patch("/settings", json={"license": "free"}, headers=FIRST_KEY).is_success
    assert admin.get(path).json()["license"] == "free"


def test_integrations_count_at_once(admin: httpx.Client, client: httpx.Client) -> None:
    path = f"/organizations/{first_id(admin)}"
    client.post("/customers", json={"customer": {"external_id": "a"}})
    route = "/customers/a/projected_usage?external_subscription_id=s"

    admin.patch(path, json={"premium_integrations": ["revenue_share"]}).raise_for_status()
    without = client.get(route).json()
    admin.patch(path, json={"premium_integrations": None}).raise_for_status()

    assert without["code"] == "projected_usage_not_enabled"
    assert client.get(route).json()["code"] != "projected_usage_not_enabled"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"fixtures": "empty"}, "fixtures"),
        ({"api_key": "x"}, "api_key"),
        ({"slug": "x"}, "slug"),
        ({"name": None}, "name"),
        ({"hmac_key": None}, "hmac_key"),
        ({"license": "x"}, "license"),
        ({"premium_integrations": ["x"]}, "premium_integrations"),
    ],
    ids=str,
)
def test_what_cannot_change_is_refused(
    admin: httpx.Client, body: dict[str, Any], field: str
) -> None:
    path = f"/organizations/{first_id(admin)}"
    before = admin.get(path).json()

    assert list(refused(admin.patch(path, json={**body, "name": body.get("name", "Oak")}))) in (
        [field],
        [field, "name"],
    )
    assert admin.get(path).json() == before


@pytest.mark.parametrize("key", [None, API_KEY], ids=["whole server", "one"])
def test_a_reset_takes_changes_back(
    admin: httpx.Client, client: httpx.Client, key: str | None
) -> None:
    path = f"/organizations/{first_id(admin)}"
    before = admin.get(path).json()
    change = {"name": "Oak", "license": "free", "premium_integrations": [], "hmac_key": "new"}
    admin.patch(path, json=change).raise_for_status()
    admin.post(f"{path}/keys", json={"value": "guest-key"}).raise_for_status()
    admin.patch(f"{path}/keys/{before['keys'][0]['id']}", json={"name": "x"}).raise_for_status()
    client.put("/organizations", json={"organization": {"slug": "oak"}}).raise_for_status()

    admin.post("/reset", headers=bearer(key) if key else {}).raise_for_status()

    assert admin.get(path).json() == before
    assert seen(client, "guest-key").status_code == 401


def test_a_reset_of_one_that_was_added_makes_it_as_it_was(
    admin: httpx.Client, client: httpx.Client
) -> None:
    before = made(
        admin, name="Juniper", api_key="second-key", fixtures="default", premium_integrations=[]
    )
    del before["api_key"]
    own, path = bearer("second-key"), f"/organizations/{before['id']}"
    admin.patch(path, json={"name": "Oak", "premium_integrations": None}).raise_for_status()
    client.delete("/customers/acct-nimbus", headers=own).raise_for_status()

    admin.post("/reset", headers=own).raise_for_status()

    assert admin.get(path).json() == before
    assert seen(client, "second-key", "/customers").json()["meta"]["total_count"] == 5


def test_a_reset_of_the_whole_server_removes_those_that_were_added(
    admin: httpx.Client, client: httpx.Client
) -> None:
    made(admin, api_key="second-key")

    admin.post("/reset").raise_for_status()

    assert [each["first"] for each in admin.get("/organizations").json()["organizations"]] == [True]
    assert seen(client, "second-key").status_code == 401
    made(admin, api_key="second-key")


# Removing


def test_one_that_is_removed_is_gone_with_its_keys(
    admin: httpx.Client, client: httpx.Client
) -> None:
    organization = made(admin, api_key="second-key")

    response = admin.delete(f"/organizations/{organization['id']}")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert seen(client, "second-key").status_code == 401
    assert seen(client, API_KEY).status_code == 200
    assert admin.get(f"/organizations/{organization['id']}").json() == UNKNOWN
    again = made(admin, api_key="second-key")
    assert seen(client, "second-key").json()["organization"]["lago_id"] == again["id"]


def test_one_can_remove_itself(admin: httpx.Client) -> None:
    organization = made(admin, api_key="second-key")
    path = f"/organizations/{organization['id']}"

    assert admin.delete(path, headers=bearer("second-key")).status_code == 200
    assert admin.get(path, headers=bearer("second-key")).status_code == 401


def test_the_first_one_stays(admin: httpx.Client) -> None:
    details = refused(admin.delete(f"/organizations/{first_id(admin)}"))

    assert details == {"id": ["the first organization stays; a reset takes it back"]}


# Keys


@pytest.fixture
def keys(admin: httpx.Client) -> Iterator[httpx.Client]:
    """Client of the keys of the first organization."""
    base = f"{admin.base_url}organizations/{first_id(admin)}/keys"
    with httpx.Client(base_url=base, verify=False) as client:
        yield client


def test_a_key_is_shown_in_full_once(keys: httpx.Client, client: httpx.Client) -> None:
    key = keys.post("", json={"name": "Reports"}).json()

    assert {**key, "id": "", "value": ""} == {**ONLY_KEY, "id": "", "value": "", "name": "Reports"}
    assert seen(client, key["value"]).status_code == 200
    listed = keys.get("").json()["keys"]
    assert [each["value"] for each in listed] == ["…-key", f"…{key['value'][-4:]}"]
    assert {**listed[1], "value": key["value"]} == key


def test_a_short_key_is_never_shown(keys: httpx.Client) -> None:
    assert keys.post("", json={"value": "abcdefgh"}).json()["value"] == "abcdefgh"
    assert keys.get("").json()["keys"][1]["value"] == "…"


def test_all_keys_open_the_same(keys: httpx.Client, client: httpx.Client) -> None:
    longest = "".join(map(chr, range(33, 127))).ljust(255, "~")
    keys.post("", json={"value": longest}).raise_for_status()
    client.post("/customers", json={"customer": {"external_id": "a"}}, headers=bearer(longest))

    assert client.get("/customers/a").status_code == 200
    assert seen(client, longest).json() == seen(client, API_KEY).json()


@pytest.mark.parametrize("removed", [False, True], ids=["there", "removed"])
def test_a_key_is_one_organizations_alone(
    admin: httpx.Client, keys: httpx.Client, removed: bool
) -> None:
    second = made(admin, api_key="second-key")
    path = f"/organizations/{second['id']}/keys"
    if removed:  # a reset of its organization would bring it back
        admin.post(path, json={}).raise_for_status()
        admin.delete(f"{path}/{second['keys'][0]['id']}").raise_for_status()

    assert refused(keys.post("", json={"value": "second-key"})) == {
        "value": ["value_already_exist"]
    }
    assert refused(admin.post(path, json={"value": API_KEY})) == {"value": ["value_already_exist"]}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"value": "two words"}, "value", "value_is_invalid"),
        ({"value": ""}, "value", "value_is_too_short"),
        ({"value": None}, "value", "value_is_invalid; string is needed"),
        ({"name": "x" * 256}, "name", "value_is_too_long"),
        ({"expires_at": "2026-02-30T00:00:00Z"}, "expires_at", NO_TIME),
        (
            {"permissions": ["customer"]},
            "permissions",
            "value_is_invalid; object or null is needed",
        ),
        (
            {"permissions": {"organisation": ["read"]}},
            "permissions",
            "no resource organisation; did you mean organization?",
        ),
        ({"key": "x"}, "key", "unknown_field"),
    ],
    ids=str,
)
def test_a_key_that_cannot_be_is_refused(
    keys: httpx.Client, body: dict[str, Any], field: str, code: str
) -> None:
    assert refused(keys.post("", json=body)) == {field: [code]}
    assert len(keys.get("").json()["keys"]) == 1


def test_a_key_opens_nothing_once_it_has_expired(keys: httpx.Client, client: httpx.Client) -> None:
    key = keys.post("", json={"expires_at": "2020-02-29T00:00:00Z"}).json()
    expired = seen(client, key["value"]).status_code

    changed = keys.patch(f"/{key['id']}", json={"expires_at": None}).json()

    assert (expired, changed["expires_at"]) == (401, None)
    assert seen(client, key["value"]).status_code == 200
    keys.patch(f"/{key['id']}", json={"expires_at": "2020-02-29T00:00:00Z"}).raise_for_status()
    assert seen(client, key["value"]).status_code == 401


def test_a_key_may_do_what_its_permissions_say(keys: httpx.Client, client: httpx.Client) -> None:
    key = keys.post("", json={"permissions": {"customer": ["read"]}}).json()

    def allowed() -> tuple[int, int]:
        codes = [seen(client, key["value"], path).status_code for path in ("/customers", "/taxes")]
        return codes[0], codes[1]

    assert allowed() == (200, 403)
    keys.patch(f"/{key['id']}", json={"permissions": {"tax": ["read", "write"]}})
    assert allowed() == (403, 200)
    keys.patch(f"/{key['id']}", json={"permissions": None})
    assert allowed() == (200, 200)


def test_a_change_of_a_key_leaves_the_rest(keys: httpx.Client) -> None:
    key = keys.post("", json={"value": "reports-key", "permissions": {"tax": []}}).json()

    changed = keys.patch(f"/{key['id']}", json={"name": "Reports"}).json()

    assert changed == {**key, "value": "…-key", "name": "Reports"}
    assert keys.get("").json()["keys"][1] == changed


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"value": "x"}, "value"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": "2016-12-31T23:59:60Z"}, "expires_at"),
        ({"permissions": {"x": []}}, "permissions"),
    ],
    ids=str,
)
def test_what_cannot_change_of_a_key_is_refused(
    keys: httpx.Client, body: dict[str, Any], field: str
) -> None:
    before = keys.get("").json()

    assert list(refused(keys.patch(f"/{before['keys'][0]['id']}", json=body))) == [field]
    assert keys.get("").json() == before


def test_a_key_that_is_removed_opens_nothing(keys: httpx.Client, client: httpx.Client) -> None:
    key = keys.post("", json={}).json()

    response = keys.delete(f"/{key['id']}")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert seen(client, key["value"]).status_code == 401
    assert seen(client, API_KEY).status_code == 200


def test_the_only_key_stays(keys: httpx.Client) -> None:
    (key,) = keys.get("").json()["keys"]

    assert refused(keys.delete(f"/{key['id']}")) == {
        "key_id": ["the only key of an organization stays"]
    }


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_an_unknown_key_id_is_not_found(
    admin: httpx.Client, keys: httpx.Client, method: str
) -> None:
    others = made(admin)["keys"][0]["id"]

    for key_id in ("x", others):
        response = keys.request(method, f"/{key_id}", json={} if method == "PATCH" else None)
        expected = {"status": 404, "error": "Not Found", "code": "key_not_found"}
        assert (response.status_code, response.json()) == (404, expected)


# The state file, and a fixture set of one's own


def test_all_of_it_survives_a_restart(tmp_path: Path) -> None:
    settings = Settings(db=str(tmp_path / "state.json"), fixtures="empty")
    with running(build(settings)) as url, httpx.Client(base_url=f"{url}/__admin") as admin:
        second = made(admin, name="Juniper", api_key="second-key", fixtures="default")
        keys = f"/organizations/{second['id']}/keys"
        admin.post(keys, json={"value": "guest-key", "permissions": {}}).raise_for_status()
        before = admin.get("/organizations").json()

    with running(build(settings)) as url, httpx.Client(base_url=f"{url}/__admin") as admin:
        assert admin.get("/organizations").json() == before
        assert admin.get("/organizations", headers=bearer("guest-key")).status_code == 200
        admin.post("/reset", headers=bearer("second-key")).raise_for_status()
        listed = admin.get("/organizations").json()["organizations"]
        assert [len(each["keys"]) for each in listed] == [1, 1]
        with httpx.Client(base_url=f"{url}/api/v1", headers=bearer("second-key")) as client:
            assert client.get("/customers").json()["meta"]["total_count"] == 5


def test_a_key_of_a_later_start_is_there_after_a_reset(tmp_path: Path) -> None:
    path = str(tmp_path / "state.json")
    for key in ("first-key", "later-key", "later-key"):
        settings = Settings(db=path, fixtures="empty", api_key=key)
        with running(build(settings)) as url, httpx.Client(base_url=f"{url}/__admin") as admin:
            admin.post("/reset").raise_for_status()
            (organization,) = admin.get("/organizations").json()["organizations"]
            if key == "later-key":
                keys = f"/organizations/{organization['id']}/keys"
                admin.delete(f"{keys}/{organization['keys'][1]['id']}").raise_for_status()

    assert [each["value"] for each in organization["keys"]] == ["…-key", "…-key"]
    with running(build(settings)) as url:
        assert httpx.get(f"{url}/api/v1/taxes", headers=bearer("later-key")).status_code == 200


def test_the_present_set_can_be_named_though_it_does_not_ship(tmp_path: Path) -> None:
    path = tmp_path / "own.json"
    content = {"organization": {"name": "Own", "api_key": "own-key"}, "taxes": []}
    path.write_text(json.dumps(content), "utf-8")
    settings = Settings(db=":memory:", fixtures=str(path))
    with running(build(settings)) as url, httpx.Client(base_url=f"{url}/__admin") as admin:
        by_name, other = made(admin, fixtures="own"), made(admin, fixtures="empty")
        own = bearer(by_name["api_key"])

        assert [each["fixtures"] for each in (by_name, other)] == ["own", "empty"]
        assert [each["name"] for each in (by_name, other)] == ["Own", "Blank Slate"]
        assert admin.post("/reset", headers=own).status_code == 200
