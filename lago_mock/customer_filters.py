"""The filters of the list of customers; all must hold.

Rules: lago-api, app/queries/customers_query.rb and
app/contracts/queries/customers_query_filters_contract.rb.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from types import MappingProxyType
from typing import Final

from lago_mock.contract.values import is_blank
from lago_mock.errors import Problem
from lago_mock.filters import filters_of, truth
from lago_mock.resource import Call
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject

_SEARCHED = ("name", "firstname", "lastname", "legal_name", "external_id", "email")
_LISTED: Final = MappingProxyType(
    {
        "account_type": "account_type",
        "billing_entity_codes": "billing_entity_id",
        "countries": "country",
        "states": "state",
        "zipcodes": "zipcode",
        "currencies": "currency",
        "customer_type": "customer_type",
    }
)
_PRESENCE: Final = MappingProxyType(
    {
        "has_tax_identification_number": "tax_identification_number",
        "has_customer_type": "customer_type",
    }
)
"""Filters and the columns that they look at."""


def customer_filter(call: Call) -> Callable[[Row], bool] | None:
    """Return what tells whether a customer is wanted, None when every one is.

    `search_term` is ignored beside an `external_id`.

    Raises:
        NotFound: 404 `billing_entity_not_found`, a code of `billing_entity_codes[]` is unknown.
        ValidationFailed: 422, a filter has a value that it cannot have.
    """
    filters = _filters(call)
    tests = list(_tests(filters))
    return (lambda row: all(test(row) for test in tests)) if tests else None


def _filters(call: Call) -> JSONObject:
    codes = call.query.get("billing_entity_codes")
    known = [
        call.require("billing_entities", str(code))
        for code in (codes if isinstance(codes, list) else ())
    ]
    filters = filters_of(call, _contradiction)
    if "billing_entity_codes" in filters:
        filters["billing_entity_codes"] = [entity["lago_id"] for entity in known]
    return filters


def _contradiction(filters: JSONObject) -> Iterator[Problem]:
    """Yield what two filters have against each other."""
    if truth(filters, "has_customer_type") is False and "customer_type" in filters:
        sentence = "must be nil when has_customer_type is false"
        yield Problem("customer_type", sentence, "filter", ("customer_type",))


def _tests(filters: JSONObject) -> Iterator[Callable[[Row], bool]]:
    """Yield what a customer must be, one test a filter."""
    external_id = str(filters.get("external_id", ""))
    if not is_blank(external_id):
        yield partial(_is_in, "external_id", external_id)
    elif term := str(filters.get("search_term", "")).strip().lower():
        yield partial(_mentions, term)
    for name, column in _LISTED.items():
        if name in filters:
            yield partial(_is_in, column, filters[name])
    for name, column in _PRESENCE.items():
        if name in filters:
            yield partial(_is_there, column, truth(filters, name))
    for key, value in filters.get("metadata", {}).items():
        yield partial(_has_metadata, key, value)


def _mentions(term: str, row: Row) -> bool:
    return any(term in (row[name] or "").lower() for name in _SEARCHED)


def _is_in(column: str, wanted: str | list[str], row: Row) -> bool:
    return row[column] == wanted or (isinstance(wanted, list) and row[column] in wanted)


def _is_there(column: str, wanted: bool | None, row: Row) -> bool:
    return (row[column] is not None) == wanted


def _has_metadata(key: str, value: str | None, row: Row) -> bool:
    found = [item["value"] for item in row["metadata"] if item["key"] == key]
    return value in found if value else not found
