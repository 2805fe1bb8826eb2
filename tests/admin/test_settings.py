from __future__ import annotations

from typing import Any

import httpx
import pytest

USUAL = {
    "license": "premium",
    "validation": "lago",
    "era": "current",
    "latency": {},
    "rate_limit": None,
}


def test_the_settings_are_those_of_the_start(admin: httpx.Client) -> None:
    assert admin.get("/settings").json() == USUAL


@pytest.mark.parametrize(
    "change",
    [{}, {"license": "free"}, {"validation": "off"}, {"era": "2023"}, {**USUAL, "era": "2023"}],
    ids=str,
)
def test_a_change_leaves_the_others_as_they_are(
    admin: httpx.Client, change: dict[str, str]
) -> None:
    assert admin.patch("/settings", json=change).json() == {**USUAL, **change}
    assert admin.get("/settings").json() == {**USUAL, **change}


@pytest.mark.parametrize(
    ("change", "details"),
    [
        ({"license": "gold"}, {"license": ["value_is_invalid; there are premium, free"]}),
        ({"validation": True}, {"validation": ["value_is_invalid; string is needed"]}),
        ({"era": 2023}, {"era": ["value_is_invalid; string is needed"]}),
        ({"colour": "red"}, {"colour": ["unknown_field"]}),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    admin: httpx.Client, change: dict[str, Any], details: dict[str, list[str]]
) -> None:
    response = admin.patch("/settings", json={**change, "license": change.get("license", "free")})

    assert response.status_code == 422
    assert details.items() <= response.json()["error_details"].items()
    assert admin.get("/settings").json() == USUAL


def test_they_hold_at_once(admin: httpx.Client, client: httpx.Client) -> None:
    def refused(**changes: Any) -> Any:
        response = client.put("/organizations", json={"organization": changes})
        return response.json().get("error_details")

    assert refused(timezone="Mars") == {"timezone": ["invalid_timezone"]}
    admin.patch("/settings", json={"era": "2023"})
    assert refused(timezone="Mars") == {"timezone": ["timezone_invalid"]}
    admin.patch("/settings", json={"license": "free"})
    assert refused(timezone="Mars") is None
    admin.patch("/settings", json={"validation": "strict"})
    assert refused(colour="red") == {"colour": ["unknown_field"]}


def test_what_was_read_before_is_shown_by_the_new_ones(
    admin: httpx.Client, client: httpx.Client
) -> None:
    before = client.get("/organizations").json()["organization"]["billing_configuration"]
    admin.patch("/settings", json={"era": "2023"})
    after = client.get("/organizations").json()["organization"]["billing_configuration"]

    assert "vat_rate" not in before
    assert after["vat_rate"] == 0.0


def test_a_reset_of_the_server_brings_them_back(admin: httpx.Client) -> None:
    admin.patch("/settings", json={"license": "free", "validation": "strict", "era": "2023"})
    admin.post("/reset").raise_for_status()

    assert admin.get("/settings").json() == USUAL


def test_a_reset_of_one_organization_leaves_them(admin: httpx.Client) -> None:
    admin.patch("/settings", json={"license": "free"})
    admin.post("/reset", headers={"Authorization": "Bearer lago-mock-key"}).raise_for_status()

    assert admin.get("/settings").json()["license"] == "free"
