from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

Curl = Callable[..., tuple[int, str]]


@pytest.fixture
def curl(lago: Any, tool: Callable[[str], str]) -> Curl:
    """Calls the API by curl; gives the status and the body."""
    program = tool("curl")

    def call(method: str, path: str, *options: str, key: str = lago.api_key) -> tuple[int, str]:
        ended = subprocess.run(
            [
                *(program, "--silent", "--show-error", "--location", "--max-time", "10"),
                *("--write-out", "\n%{http_code}", "--request", method),
                *("--header", f"Authorization: Bearer {key}"),
                *(*options, f"{lago.url}/api/v1{path}"),
            ],
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        body, _, status = ended.stdout.rpartition("\n")
        return int(status), body

    return call


def sending(body: Any) -> tuple[str, ...]:
    return "--header", "Content-Type: application/json", "--data-raw", json.dumps(body)


ORGANIZATION = {
    "name": "Not a name that can be given here",
    "webhook_url": "https://otter.example/hooks",
    "country": "NO",
    "address_line1": "Bryggen 7",
    "address_line2": None,
    "state": "Vestland",
    "zipcode": "5003",
    "email": "desk@otter.example",
    "city": "Bergen",
    "legal_name": None,
    "legal_number": None,
    "timezone": "Europe/Stockholm",
    "billing_configuration": {
        "invoice_footer": "Otter Press, Bergen",
        "invoice_grace_period": 4,
        "vat_rate": 25.0,
    },
}


def test_update_organization_takes_the_documented_call_and_keeps_the_old_vat_rate(
    curl: Curl,
) -> None:
    status, body = curl("PUT", "/organizations", *sending({"organization": ORGANIZATION}))

    assert status == 200
    organization = json.loads(body)["organization"]
    kept = {key: organization[key] for key in ORGANIZATION if key != "billing_configuration"}
    assert kept == {
        **{key: ORGANIZATION[key] for key in kept},
        "name": "Blank Slate",
    }
    assert organization["billing_configuration"] == {
        "invoice_footer": "Otter Press, Bergen",
        "invoice_grace_period": 4,
        "document_locale": "en",
        "vat_rate": 25.0,
    }


def test_find_organization_shows_what_an_update_has_changed(curl: Curl) -> None:
    curl("PUT", "/organizations", *sending({"organization": ORGANIZATION}))

    status, body = curl("GET", "/organizations")

    assert status == 200
    organization = json.loads(body)["organization"]
    assert organization["city"] == "Bergen"
    assert organization["billing_configuration"]["vat_rate"] == 25.0


def test_a_customer_is_created_found_listed_and_destroyed(curl: Curl) -> None:
    created = curl("POST", "/customers", *sending({"customer": {"external_id": "acct-otter"}}))

    assert created[0] == 200
    assert curl("GET", "/customers/acct-otter") == created
    status, body = curl("GET", "/customers?per_page=10")
    assert (status, json.loads(body)["meta"]["total_count"]) == (200, 1)
    assert curl("DELETE", "/customers/acct-otter")[0] == 200
    status, body = curl("GET", "/customers/acct-otter")
    assert (status, json.loads(body)["code"]) == (404, "customer_not_found")


def test_values_that_break_rules_are_a_422_with_details(curl: Curl) -> None:
    changes = {"country": "ZZ", "billing_configuration": {"vat_rate": 100.5}}

    status, body = curl("PUT", "/organizations", *sending({"organization": changes}))

    assert status == 422
    assert json.loads(body) == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": {
            "country": ["not_a_valid_country_code"],
            "vat_rate": ["value_is_out_of_range"],
        },
    }


def test_a_body_that_is_no_json_is_a_400_without_a_body(curl: Curl) -> None:
    options = ("--header", "Content-Type: application/json", "--data-raw", "{")

    assert curl("PUT", "/organizations", *options) == (400, "")


def test_the_type_that_curl_sends_by_itself_is_a_400_that_names_the_root(curl: Curl) -> None:
    status, body = curl("PUT", "/organizations", "--data-raw", json.dumps({"organization": {}}))

    assert status == 400
    assert json.loads(body) == {
        "status": 400,
        "error": "BadRequest: param is missing or the value is empty or invalid: organization",
    }


def test_a_wrong_key_is_a_401(curl: Curl) -> None:
    status, body = curl("GET", "/customers", key="not-a-key")

    assert status == 401
    assert json.loads(body) == {"status": 401, "error": "Unauthorized"}


def test_a_fault_for_one_call_is_met_once(curl: Curl, lago: Any) -> None:
    lago.arm(operation="findOrganization", error="service_unavailable")

    assert curl("GET", "/organizations")[0] == 503
    assert curl("GET", "/organizations")[0] == 200


def test_the_retry_of_curl_sees_a_rate_limit_through(curl: Curl, lago: Any) -> None:
    lago.arm(operation="findOrganization", error="too_many_requests")

    status, _ = curl("GET", "/organizations", "--retry", "1", "--retry-delay", "1")

    assert status == 200
    assert lago.statuses("findOrganization") == [429, 200]


def test_a_call_that_offers_http_2_is_answered_and_keeps_its_body(curl: Curl) -> None:
    """What `curl --http2` sends, and by default the client that comes with Java."""
    offer = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
    headers = [word for header in offer for word in ("--header", header)]

    body = {"customer": {"external_id": "acct-otter"}}
    status, _ = curl("POST", "/customers", *headers, *sending(body))

    assert status == 200
