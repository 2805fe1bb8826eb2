"""What an organization and its default billing entity share, and what both begin with."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from types import MappingProxyType
from typing import Any, Final

from lago_mock.wire import JSONObject

DEFAULT_ENTITY: Final = "default"
"""The `lago_id` that the row of the default billing entity has: answers show the organization's."""

INITIAL_COLUMNS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "default_currency": "USD",
        "country": None,
        "address_line1": None,
        "address_line2": None,
        "state": None,
        "zipcode": None,
        "email": None,
        "city": None,
        "legal_name": None,
        "legal_number": None,
        "timezone": "UTC",
        "net_payment_term": 0,
        "email_settings": [],
        "tax_identification_number": None,
        "finalize_zero_amount_invoice": True,
        "invoice_footer": None,
        "invoice_grace_period": 0,
        "document_locale": "en",
        "document_numbering": "per_customer",
    }
)
"""Columns of both, with Lago's initial values (lago-api: db/schema.rb)."""


def initial(columns: Mapping[str, Any]) -> JSONObject:
    """Return columns for a new row, which shares no list with another row."""
    return deepcopy(dict(columns))


def new_prefix(name: str, lago_id: str) -> str:
    """Return the `document_number_prefix` of something new: `HOO-B81D`."""
    return f"{name[:3].upper()}-{lago_id[-4:].upper()}"
