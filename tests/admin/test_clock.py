from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import API_KEY

KEY = {"Authorization": f"Bearer {API_KEY}"}
SECOND = {"Authorization": "Bearer second-key"}
HALF_DAY = 12 * 60 * 60
OUT_OF_RANGE = "the clock goes from the year 1970 to the year 2999"


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def made_at(client: httpx.Client, external_id: str, **options: Any) -> Any:
    body = {"customer": {"external_id": external_id}}
    return client.post("/customers", json=body, **options).json()["customer"]["created_at"]


def test_it_goes_by_real_time_at_first(admin: httpx.Client) -> None:
    before = datetime.now(UTC)
    clock = admin.get("/clock").json()

    assert before <= instant(clock.pop("now")) <= datetime.now(UTC)
    assert clock == {"frozen": False, "offset_seconds": 0.0}


def test_now_stops_it(admin: httpx.Client, client: httpx.Client) -> None:
    answer = admin.put("/clock", json={"now": "2027-01-31T23:59:59Z"}).json()

    assert (answer["now"], answer["frozen"]) == ("2027-01-31T23:59:59Z", True)
    ahead = (instant(answer["now"]) - datetime.now(UTC)).total_seconds()
    assert answer["offset_seconds"] == pytest.approx(ahead, abs=5)
    assert admin.get("/clock").json()["now"] == "2027-01-31T23:59:59Z"
    assert {made_at(client, each) for each in "abc"} == {"2027-01-31T23:59:59Z"}


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2027-01-31T23:59:59.5+02:00", "2027-01-31T21:59:59.500000Z"),
        ("2027-01-31t23:59:59z", "2027-01-31T23:59:59Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
        ("2999-12-31T23:59:59Z", "2999-12-31T23:59:59Z"),
    ],
)
def test_any_instant_can_be_now(admin: httpx.Client, given: str, shown: str) -> None:
    assert admin.put("/clock", json={"now": given}).json()["now"] == shown


def test_what_stands_is_moved_and_goes_on_standing(
    admin: httpx.Client, client: httpx.Client
) -> None:
    admin.put("/clock", json={"now": "2027-01-31T23:59:59Z"})

    moved = admin.put("/clock", json={"advance_seconds": 86401.5}).json()

    assert (moved["now"], moved["frozen"]) == ("2027-02-02T00:00:00.500000Z", True)
    assert made_at(client, "a") == "2027-02-02T00:00:00Z"
    back = admin.put("/clock", json={"advance_seconds": -86401.5}).json()
    assert back["now"] == "2027-01-31T23:59:59Z"


def test_what_runs_is_moved_and_goes_on_running(admin: httpx.Client) -> None:
    admin.put("/clock", json={"advance_seconds": 3600})
    moved = admin.put("/clock", json={"advance_seconds": 0.5}).json()

    assert (moved["frozen"], moved["offset_seconds"]) == (False, 3600.5)
    assert instant(admin.get("/clock").json()["now"]) > instant(moved["now"])


def test_it_goes_by_real_time_again(admin: httpx.Client) -> None:
    admin.put("/clock", json={"now": "2027-01-31T23:59:59Z"})

    answer = admin.delete("/clock").json()

    assert (answer["frozen"], answer["offset_seconds"]) == (False, 0.0)
    assert abs(instant(answer["now"]) - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({}, {"now": ["give either now or advance_seconds"]}),
        (
            {"now": "2027-01-31T23:59:59Z", "advance_seconds": 1},
            {"now": ["give either now or advance_seconds"]},
        ),
        ({"now": None}, {"now": ["value_is_invalid; string is needed"]}),
        (
            {"now": "today"},
            {"now": ["value_is_invalid; a time such as 2027-01-31T23:59:00Z is needed"]},
        ),
        ({"now": "2026-12-31T23:59:60Z"}, {"now": ["second must be in 0..59"]}),
        ({"now": "1969-12-31T23:59:59Z"}, {"now": [OUT_OF_RANGE]}),
        ({"now": "0001-01-01T00:00:00+14:00"}, {"now": [OUT_OF_RANGE]}),
        ({"now": "3000-01-01T00:00:00Z"}, {"now": [OUT_OF_RANGE]}),
        ({"advance_seconds": "60"}, {"advance_seconds": ["is not a number"]}),
        ({"advance_seconds": True}, {"advance_seconds": ["is not a number"]}),
        ({"advance_seconds": 1e11}, {"advance_seconds": [OUT_OF_RANGE]}),
        ({"advance_seconds": -1e300}, {"advance_seconds": [OUT_OF_RANGE]}),
        ({"advance_seconds": 10**30}, {"advance_seconds": [OUT_OF_RANGE]}),
        ({"frozen": True}, {"frozen": ["unknown_field"]}),
    ],
    ids=lambda each: str(each)[:40],
)
def test_what_cannot_be_is_refused_and_moves_nothing(
    admin: httpx.Client, body: dict[str, Any], details: dict[str, list[str]]
) -> None:
    admin.put("/clock", json={"now": "2027-01-31T23:59:59Z"})

    response = admin.put("/clock", json=body)

    assert (response.status_code, response.json()["error_details"]) == (422, details)
    assert admin.get("/clock").json()["now"] == "2027-01-31T23:59:59Z"


def test_a_reset_brings_real_time_back(admin: httpx.Client) -> None:
    for headers in ({}, KEY):
        admin.put("/clock", json={"now": "2027-01-31T23:59:59Z"}, headers=headers)

        admin.post("/reset").raise_for_status()

        assert admin.get("/clock", headers=headers).json()["offset_seconds"] == 0


# What goes by it


def test_a_key_expires_by_it(admin: httpx.Client, client: httpx.Client) -> None:
    key = {"api_key": "second-key", "expires_at": "2027-01-31T00:00:00Z"}
    admin.put("/clock", json={"now": "2027-01-30T23:59:59Z"})
    admin.post("/organizations", json=key).raise_for_status()
    before = client.get("/taxes", headers=SECOND).status_code

    admin.put("/clock", json={"advance_seconds": 1})

    assert (before, client.get("/taxes", headers=SECOND).status_code) == (200, 401)
    assert admin.get("/clock", headers=SECOND).status_code == 401
    admin.put("/clock", json={"advance_seconds": -1})
    assert client.get("/taxes", headers=SECOND).status_code == 200


@pytest.mark.parametrize("headers", [{}, KEY], ids=["whole server", "one organization"])
def test_a_portal_link_lasts_half_a_day_by_it(
    admin: httpx.Client, client: httpx.Client, headers: dict[str, str]
) -> None:
    admin.put("/clock", json={"now": "2027-01-31T12:00:00Z"}, headers=headers)
    made_at(client, "a")
    url = client.get("/customers/a/portal_url").json()["customer"]["portal_url"]

    def status_after(seconds: float) -> int:
        admin.put("/clock", json={"advance_seconds": seconds}, headers=headers)
        return httpx.get(url).status_code

    assert [status_after(each) for each in (0, HALF_DAY - 1, 1, -1)] == [200, 200, 404, 200]


def test_what_is_changed_later_says_so(admin: httpx.Client, client: httpx.Client) -> None:
    admin.put("/clock", json={"now": "2027-01-31T12:00:00Z"})
    made_at(client, "a")
    admin.put("/clock", json={"advance_seconds": 60})

    body = {"customer": {"external_id": "a", "name": "A"}}
    customer = client.post("/customers", json=body).json()["customer"]

    times = customer["created_at"], customer["updated_at"]
    assert times == ("2027-01-31T12:00:00Z", "2027-01-31T12:01:00Z")


# Of one organization


def test_one_organization_can_have_a_time_of_its_own(
    admin: httpx.Client, client: httpx.Client
) -> None:
    admin.post("/organizations", json={"api_key": "second-key"}).raise_for_status()
    admin.put("/clock", json={"now": "2027-01-31T12:00:00Z"})

    admin.put("/clock", json={"now": "2030-01-01T00:00:00Z"}, headers=SECOND)

    assert admin.get("/clock").json()["now"] == "2027-01-31T12:00:00Z"
    assert admin.get("/clock", headers=KEY).json()["now"] == "2027-01-31T12:00:00Z"
    assert made_at(client, "a") == "2027-01-31T12:00:00Z"
    assert made_at(client, "a", headers=SECOND) == "2030-01-01T00:00:00Z"


def test_its_own_goes_as_the_servers_until_it_is_set_and_after_it_is_given_back(
    admin: httpx.Client,
) -> None:
    admin.put("/clock", json={"now": "2027-01-31T12:00:00Z"})
    moved = admin.put("/clock", json={"advance_seconds": 60}, headers=KEY).json()
    admin.put("/clock", json={"advance_seconds": 3600})
    kept = admin.get("/clock", headers=KEY).json()

    again = admin.delete("/clock", headers=KEY).json()

    assert moved["now"] == kept["now"] == "2027-01-31T12:01:00Z"
    assert (again["now"], again["frozen"]) == ("2027-01-31T13:00:00Z", True)
