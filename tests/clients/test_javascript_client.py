from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SOURCES = Path(__file__).parent / "javascript"
NPM_SECONDS = 120
NODE_SECONDS = 30

Calls = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def script(
    tool: Callable[[str], str],
    lacking: Callable[[str], None],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """`call.mjs` with the client beside it, installed by npm."""
    tool("node")
    folder = tmp_path_factory.mktemp("javascript")
    for name in ("package.json", "package-lock.json", "call.mjs"):
        shutil.copy(SOURCES / name, folder)
    ended = subprocess.run(
        [tool("npm"), "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=NPM_SECONDS,
        check=False,
    )
    if ended.returncode:
        lacking(f"npm could not install the client: {ended.stderr}")
    return folder / "call.mjs"


@pytest.fixture
def calls(script: Path, lago: Any, tool: Callable[[str], str]) -> Calls:
    """Makes calls, each `(tag, method, argument, …)`, with one client; gives what each came to."""

    def make(
        *calls: tuple[Any, ...], api_key: str = lago.api_key, **options: Any
    ) -> list[dict[str, Any]]:
        job = {"url": lago.url, "apiKey": api_key, "options": options, "calls": calls}
        ended = subprocess.run(
            [tool("node"), str(script), json.dumps(job)],
            capture_output=True,
            encoding="utf-8",
            timeout=NODE_SECONDS,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        outcomes: list[dict[str, Any]] = json.loads(ended.stdout)
        return outcomes

    return make


CREATE = ("customers", "createCustomer", {"customer": {"external_id": "acct-otter"}})
FIND = ("customers", "findCustomer", "acct-otter")
LIST = ("customers", "findAllCustomers")


def test_update_organization_is_seen_by_a_read_and_keeps_the_old_vat_rate(calls: Calls) -> None:
    changes = {
        "timezone": "Europe/Stockholm",
        "webhook_url": "https://otter.example/hooks",
        "billing_configuration": {
            "invoice_footer": "Otter Press, Bergen",
            "invoice_grace_period": 4,
            "vat_rate": 15.5,
        },
    }

    updated, found = calls(
        ("organizations", "updateOrganization", {"organization": changes}),
        ("organizations", "findOrganization"),
    )

    assert (updated["status"], found["status"]) == (200, 200)
    organization = found["data"]["organization"]
    assert updated["data"]["organization"] == {**organization, "taxes": []}
    assert organization["timezone"] == "Europe/Stockholm"
    assert organization["webhook_url"] == "https://otter.example/hooks"
    assert organization["billing_configuration"] == {
        "invoice_footer": "Otter Press, Bergen",
        "invoice_grace_period": 4,
        "document_locale": "en",
        "vat_rate": 15.5,
    }


def test_to_create_twice_by_one_external_id_is_to_update(calls: Calls) -> None:
    renamed = {"customer": {"external_id": "acct-otter", "name": "Otter & Sons"}}

    created, updated, found = calls(CREATE, ("customers", "createCustomer", renamed), FIND)

    first, second = created["data"]["customer"], updated["data"]["customer"]
    assert (first["name"], second["name"]) == (None, "Otter & Sons")
    assert second["lago_id"] == first["lago_id"]
    assert found["data"]["customer"] == second


@pytest.mark.parametrize("external_id", ["otter@press.example", "a+b", "Øre 1"])
def test_find_customer_answers_the_one_with_the_external_id(external_id: str, calls: Calls) -> None:
    body = {"customer": {"external_id": external_id}}

    created, found = calls(
        ("customers", "createCustomer", body), ("customers", "findCustomer", external_id)
    )

    assert found == created


def test_find_all_customers_answers_a_page_the_newest_first(calls: Calls) -> None:
    bodies = [{"customer": {"external_id": f"acct-{n}", "country": "NO"}} for n in range(3)]
    made = [("customers", "createCustomer", body) for body in bodies]

    *_, page = calls(*made, (*LIST, {"per_page": 2, "page": 2, "countries[]": ["NO"]}))

    assert [each["external_id"] for each in page["data"]["customers"]] == ["acct-0"]
    assert page["data"]["meta"] == {
        "current_page": 2,
        "next_page": None,
        "prev_page": 1,
        "total_pages": 2,
        "total_count": 3,
    }


def test_destroy_customer_answers_it_and_frees_its_external_id(calls: Calls) -> None:
    destroy = ("customers", "destroyCustomer", "acct-otter")

    created, destroyed, listed, again = calls(CREATE, destroy, LIST, CREATE)

    assert destroyed == created
    assert listed["data"]["customers"] == []
    assert again["data"]["customer"]["lago_id"] != created["data"]["customer"]["lago_id"]


def test_a_customer_that_does_not_exist_is_a_404(calls: Calls) -> None:
    (outcome,) = calls(FIND)

    body = {"status": 404, "error": "Not Found", "code": "customer_not_found"}
    assert outcome == {"status": 404, "error": body}


def test_values_that_break_rules_are_a_422_with_details(calls: Calls) -> None:
    body = {"customer": {"external_id": "acct-otter", "currency": "XYZ", "email": "otter"}}

    (outcome,) = calls(("customers", "createCustomer", body))

    assert outcome == {
        "status": 422,
        "error": {
            "status": 422,
            "error": "Unprocessable Entity",
            "code": "validation_errors",
            "error_details": {
                "currency": ["value_is_invalid"],
                "email": ["invalid_email_format"],
            },
        },
    }


def test_a_wrong_key_is_a_401(calls: Calls) -> None:
    (outcome,) = calls(LIST, api_key="not-a-key")

    assert outcome == {"status": 401, "error": {"status": 401, "error": "Unauthorized"}}


def test_a_fault_for_one_call_is_met_once(calls: Calls, lago: Any) -> None:
    lago.arm(operation="createCustomer", error="internal_server_error")

    failed, created = calls(CREATE, CREATE)

    assert failed == {"status": 500, "error": {"status": 500, "error": "Internal Server Error"}}
    assert created["data"]["customer"]["external_id"] == "acct-otter"
    assert lago.statuses("createCustomer") == [500, 200]


def test_the_retry_of_the_client_sees_a_rate_limit_through(calls: Calls, lago: Any) -> None:
    lago.arm(operation="findCustomer", error="too_many_requests")

    created, found = calls(CREATE, FIND, rateLimitRetry={})

    assert found == created
    assert lago.statuses("findCustomer") == [429, 200]


def test_a_rate_limit_that_lasts_is_told_with_its_numbers(calls: Calls, lago: Any) -> None:
    lago.arm(operation="findCustomer", error="too_many_requests", times=None)

    (outcome,) = calls(FIND, rateLimitRetry={"maxRetries": 1})

    assert outcome == {"limit": 50, "remaining": 0, "reset": 1}
    assert lago.statuses("findCustomer") == [429, 429]


def test_without_its_retry_the_client_meets_a_rate_limit_as_an_answer(
    calls: Calls, lago: Any
) -> None:
    lago.arm(operation="findCustomer", error="too_many_requests")

    (outcome,) = calls(FIND)

    assert outcome == {"status": 429, "error": {"status": 429, "error": "Too Many Requests"}}


def test_the_public_key_of_webhooks_comes_as_json_and_as_text(calls: Calls) -> None:
    as_json, as_text = calls(
        ("webhooks", "fetchJsonPublicKey"), ("webhooks", "fetchPublicKey", {"format": "text"})
    )

    text = as_json["data"]["webhook"]["public_key"]
    assert as_text == {"status": 200, "data": text}
    assert base64.b64decode(text).startswith(b"-----BEGIN PUBLIC KEY-----\n")
