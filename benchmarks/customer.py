"""The customer of 40 fields that every load creates or reads."""

from __future__ import annotations

import http.client
import json
from typing import Any

API_KEY = "lago-mock-key"
"""Key of the default fixture set."""

PATH = "/api/v1/customers"
HEADERS = {"Authorization": f"Bearer {API_KEY}", "Content-Type": "application/json"}

EXTERNAL_ID = "bench-00000000"
"""The id in `body()`: a load replaces it by others as long."""


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
            "phone": "+45 55 50 01 87",
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
    """Return the last answer to so many creates, over one connection; each has its own id."""
    text = json.dumps(body())
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    answer = b""
    try:
        for number in range(count):
            own = text.replace(EXTERNAL_ID, f"{prefix}-{number:08d}")
            connection.request("POST", PATH, own, HEADERS)
            response = connection.getresponse()
            answer = response.read()
            if response.status != 200:
                raise RuntimeError(f"the customer was refused: {response.status} {answer!r}")
    finally:
        connection.close()
    return answer
