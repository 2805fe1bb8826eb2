from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.conftest import brief

BILLING = "billing_configuration"
METHODS = "provider_payment_methods"
SYNC = "sync_with_provider"
PROVIDERS = ["stripe", "gocardless", "cashfree", "adyen", "flutterwave", "moneyhash"]
KEYS = [
    "invoice_grace_period",
    "payment_provider",
    "payment_provider_code",
    "document_locale",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
]
NOT_FOUND = {"base": ["payment_provider_not_found"]}
CODE_MISSING = {"base": ["payment_provider_code_missing"]}
NOT_WITH_OTHERS = "customer_balance cannot be combined with other payment methods"
FIXTURES = {
    "organization": {"name": "Juniper", "api_key": "juniper-key"},
    "payment_providers": [
        {"code": "stripe-eu", "type": "stripe"},
        {"code": "stripe-us", "type": "stripe", "name": "America"},
        {"code": "direct-debit", "type": "gocardless"},
    ],
}


def save(client: httpx.Client, given: dict[str, Any], **fields: Any) -> httpx.Response:
    customer = {"external_id": "acct-1", BILLING: given, **fields}
    return client.post("/customers", json={"customer": customer})


def saved(client: httpx.Client, given: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return what the customer then shows of its provider."""
    response = save(client, given, **fields)
    assert response.status_code == 200, response.text
    configuration: dict[str, Any] = response.json()["customer"][BILLING]
    assert client.get("/customers/acct-1").json()["customer"][BILLING] == configuration
    assert list(configuration)[: len(KEYS)] == KEYS
    return shown(configuration)


def shown(configuration: dict[str, Any]) -> dict[str, Any]:
    names = ("payment_provider", "payment_provider_code", *configuration.keys() - {*KEYS})
    return {name: configuration[name] for name in names}


def named(provider: str | None, code: str | None, **more: Any) -> dict[str, Any]:
    return {"payment_provider": provider, "payment_provider_code": code, **more}


def without_link(provider: str, code: str | None) -> dict[str, Any]:
    """Return what is shown of a provider of whom nothing but the name is known."""
    methods = {METHODS: None} if provider == "stripe" else {}
    return named(provider, code, provider_customer_id=None, **methods)


def assert_refused(response: httpx.Response, details: dict[str, list[str]]) -> None:
    assert response.json() == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": details,
    }
    assert response.status_code == 422


class TestNewCustomer:
    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_an_id_of_its_own_links_it(self, client: httpx.Client, provider: str) -> None:
        given = named(provider, "main", provider_customer_id="pc-1")

        methods = {METHODS: ["card"]} if provider == "stripe" else {}
        assert saved(client, given) == {**given, **methods}

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_a_wish_for_one_makes_an_id_up(self, client: httpx.Client, provider: str) -> None:
        linked = saved(client, {"payment_provider": provider, SYNC: True})

        methods = {METHODS: ["card"]} if provider == "stripe" else {}
        made_up = linked.pop("provider_customer_id")
        assert linked == named(provider, provider, **methods, **{SYNC: True})
        assert isinstance(made_up, str)
        assert made_up

    def test_made_up_ids_differ(self, client: httpx.Client) -> None:
        given = {"payment_provider": "stripe", SYNC: True}

        first = saved(client, given)["provider_customer_id"]
        response = save(client, given, external_id="acct-2")

        assert response.json()["customer"][BILLING]["provider_customer_id"] != first

    def test_an_id_of_its_own_goes_before_one_made_up(self, client: httpx.Client) -> None:
        given = named("adyen", "main", provider_customer_id="pc-1", **{SYNC: True})

        assert saved(client, given) == given

    @pytest.mark.parametrize("wish", ["true", "false", "no", 1, 0, 2**70, ""], ids=brief)
    def test_any_text_or_number_is_a_wish_and_is_shown(
        self, client: httpx.Client, wish: object
    ) -> None:
        linked = saved(client, {"payment_provider": "adyen", SYNC: wish})

        assert linked.pop("provider_customer_id")
        assert linked == named("adyen", "adyen", **{SYNC: wish})

    @pytest.mark.parametrize("wish", [{}, {SYNC: False}, {SYNC: None}, {"sync": True}], ids=brief)
    @pytest.mark.parametrize("provider", ["stripe", "adyen", "paypal", None], ids=brief)
    def test_a_provider_alone_is_ignored(
        self, client: httpx.Client, provider: str | None, wish: dict[str, Any]
    ) -> None:
        given = named(provider, "main", **{METHODS: ["card"]}, **wish)

        assert saved(client, given)["payment_provider"] is None

    @pytest.mark.parametrize("wish", [{SYNC: True}, {"provider_customer_id": "pc-1"}], ids=brief)
    @pytest.mark.parametrize("provider", [{}, {"payment_provider": None}], ids=brief)
    def test_a_wish_without_a_provider_is_ignored(
        self, client: httpx.Client, provider: dict[str, Any], wish: dict[str, Any]
    ) -> None:
        assert saved(client, {**provider, **wish}) == named(None, None)

    @pytest.mark.parametrize("provider", ["paypal", "Stripe", "stripe ", "", 12], ids=brief)
    @pytest.mark.parametrize("wish", [{SYNC: True}, {"provider_customer_id": "pc-1"}], ids=brief)
    def test_an_unknown_provider_is_not_found_and_nothing_is_saved(
        self, client: httpx.Client, provider: object, wish: dict[str, Any]
    ) -> None:
        response = save(client, {"payment_provider": provider, **wish})

        assert_refused(response, NOT_FOUND)
        assert client.get("/customers/acct-1").status_code == 404

    def test_a_refused_customer_uses_no_number(self, client: httpx.Client) -> None:
        assert_refused(save(client, {"payment_provider": "paypal", SYNC: True}), NOT_FOUND)

        assert save(client, {}).json()["customer"]["sequential_id"] == 1


class TestDeclaredConnections:
    @pytest.mark.parametrize(
        ("given", "code"),
        [
            (named("stripe", "stripe-eu"), "stripe-eu"),
            (named("stripe", "stripe-us"), "stripe-us"),
            (named("gocardless", "direct-debit"), "direct-debit"),
            (named("gocardless", None), "direct-debit"),
            ({"payment_provider": "gocardless"}, "direct-debit"),
        ],
        ids=brief,
    )
    @pytest.mark.parametrize("is_new", [True, False], ids=["new", "existing"])
    def test_the_code_of_a_link_is_that_of_a_connection(
        self, connected: httpx.Client, given: dict[str, Any], code: str, is_new: bool
    ) -> None:
        if not is_new:
            saved(connected, {})

        linked = saved(connected, {**given, "provider_customer_id": "pc-1"})

        methods = {METHODS: ["card"]} if given["payment_provider"] == "stripe" else {}
        expected = named(given["payment_provider"], code, provider_customer_id="pc-1", **methods)
        assert linked == expected

    @pytest.mark.parametrize(
        ("given", "details"),
        [
            (named("stripe", "stripe-jp"), NOT_FOUND),
            (named("stripe", "STRIPE-EU"), NOT_FOUND),
            (named("stripe", "direct-debit"), NOT_FOUND),
            (named("gocardless", "stripe-eu"), NOT_FOUND),
            (named("adyen", None), NOT_FOUND),
            (named("adyen", "stripe-eu"), NOT_FOUND),
            (named("paypal", None), NOT_FOUND),
            (named("stripe", None), CODE_MISSING),
            ({"payment_provider": "stripe"}, CODE_MISSING),
        ],
        ids=brief,
    )
    @pytest.mark.parametrize("is_new", [True, False], ids=["new", "existing"])
    def test_a_link_needs_one_connection(
        self,
        connected: httpx.Client,
        given: dict[str, Any],
        details: dict[str, list[str]],
        is_new: bool,
    ) -> None:
        if not is_new:
            saved(connected, {})
        before = connected.get("/customers").json()

        assert_refused(save(connected, {**given, SYNC: True}, name="Ann"), details)
        assert connected.get("/customers").json() == before

    def test_a_name_without_a_link_is_kept_unchecked(self, connected: httpx.Client) -> None:
        saved(connected, {})

        assert saved(connected, named("adyen", "nowhere")) == without_link("adyen", "nowhere")

    def test_a_new_customer_that_wishes_no_link_is_not_checked(
        self, connected: httpx.Client
    ) -> None:
        assert saved(connected, named("adyen", "nowhere"))["payment_provider"] is None


class TestExistingCustomer:
    @pytest.mark.parametrize("wish", [{SYNC: True}, {"provider_customer_id": "pc-1"}], ids=brief)
    def test_it_is_linked_like_a_new_one(self, client: httpx.Client, wish: dict[str, Any]) -> None:
        saved(client, {})

        linked = saved(client, {"payment_provider": "stripe", **wish})

        assert linked.pop("provider_customer_id")
        assert linked == named("stripe", "stripe", **{METHODS: ["card"]}, **without_id(wish))

    def test_an_unknown_provider_that_is_to_be_linked_is_not_found(
        self, client: httpx.Client
    ) -> None:
        saved(client, {})

        response = save(client, {"payment_provider": "paypal", SYNC: True}, name="Ann")

        assert_refused(response, NOT_FOUND)
        assert client.get("/customers/acct-1").json()["customer"]["name"] is None

    @pytest.mark.parametrize("provider", PROVIDERS)
    def test_the_name_of_a_provider_is_kept_without_a_link(
        self, client: httpx.Client, provider: str
    ) -> None:
        saved(client, {})

        assert saved(client, {"payment_provider": provider}) == without_link(provider, None)
        assert saved(client, named(provider, "main")) == without_link(provider, "main")
        assert saved(client, {"payment_provider": provider}) == without_link(provider, "main")

    @pytest.mark.parametrize("blank", ["", " "], ids=brief)
    def test_a_blank_id_is_no_wish_for_a_link(self, client: httpx.Client, blank: str) -> None:
        saved(client, {})

        given = named("adyen", "main", provider_customer_id=blank)

        assert saved(client, given) == without_link("adyen", "main")

    def test_an_unknown_name_clears_the_name_and_leaves_the_code(
        self, client: httpx.Client
    ) -> None:
        saved(client, {})
        saved(client, named("adyen", "main"))

        given = named("paypal", "other")
        assert saved(client, given) == named(None, "main")

    def test_null_clears_the_name_and_without_a_link_leaves_the_code(
        self, client: httpx.Client
    ) -> None:
        saved(client, {})
        saved(client, named("adyen", "main"))

        assert saved(client, {"payment_provider": None}) == named(None, "main")

    def test_null_undoes_a_link_and_clears_the_code(self, client: httpx.Client) -> None:
        saved(client, named("stripe", "main", provider_customer_id="pc-1"))

        assert saved(client, {"payment_provider": None}) == named(None, None)
        again = saved(client, named("stripe", "main", provider_customer_id="pc-2"))
        assert again["provider_customer_id"] == "pc-2"

    @pytest.mark.parametrize(
        "given",
        [
            {},
            {"document_locale": "fr"},
            {"payment_provider_code": "other"},
            {"payment_provider": "stripe"},
            {"payment_provider": "stripe", SYNC: True},
        ],
        ids=brief,
    )
    def test_a_link_stays_as_it_is(self, client: httpx.Client, given: dict[str, Any]) -> None:
        before = saved(client, named("stripe", "main", provider_customer_id="pc-1"))

        after = saved(client, given)

        names = ("payment_provider", "payment_provider_code", "provider_customer_id", METHODS)
        assert {name: after[name] for name in names} == {name: before[name] for name in names}

    def test_a_customer_without_billing_configuration_keeps_its_link(
        self, client: httpx.Client
    ) -> None:
        before = saved(client, named("stripe", "main", provider_customer_id="pc-1"))

        client.post("/customers", json={"customer": {"external_id": "acct-1", "name": "Ann"}})

        customer = client.get("/customers/acct-1").json()["customer"]
        assert shown(customer[BILLING]) == before


def without_id(wish: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wish.items() if name != "provider_customer_id"}


class TestStripesMethods:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ({}, ["card"]),
            ({METHODS: None}, ["card"]),
            ({METHODS: ["card", "sepa_debit"]}, ["card", "sepa_debit"]),
            ({METHODS: ["link", "card"]}, ["link", "card"]),
            ({METHODS: ["customer_balance"]}, ["customer_balance"]),
            (
                {METHODS: ["us_bank_account", "bacs_debit", "boleto", "crypto"]},
                ["us_bank_account", "bacs_debit", "boleto", "crypto"],
            ),
        ],
        ids=brief,
    )
    def test_they_are_kept(
        self, client: httpx.Client, given: dict[str, Any], kept: list[str]
    ) -> None:
        linked = saved(client, named("stripe", "main", provider_customer_id="pc-1", **given))

        assert linked[METHODS] == kept

    @pytest.mark.parametrize(
        ("methods", "code"),
        [
            (["cash"], "value_is_invalid"),
            (["card", "cash"], "value_is_invalid"),
            (["Card"], "value_is_invalid"),
            (["link"], "value_is_invalid"),
            (["link", "sepa_debit"], "value_is_invalid"),
            (["customer_balance", "card"], NOT_WITH_OTHERS),
            (["card", "customer_balance", "crypto"], NOT_WITH_OTHERS),
        ],
        ids=brief,
    )
    def test_bad_ones_are_refused_and_nothing_is_saved(
        self, client: httpx.Client, methods: list[str], code: str
    ) -> None:
        given = named("stripe", "main", provider_customer_id="pc-1", **{METHODS: methods})

        assert_refused(save(client, given), {METHODS: [code]})
        assert client.get("/customers/acct-1").status_code == 404

    @pytest.mark.parametrize("provider", [{}, {"payment_provider": "stripe"}], ids=brief)
    def test_those_of_a_link_can_change(
        self, client: httpx.Client, provider: dict[str, Any]
    ) -> None:
        before = saved(client, named("stripe", "main", provider_customer_id="pc-1"))

        after = saved(client, {**provider, METHODS: ["card", "boleto"]})

        assert after == {**before, METHODS: ["card", "boleto"]}
        assert_refused(
            save(client, {**provider, METHODS: ["link"]}), {METHODS: ["value_is_invalid"]}
        )
        assert saved(client, {**provider, METHODS: None}) == after

    @pytest.mark.parametrize("provider", ["gocardless", "adyen"])
    def test_other_providers_have_none(self, client: httpx.Client, provider: str) -> None:
        given = named(provider, "main", provider_customer_id="pc-1")

        assert saved(client, {**given, METHODS: ["link", "cash"]}) == given

    def test_without_a_link_they_are_not_looked_at(self, client: httpx.Client) -> None:
        assert saved(client, {"payment_provider": "stripe", METHODS: ["cash"]}) == named(None, None)


class TestOrder:
    @pytest.mark.parametrize(
        ("given", "details"),
        [
            pytest.param(
                {"invoice_grace_period": -1, "payment_provider": "paypal", SYNC: True},
                {"invoice_grace_period": ["value_is_out_of_range"]},
                id="settings before provider",
            ),
            pytest.param(
                {"payment_provider": "paypal", SYNC: True, "document_locale": "tlh"},
                NOT_FOUND,
                id="provider before locale",
            ),
            pytest.param(
                {
                    "payment_provider": "stripe",
                    SYNC: True,
                    "document_locale": "tlh",
                    METHODS: ["cash"],
                },
                {"document_locale": ["not_a_valid_language_code"]},
                id="locale before methods",
            ),
        ],
    )
    def test_the_first_stage_with_a_problem_answers_alone(
        self, client: httpx.Client, given: dict[str, Any], details: dict[str, list[str]]
    ) -> None:
        assert_refused(save(client, given), details)

    def test_a_refused_locale_leaves_the_provider_as_it_was(self, client: httpx.Client) -> None:
        saved(client, {})
        saved(client, named("adyen", "main"))

        response = save(client, {"payment_provider": "stripe", "document_locale": "tlh"})

        assert_refused(response, {"document_locale": ["not_a_valid_language_code"]})
        customer = client.get("/customers/acct-1").json()["customer"]
        assert shown(customer[BILLING]) == without_link("adyen", "main")

    def test_keys_of_the_link_stand_last_and_in_order(self, client: httpx.Client) -> None:
        given = named("stripe", "main", provider_customer_id="pc-1", **{SYNC: True})

        configuration = save(client, given).json()["customer"][BILLING]

        assert list(configuration) == [*KEYS, "provider_customer_id", METHODS, SYNC]
