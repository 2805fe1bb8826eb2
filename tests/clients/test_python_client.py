from __future__ import annotations

from typing import Any

import pytest
from lago_python_client import Client
from lago_python_client.exceptions import LagoApiError, LagoRateLimitError
from lago_python_client.models import (
    Address,
    Customer,
    CustomerBillingConfiguration,
    Metadata,
    MetadataList,
    Organization,
    OrganizationBillingConfiguration,
)


@pytest.fixture
def client(lago: Any) -> Client:
    return Client(api_key=lago.api_key, api_url=lago.url)


def customer(**changes: Any) -> Customer:
    return Customer(**{"external_id": "acct-otter", "name": "Otter Press", **changes})


def test_update_organization_answers_what_was_changed(client: Client, lago: Any) -> None:
    changes = Organization(
        timezone="Europe/Stockholm",
        webhook_url="https://otter.example/hooks",
        default_currency="NOK",
        net_payment_term=21,
        billing_configuration=OrganizationBillingConfiguration(
            invoice_footer="Otter Press, Bergen", invoice_grace_period=4
        ),
    )

    organization = client.organizations.update(changes)

    assert organization.name == "Blank Slate"
    assert organization.timezone == "Europe/Stockholm"
    assert organization.webhook_url == "https://otter.example/hooks"
    assert organization.webhook_urls == ["https://otter.example/hooks"]
    assert organization.net_payment_term == 21
    assert organization.billing_configuration.dict() == {
        "invoice_footer": "Otter Press, Bergen",
        "invoice_grace_period": 4,
        "document_locale": "en",
    }


def test_update_organization_leaves_what_is_not_named(client: Client) -> None:
    client.organizations.update(
        Organization(default_currency="NOK", city="Bergen", email="desk@otter.example")
    )

    organization = client.organizations.update(Organization(default_currency="NOK"))

    assert (organization.city, organization.email) == ("Bergen", "desk@otter.example")


def test_the_old_vat_rate_is_dropped_by_the_client_and_does_no_harm(
    client: Client, lago: Any
) -> None:
    configuration = OrganizationBillingConfiguration(invoice_grace_period=2, vat_rate=12.5)

    organization = client.organizations.update(
        Organization(default_currency="NOK", billing_configuration=configuration)
    )

    assert organization.billing_configuration.invoice_grace_period == 2
    (request,) = lago.requests("updateOrganization")
    assert request["body"]["organization"]["billing_configuration"] == {"invoice_grace_period": 2}
    assert request["unknown"] == []


def test_create_customer_answers_the_whole_customer(client: Client) -> None:
    created = client.customers.create(
        customer(
            currency="EUR",
            country="NO",
            timezone="Europe/Stockholm",
            tax_identification_number="NO999",
            metadata=MetadataList(
                __root__=[Metadata(key="team", value="north", display_in_invoice=True)]
            ),
            shipping_address=Address(city="Bergen", country="NO"),
            billing_configuration=CustomerBillingConfiguration(
                invoice_grace_period=5, document_locale="nb"
            ),
        )
    )

    assert (created.external_id, created.name) == ("acct-otter", "Otter Press")
    assert (created.currency, created.country) == ("EUR", "NO")
    assert (created.timezone, created.applicable_timezone) == (
        "Europe/Stockholm",
        "Europe/Stockholm",
    )
    assert created.shipping_address.city == "Bergen"
    assert created.billing_configuration.invoice_grace_period == 5
    assert created.billing_configuration.document_locale == "nb"
    (metadata,) = created.metadata.__root__
    assert (metadata.key, metadata.value, metadata.display_in_invoice) == ("team", "north", True)


def test_to_create_twice_by_one_external_id_is_to_update(client: Client) -> None:
    first = client.customers.create(customer(city="Bergen"))

    second = client.customers.create(customer(name="Otter & Sons"))

    assert second.lago_id == first.lago_id
    assert (second.name, second.city) == ("Otter & Sons", "Bergen")
    assert client.customers.find_all()["meta"]["total_count"] == 1


@pytest.mark.parametrize("external_id", ["acct-otter", "otter@press.example", "a+b", "Øre 1"])
def test_find_customer_answers_the_one_with_the_external_id(
    external_id: str, client: Client
) -> None:
    created = client.customers.create(customer(external_id=external_id))

    assert client.customers.find(external_id) == created


def test_find_all_customers_answers_a_page_the_newest_first(client: Client) -> None:
    for number in range(3):
        client.customers.create(customer(external_id=f"acct-{number}"))

    page = client.customers.find_all({"per_page": 2, "page": 1})

    assert [each.external_id for each in page["customers"]] == ["acct-2", "acct-1"]
    assert page["meta"] == {
        "current_page": 1,
        "next_page": 2,
        "prev_page": None,
        "total_pages": 2,
        "total_count": 3,
    }


def test_destroy_customer_answers_it_and_frees_its_external_id(client: Client) -> None:
    created = client.customers.create(customer())

    destroyed = client.customers.destroy("acct-otter")

    assert destroyed.lago_id == created.lago_id
    assert client.customers.find_all()["customers"] == []
    assert client.customers.create(customer()).lago_id != created.lago_id


def test_a_customer_that_does_not_exist_is_a_404(client: Client) -> None:
    with pytest.raises(LagoApiError) as raised:
        client.customers.find("nobody")

    assert raised.value.status_code == 404
    assert raised.value.response == {
        "status": 404,
        "error": "Not Found",
        "code": "customer_not_found",
    }


def test_values_that_break_rules_are_a_422_with_details(client: Client) -> None:
    with pytest.raises(LagoApiError) as raised:
        client.customers.create(customer(currency="XYZ", email="otter"))

    assert raised.value.status_code == 422
    assert raised.value.response == {
        "status": 422,
        "error": "Unprocessable Entity",
        "code": "validation_errors",
        "error_details": {
            "currency": ["value_is_invalid"],
            "email": ["invalid_email_format"],
        },
    }


def test_a_wrong_key_is_a_401(lago: Any) -> None:
    stranger = Client(api_key="not-a-key", api_url=lago.url)

    with pytest.raises(LagoApiError) as raised:
        stranger.customers.find_all()

    assert raised.value.status_code == 401
    assert raised.value.response == {"status": 401, "error": "Unauthorized"}


def test_a_fault_for_one_call_is_met_once(client: Client, lago: Any) -> None:
    details = {"name": ["value_is_too_long"]}
    lago.arm(operation="createCustomer", error="validation_errors", details=details)

    with pytest.raises(LagoApiError) as raised:
        client.customers.create(customer())

    assert raised.value.status_code == 422
    assert raised.value.response["error_details"] == details
    assert client.customers.create(customer()).external_id == "acct-otter"
    assert lago.statuses("createCustomer") == [422, 200]


def test_the_retry_of_the_client_sees_a_rate_limit_through(client: Client, lago: Any) -> None:
    client.customers.create(customer())
    lago.arm(operation="findCustomer", error="too_many_requests")

    assert client.customers.find("acct-otter").name == "Otter Press"
    assert lago.statuses("findCustomer") == [429, 200]


def test_a_rate_limit_that_lasts_is_told_with_its_numbers(client: Client, lago: Any) -> None:
    at_once = {"x-ratelimit-reset": "0"}  # seconds that the client waits before each new try
    lago.arm(operation="findCustomer", error="too_many_requests", headers=at_once, times=None)

    with pytest.raises(LagoRateLimitError) as raised:
        client.customers.find("acct-otter")

    assert (raised.value.limit, raised.value.remaining, raised.value.reset) == (50, 0, 0)
    assert lago.statuses("findCustomer") == [429, 429, 429, 429]
