from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from lago_mock.app import build
from lago_mock.settings import Settings
from tests.conftest import brief, running

BILLING = "billing_configuration"
ORGANIZATION: dict[str, Any] = {
    "name": "Juniper",
    "api_key": "juniper-key",
    "api_keys": [{"value": "nothing", "permissions": {}}],
}
PRO = "multi_entities_pro"
ENTERPRISE = "multi_entities_enterprise"

# What servers are licensed for: license, and the integrations of the organization, None for all.
LICENSES: dict[str, tuple[str, list[str] | None]] = {
    "free": ("free", None),
    "free, integrations listed": ("free", [ENTERPRISE, "revenue_share", "projected_usage"]),
    "premium": ("premium", None),
    "no integrations": ("premium", []),
    "pro": ("premium", [PRO, "api_permissions", "projected_usage"]),
    "enterprise": ("premium", [PRO, ENTERPRISE, "revenue_share"]),
}

Open = Callable[..., httpx.Client]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Give what makes the URL of a server with a license; each is started when it is asked for."""
    urls: dict[str, str] = {}
    with ExitStack() as stack:

        def serve(name: str) -> str:
            if name not in urls:
                license, integrations = LICENSES[name]
                path = written(tmp_path_factory.mktemp("fixtures"), integrations)
                settings = Settings(db=":memory:", fixtures=str(path), license=license)
                urls[name] = stack.enter_context(running(build(settings)))
            return urls[name]

        yield serve


def written(folder: Path, integrations: list[str] | None) -> Path:
    path = folder / "juniper.json"
    listed = {} if integrations is None else {"premium_integrations": integrations}
    path.write_text(json.dumps({"organization": {**ORGANIZATION, **listed}}), "utf-8")
    return path


@pytest.fixture
def open_client(serve: Callable[[str], str]) -> Iterator[Open]:
    """Give what makes a client of such a server, which is back at its fixture set."""
    with ExitStack() as stack:

        def open_client(name: str, key: str = "juniper-key") -> httpx.Client:
            url, headers = serve(name), {"Authorization": f"Bearer {key}"}
            client = httpx.Client(base_url=f"{url}/api/v1", headers=headers, verify=False)
            stack.enter_context(client)
            client.post(f"{url}/__admin/reset", headers={"Authorization": ""}).raise_for_status()
            return client

        yield open_client


def put(client: httpx.Client, fields: dict[str, Any]) -> httpx.Response:
    return client.put("/organizations", json={"organization": fields})


def save(client: httpx.Client, fields: dict[str, Any]) -> httpx.Response:
    return client.post("/customers", json={"customer": {"external_id": "acct-1", **fields}})


def shown(response: httpx.Response, root: str) -> dict[str, Any]:
    assert response.status_code == 200, response.text
    value: dict[str, Any] = response.json()[root]
    return value


ORGANIZATIONS = [
    {"timezone": "Asia/Tokyo"},
    {"timezone": "Mars/Base"},
    {"timezone": ""},
    {"timezone": None},
    {"email_settings": ["invoice.finalized"]},
    {"email_settings": ["nonsense"]},
    {BILLING: {"invoice_grace_period": 3}},
    {BILLING: {"invoice_grace_period": -1}},
    {BILLING: {"invoice_grace_period": "soon"}},
    {BILLING: {"invoice_grace_period": None}},
]
CUSTOMERS = [
    {"timezone": "Asia/Tokyo"},
    {"timezone": "Mars/Base"},
    {"timezone": ""},
    {BILLING: {"invoice_grace_period": 3}},
    {BILLING: {"invoice_grace_period": -1}},
    {BILLING: {"invoice_grace_period": "soon"}},
]
ACCOUNT_TYPES = [{"account_type": value} for value in ("partner", "reseller", "", None)]


class TestFree:
    @pytest.mark.parametrize("fields", ORGANIZATIONS, ids=brief)
    def test_an_organization_ignores_what_needs_the_license(
        self, open_client: Open, fields: dict[str, Any]
    ) -> None:
        client = open_client("free")
        before = client.get("/organizations").json()["organization"]

        after = shown(put(client, fields), "organization")

        assert after == {**before, "taxes": []}

    @pytest.mark.parametrize("fields", [*CUSTOMERS, *ACCOUNT_TYPES], ids=brief)
    @pytest.mark.parametrize("is_new", [True, False], ids=["new", "existing"])
    def test_a_customer_ignores_what_needs_the_license(
        self, open_client: Open, fields: dict[str, Any], is_new: bool
    ) -> None:
        client = open_client("free")
        if not is_new:
            save(client, {}).raise_for_status()

        after = shown(save(client, {**fields, "name": "Ann"}), "customer")

        assert (after["name"], after["account_type"]) == ("Ann", "customer")
        assert (after["timezone"], after["applicable_timezone"]) == (None, "UTC")
        assert after[BILLING]["invoice_grace_period"] is None

    def test_what_needs_no_license_in_the_same_request_is_kept(self, open_client: Open) -> None:
        client = open_client("free")
        fields = {
            "timezone": "Mars/Base",
            "city": "Albi",
            BILLING: {"invoice_grace_period": -1, "document_locale": "fr"},
        }

        organization = shown(put(client, fields), "organization")
        customer = shown(save(client, fields), "customer")

        for each in (organization, customer):
            assert (each["city"], each[BILLING]["document_locale"]) == ("Albi", "fr")

    def test_what_needs_no_license_is_judged_all_the_same(self, open_client: Open) -> None:
        client = open_client("free")

        response = save(client, {"timezone": "Mars/Base", "currency": "x"})

        assert response.status_code == 422
        assert response.json()["error_details"] == {"currency": ["value_is_invalid"]}

    @pytest.mark.parametrize("fields", [*CUSTOMERS, *ACCOUNT_TYPES], ids=brief)
    def test_an_ignored_key_is_known_all_the_same(
        self, open_client: Open, fields: dict[str, Any]
    ) -> None:
        response = open_client("free").post("/customers", json={"customer": fields})

        assert response.status_code == 422
        assert response.json()["error_details"] == {"external_id": ["value_is_mandatory"]}

    def test_every_key_has_all_rights(self, open_client: Open) -> None:
        client = open_client("free", "nothing")

        assert save(client, {}).status_code == 200
        assert put(client, {"city": "Albi"}).status_code == 200
        assert client.get("/webhooks/public_key").status_code == 200

    def test_a_listed_integration_is_worth_nothing(self, open_client: Open) -> None:
        client = open_client("free, integrations listed")

        assert shown(save(client, {"account_type": "partner"}), "customer")["account_type"] == (
            "customer"
        )
        assert entity(client, "second").status_code == 403
        assert client.get("/customers/acct-1/projected_usage").status_code == 403

    def test_the_portal_needs_no_license(self, open_client: Open) -> None:
        client = open_client("free")
        save(client, {}).raise_for_status()

        url = client.get("/customers/acct-1/portal_url").json()["customer"]["portal_url"]

        assert client.get(url).status_code == 200


class TestPremium:
    @pytest.mark.parametrize("name", ["premium", "no integrations", "pro"])
    def test_time_zone_grace_period_and_e_mail_settings_need_no_integration(
        self, open_client: Open, name: str
    ) -> None:
        client = open_client(name)
        settings = {"timezone": "Asia/Tokyo", BILLING: {"invoice_grace_period": 3}}

        customer = shown(save(client, settings), "customer")
        settings["email_settings"] = ["invoice.finalized"]
        organization = shown(put(client, settings), "organization")

        for each in (customer, organization):
            assert (each["timezone"], each[BILLING]["invoice_grace_period"]) == ("Asia/Tokyo", 3)
        assert organization["email_settings"] == ["invoice.finalized"]

    @pytest.mark.parametrize(
        ("fields", "details"),
        [
            ({"timezone": "Mars/Base"}, {"timezone": ["invalid_timezone"]}),
            (
                {BILLING: {"invoice_grace_period": -1}},
                {"invoice_grace_period": ["value_is_out_of_range"]},
            ),
        ],
        ids=brief,
    )
    def test_they_are_judged(
        self, open_client: Open, fields: dict[str, Any], details: dict[str, list[str]]
    ) -> None:
        client = open_client("no integrations")

        for response in (save(client, fields), put(client, fields)):
            assert response.status_code == 422
            assert response.json()["error_details"] == details

    @pytest.mark.parametrize("fields", ACCOUNT_TYPES, ids=brief)
    @pytest.mark.parametrize("name", ["no integrations", "pro"])
    def test_account_type_is_ignored_without_its_integration(
        self, open_client: Open, name: str, fields: dict[str, Any]
    ) -> None:
        assert shown(save(open_client(name), fields), "customer")["account_type"] == "customer"

    @pytest.mark.parametrize("name", ["premium", "enterprise"])
    def test_account_type_is_kept_and_judged_with_its_integration(
        self, open_client: Open, name: str
    ) -> None:
        client = open_client(name)

        partner = shown(save(client, {"account_type": "partner"}), "customer")

        assert partner["account_type"] == "partner"
        for value in ("reseller", "", None):
            response = save(client, {"account_type": value})
            assert response.status_code == 422
            assert response.json()["error_details"] == {"account_type": ["value_is_invalid"]}

    @pytest.mark.parametrize(
        ("name", "status"),
        [("premium", 403), ("pro", 403), ("no integrations", 200), ("enterprise", 200)],
    )
    def test_rights_of_a_key_count_with_their_integration(
        self, open_client: Open, name: str, status: int
    ) -> None:
        assert open_client(name, "nothing").get("/customers").status_code == status


def entity(client: httpx.Client, code: str) -> httpx.Response:
    return client.post("/billing_entities", json={"billing_entity": {"code": code, "name": code}})


class TestBillingEntities:
    @pytest.mark.parametrize(
        ("name", "more"),
        [
            ("free", 0),
            ("free, integrations listed", 0),
            ("no integrations", 0),
            ("pro", 1),
            ("enterprise", 5),
            ("premium", 5),
        ],
    )
    def test_their_number_is_limited_by_license_and_integration(
        self, open_client: Open, name: str, more: int
    ) -> None:
        client = open_client(name)
        codes = [f"entity-{number}" for number in range(5)]

        statuses = [entity(client, code).status_code for code in codes]

        assert statuses == [200] * more + [403] * (5 - more)
        listed = client.get("/billing_entities").json()["billing_entities"]
        assert [each["code"] for each in listed] == ["juniper", *codes[:more]]

    @pytest.mark.parametrize(
        "fields", [{"code": "second", "name": "x"}, {"name": "x"}, {"code": "juniper"}], ids=brief
    )
    def test_one_too_many_is_403_whatever_it_is(
        self, open_client: Open, fields: dict[str, Any]
    ) -> None:
        response = open_client("free").post("/billing_entities", json={"billing_entity": fields})

        expected = {"status": 403, "error": "Forbidden", "code": "feature_unavailable"}
        assert (response.status_code, response.json()) == (403, expected)

    def test_the_default_one_can_be_changed(self, open_client: Open) -> None:
        body = {"billing_entity": {"city": "Albi"}}

        response = open_client("free").put("/billing_entities/juniper", json=body)

        assert shown(response, "billing_entity")["city"] == "Albi"


class TestProjectedUsage:
    @pytest.mark.parametrize("name", ["free", "no integrations", "enterprise"])
    @pytest.mark.parametrize("external_id", ["acct-1", "nobody"])
    def test_without_the_integration_it_is_403_before_any_look_up(
        self, open_client: Open, name: str, external_id: str
    ) -> None:
        client = open_client(name)
        save(client, {}).raise_for_status()

        response = client.get(f"/customers/{external_id}/projected_usage")

        expected = {"status": 403, "error": "Forbidden", "code": "projected_usage_not_enabled"}
        assert (response.status_code, response.json()) == (403, expected)

    @pytest.mark.parametrize("name", ["premium", "pro"])
    def test_with_the_integration_it_needs_a_subscription(
        self, open_client: Open, name: str
    ) -> None:
        client = open_client(name)
        save(client, {}).raise_for_status()

        response = client.get("/customers/acct-1/projected_usage?external_subscription_id=sub-1")

        expected = {"status": 405, "error": "Method Not Allowed", "code": "no_active_subscription"}
        assert (response.status_code, response.json()) == (405, expected)
