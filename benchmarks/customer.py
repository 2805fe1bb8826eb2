"""The customer of 40 fields that every load creates or reads."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from benchmarks.connection import Connection, request

API_KEY = "lago-mock-key"
"""Key of the default fixture set."""

PATH = "/api/v1/customers"
HEADERS = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}

EXTERNAL_ID = "bench-00000000"
"""The id in `body()`: a load replaces it by others as long."""


PHONE = "+45 55500187"
"""The phone in `body()`: an update replaces it by another."""


def body() -> dict[str, Any]:
    return {
        "customer": {
            "external_id": EXTERNAL_ID,
            "account_type": "customer",
            "name": "Copperwind Kites",
            "firstname": "Ines",
            "lastname": "Rasmussen",
            "customer_type": "company",
            "country": "DK",
            "address_line1": "17 Sailmaker Row",
            "address_line2": "Back house, second floor",
            "state": "Hovedstaden",
            "zipcode": "1402",
            "email": "accounts@copperwind.example",
            "city": "Copenhagen",
            "url": "https://copperwind.example",
            "phone": PHONE,
            "logo_url": "https://copperwind.example/logo.png",
            "legal_name": "Copperwind Kites ApS",
            "legal_number": "CVR-40112233",
            "currency": "EUR",
            "tax_identification_number": "DK40112233",
            "timezone": "Europe/Copenhagen",
            "net_payment_term": 30,
            "external_salesforce_id": "0035g00000XyZaB",
            "finalize_zero_amount_invoice": "inherit",
            "skip_invoice_custom_sections": False,
            "billing_configuration": {
                "invoice_grace_period": 3,
                "subscription_invoice_issuing_date_anchor": "next_period_start",
                "subscription_invoice_issuing_date_adjustment": "keep_anchor",
                "payment_provider": "stripe",
                "payment_provider_code": "stripe-north",
                "provider_customer_id": "cus_copperwind",
                "document_locale": "en",
            },
            "shipping_address": {
                "address_line1": "Pier 9",
                "address_line2": "Hall C",
                "city": "Aarhus",
                "zipcode": "8000",
                "state": "Midtjylland",
                "country": "DK",
            },
            "tax_codes": ["iva_23"],
            "metadata": [
                {"key": "cost_center", "value": "4711", "display_in_invoice": True},
                {"key": "plan_interest", "value": "team", "display_in_invoice": False},
            ],
        }
    }


def create(port: int, count: int, prefix: str = "bench") -> bytes:
    """Return the last answer to so many creates, over one connection; each has its own id.

    Raises:
        LoadError: one was refused.
    """
    answer = b""
    with Connection(port) as connection:
        for number in range(count):
            answer = connection.answer(put(f"{prefix}-{number:08d}")).body
    return answer


def subscribe(port: int, url: str) -> None:
    """Have the organization's webhooks sent to a URL.

    Raises:
        LoadError: it was refused.
    """
    endpoint = json.dumps({"webhook_endpoint": {"webhook_url": url}}).encode()
    with Connection(port) as connection:
        connection.answer(request("POST", "/api/v1/webhook_endpoints", HEADERS, endpoint))


def put(external_id: str) -> bytes:
    """Return the request that creates the customer."""
    return _post(_BODY.replace(EXTERNAL_ID.encode(), external_id.encode()))


def update(external_id: str, phone: str) -> bytes:
    """Return the request that gives a customer another phone, and all else as it has it.

    Without metadata: they would be new ones beside those that it has, and refused.
    """
    own = _BODY_WITHOUT_METADATA.replace(EXTERNAL_ID.encode(), external_id.encode())
    return _post(own.replace(PHONE.encode(), phone.encode()))


def _post(text: bytes) -> bytes:
    return request("POST", PATH, HEADERS, text)


def _without_metadata() -> dict[str, Any]:
    return {"customer": {k: v for k, v in body()["customer"].items() if k != "metadata"}}


_BODY = json.dumps(body()).encode()
_BODY_WITHOUT_METADATA = json.dumps(_without_metadata()).encode()


def get(external_id: str) -> bytes:
    """Return the request that reads the customer."""
    return request("GET", f"{PATH}/{external_id}", HEADERS)


def delete(external_id: str) -> bytes:
    """Return the request that deletes the customer."""
    return request("DELETE", f"{PATH}/{external_id}", HEADERS)


def page(per_page: int) -> bytes:
    """Return the request of the first page of the list."""
    return request("GET", f"{PATH}?per_page={per_page}", HEADERS)


def fixture_set(external_ids: Iterable[str]) -> str:
    """Return the text of a fixture set of these customers, and of what they refer to."""
    customer = json.dumps(body()["customer"])
    rows = ", ".join(customer.replace(EXTERNAL_ID, each) for each in external_ids)
    organization = json.dumps({"name": "Copperwind", "api_key": API_KEY})
    taxes = json.dumps([{"name": "IVA", "code": "iva_23", "rate": 23.0}])
    return f'{{"organization": {organization}, "taxes": {taxes}, "customers": [{rows}]}}'
