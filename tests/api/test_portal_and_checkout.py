from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
TOKEN = re.compile(r"([A-Za-z0-9+/]+=*)--([0-9a-f]{40})")


def save(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    body = {"customer": {"external_id": "acct-1", **fields}}
    response = client.post("/customers", json=body)
    assert response.status_code == 200, response.text
    customer: dict[str, Any] = response.json()["customer"]
    return customer


def link(client: httpx.Client, provider: str, **fields: Any) -> dict[str, Any]:
    configuration = {"payment_provider": provider, "provider_customer_id": "pc-1", **fields}
    return save(client, billing_configuration=configuration)


def portal_url(client: httpx.Client, external_id: str = "acct-1") -> str:
    response = client.get(f"/customers/{quote(external_id, safe='')}/portal_url")
    assert response.status_code == 200, response.text
    assert list(response.json()) == ["customer"]
    assert list(response.json()["customer"]) == ["portal_url"]
    url: str = response.json()["customer"]["portal_url"]
    return url


def parts(url: str) -> tuple[str, str]:
    """Return data and signature of the token that a portal URL ends in."""
    token = TOKEN.fullmatch(url.rpartition("/")[2])
    assert token, url
    return token[1], token[2]


def assert_not_found(response: httpx.Response, code: str = "customer_not_found") -> None:
    assert response.json() == {"status": 404, "error": "Not Found", "code": code}
    assert response.status_code == 404


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


class TestPortal:
    def test_the_token_names_the_customer_for_twelve_hours(self, client: httpx.Client) -> None:
        lago_id = save(client)["lago_id"]
        before = datetime.now(UTC)

        data, _ = parts(portal_url(client))

        rails = json.loads(base64.b64decode(data))["_rails"]
        assert json.loads(base64.b64decode(data)) == {"_rails": {"data": lago_id, **rails}}
        assert list(rails) == ["data", "exp"]
        assert INSTANT.fullmatch(rails["exp"])
        made = datetime.fromisoformat(rails["exp"]) - timedelta(hours=12)
        assert before - timedelta(milliseconds=1) <= made <= datetime.now(UTC)

    def test_the_address_is_new_after_a_while(self, client: httpx.Client) -> None:
        save(client)

        assert len({portal_url(client) for _ in range(20)}) > 1

    def test_the_address_is_on_the_mock_as_the_client_reached_it(
        self, client: httpx.Client, server: str
    ) -> None:
        save(client)
        response = client.get("/customers/acct-1/portal_url", headers={"Host": "lago.example:81"})

        assert portal_url(client).startswith(f"{server}/customer-portal/")
        other: str = response.json()["customer"]["portal_url"]
        assert other.startswith("http://lago.example:81/customer-portal/")

    def test_the_address_opens_a_page_of_the_customer_without_a_key(
        self, client: httpx.Client, admin: httpx.Client
    ) -> None:
        save(client, name="Marlow Boats", email="ada@marlow.example", city="Astoria")

        page = admin.get(portal_url(client))

        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        for text in ("Marlow Boats", "acct-1", "ada@marlow.example", "Astoria"):
            assert text in page.text

    def test_the_page_shows_the_customer_as_it_is_now(
        self, client: httpx.Client, admin: httpx.Client
    ) -> None:
        save(client, name="Marlow Boats")
        url = portal_url(client)

        save(client, name="Marlow Ships")

        assert "Marlow Ships" in admin.get(url).text
        assert "Marlow Boats" not in admin.get(url).text

    @pytest.mark.parametrize("name", ["<b>Tom & Ann</b>", '"><script>x</script>', None, ""])
    def test_the_page_takes_no_name_for_markup(
        self, client: httpx.Client, admin: httpx.Client, name: str | None
    ) -> None:
        save(client, name=name, external_id="<i>acct</i>")

        page = admin.get(portal_url(client, "<i>acct</i>"))

        assert page.status_code == 200
        assert not re.search("<b>|<script>|<i>", page.text)
        assert "&lt;" in page.text

    @pytest.mark.parametrize("external_id", ["a/b", "a.b", "été 1", "?#%"])
    def test_any_external_id_has_an_address(
        self, client: httpx.Client, admin: httpx.Client, external_id: str
    ) -> None:
        save(client, external_id=external_id, name="Marlow Boats")

        page = admin.get(portal_url(client, external_id))

        assert page.status_code == 200
        assert "Marlow Boats" in page.text

    def test_an_address_that_was_tampered_with_opens_nothing(
        self, client: httpx.Client, admin: httpx.Client, server: str
    ) -> None:
        save(client, name="Marlow Boats")
        data, signature = parts(portal_url(client))
        rails = json.loads(base64.b64decode(data))
        rails["_rails"]["exp"] = "2999-01-01T00:00:00.000Z"
        longer = base64.b64encode(json.dumps(rails, separators=(",", ":")).encode()).decode()
        forged = [
            f"{longer}--{signature}",
            f"{data}--{signature[::-1]}",
            f"{data}--{signature.upper()}x",
            f"{data}--",
            f"{data}{signature}",
            f"--{signature}",
            data,
            "nonsense",
            "%C3%A9--%C3%A9",
            "",
        ]

        for token in forged:
            page = admin.get(f"{server}/customer-portal/{token}")
            assert page.status_code == 404, token
            assert "Marlow Boats" not in page.text

    def test_the_address_of_a_deleted_customer_opens_nothing(
        self, client: httpx.Client, admin: httpx.Client
    ) -> None:
        save(client, name="Marlow Boats")
        url = portal_url(client)

        client.delete("/customers/acct-1").raise_for_status()

        assert admin.get(url).status_code == 404
        assert "Marlow Boats" not in admin.get(url).text

    def test_head_of_the_page_has_no_body(self, client: httpx.Client, admin: httpx.Client) -> None:
        save(client)
        response = admin.head(portal_url(client))

        assert (response.status_code, response.content) == (200, b"")

    def test_a_missing_or_deleted_customer_has_no_address(self, client: httpx.Client) -> None:
        save(client)
        client.delete("/customers/acct-1").raise_for_status()

        assert_not_found(client.get("/customers/acct-1/portal_url"))
        assert_not_found(client.get("/customers/nobody/portal_url"))

    @pytest.mark.parametrize("verb", ["POST", "PUT", "DELETE"])
    def test_another_verb_is_not_routed(self, client: httpx.Client, verb: str) -> None:
        save(client)

        response = client.request(verb, "/customers/acct-1/portal_url")

        assert_not_found(response, "resource_not_found")


class TestCheckout:
    @pytest.mark.parametrize("provider", ["stripe", "gocardless", "adyen", "moneyhash"])
    def test_a_linked_customer_gets_an_address(self, client: httpx.Client, provider: str) -> None:
        lago_id = link(client, provider, payment_provider_code=f"{provider}-eu")["lago_id"]

        response = client.post("/customers/acct-1/checkout_url")

        assert response.status_code == 200
        assert list(response.json()) == ["customer"]
        shown = response.json()["customer"]
        expected = {
            "lago_customer_id": lago_id,
            "external_customer_id": "acct-1",
            "payment_provider": provider,
            "payment_provider_code": f"{provider}-eu",
            "checkout_url": shown["checkout_url"],
        }
        assert shown == expected
        assert list(shown) == list(expected)
        assert urlsplit(shown["checkout_url"]).scheme == "https"
        assert urlsplit(shown["checkout_url"]).netloc

    @pytest.mark.parametrize("body", [None, {}, {"customer": {}}, {"customer": {"name": "x"}}])
    def test_no_body_is_needed_and_none_is_read(self, client: httpx.Client, body: object) -> None:
        before = link(client, "stripe")

        response = client.post("/customers/acct-1/checkout_url", json=body)

        assert response.status_code == 200
        assert client.get("/customers/acct-1").json()["customer"] == before

    @pytest.mark.parametrize(
        "configuration",
        [
            pytest.param({}, id="no provider"),
            pytest.param({"payment_provider": "stripe"}, id="provider ignored"),
            pytest.param({"provider_customer_id": "pc-1"}, id="no provider, but an id"),
        ],
    )
    def test_a_new_customer_without_a_link_is_refused(
        self, client: httpx.Client, configuration: dict[str, Any]
    ) -> None:
        save(client, billing_configuration=configuration)

        response = client.post("/customers/acct-1/checkout_url")

        assert_refused(response, {"base": ["no_linked_payment_provider"]})

    def test_the_name_of_a_provider_makes_no_link(self, client: httpx.Client) -> None:
        save(client)
        configuration = {"payment_provider": "stripe", "payment_provider_code": "stripe-eu"}
        customer = save(client, billing_configuration=configuration)
        assert customer["billing_configuration"]["payment_provider"] == "stripe"

        response = client.post("/customers/acct-1/checkout_url")

        assert_refused(response, {"base": ["no_linked_payment_provider"]})

    def test_a_link_that_was_undone_is_none(self, client: httpx.Client) -> None:
        link(client, "stripe")
        save(client, billing_configuration={"payment_provider": None})

        response = client.post("/customers/acct-1/checkout_url")

        assert_refused(response, {"base": ["no_linked_payment_provider"]})

    @pytest.mark.parametrize("provider", ["cashfree", "flutterwave"])
    def test_a_provider_without_a_check_out_is_405(
        self, client: httpx.Client, provider: str
    ) -> None:
        link(client, provider)

        response = client.post("/customers/acct-1/checkout_url")

        expected = {"status": 405, "error": "Method Not Allowed", "code": "feature_not_supported"}
        assert (response.status_code, response.json()) == (405, expected)

    @pytest.mark.parametrize("methods", [["crypto"], ["customer_balance"]])
    def test_with_stripe_there_must_be_a_method_to_set_up(
        self, client: httpx.Client, methods: list[str]
    ) -> None:
        link(client, "stripe", provider_payment_methods=methods)

        response = client.post("/customers/acct-1/checkout_url")

        code = "no_payment_methods_to_setup_available"
        assert_refused(response, {"provider_payment_methods": [code]})

    @pytest.mark.parametrize(
        "methods", [["card"], ["sepa_debit"], ["crypto", "card"], ["card", "link"]]
    )
    def test_with_stripe_one_method_to_set_up_is_enough(
        self, client: httpx.Client, methods: list[str]
    ) -> None:
        link(client, "stripe", provider_payment_methods=methods)

        assert client.post("/customers/acct-1/checkout_url").status_code == 200

    def test_a_missing_or_deleted_customer_is_not_found(self, client: httpx.Client) -> None:
        link(client, "stripe")
        client.delete("/customers/acct-1").raise_for_status()

        assert_not_found(client.post("/customers/acct-1/checkout_url"))
        assert_not_found(client.post("/customers/nobody/checkout_url"))

    @pytest.mark.parametrize("verb", ["GET", "PUT", "DELETE"])
    def test_another_verb_is_not_routed(self, client: httpx.Client, verb: str) -> None:
        link(client, "stripe")

        response = client.request(verb, "/customers/acct-1/checkout_url")

        assert_not_found(response, "resource_not_found")


def test_a_customer_whose_provider_became_stripe_is_set_up_by_card(client: httpx.Client) -> None:
    linked = {"payment_provider": "adyen", "provider_customer_id": "x"}
    for configuration in (linked, {"payment_provider": "stripe"}):
        body = {"external_id": "moved", "billing_configuration": configuration}
        client.post("/customers", json={"customer": body}).raise_for_status()

    response = client.post("/customers/moved/checkout_url")

    assert response.status_code == 200
    assert response.json()["customer"]["payment_provider"] == "stripe"
