"""How a customer is linked to accounting, tax and CRM integrations.

Rules: lago-api, app/services/integration_customers/create_or_update_service.rb. Integrations are
made outside the API: a fixture set declares them, and where it declares none every code counts.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from lago_mock.errors import ValidationFailed
from lago_mock.resource import Call
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject

_CATEGORIES: Final = MappingProxyType(
    {
        "netsuite": "accounting",
        "xero": "accounting",
        "anrok": "tax",
        "avalara": "tax",
        "hubspot": "crm",
        "salesforce": "crm",
    }
)
TYPES = tuple(_CATEGORIES)

_AT_ONCE = ("salesforce",)
"""Types whose link stands in the very answer; the others are made in the background."""

_SETTINGS = ("sync_with_provider", "subsidiary_id", "targeted_object")


def refuse_repeated_types(call: Call) -> None:
    """Refuse two items of one type; having none counts as a type.

    Raises:
        ValidationFailed: 422 `invalid_count_per_integration_type`.
    """
    types = [item.get("integration_type") for item in call.body.get("integration_customers", [])]
    if len(types) != len(set(types)):
        raise ValidationFailed.of("integration_customers", "invalid_count_per_integration_type")


def integration_links(call: Call, before: list[JSONObject]) -> list[JSONObject]:
    """Return the links that the body's `integration_customers` makes of the old ones.

    Old ones that are not listed go; an item whose code is of no integration is ignored.

    Raises:
        ValidationFailed: 422 `integration_type`, unknown or missing.
    """
    # Differs from Lago: an unknown or missing integration_type is 422; there it is a 500.
    items = call.body.get("integration_customers")
    if items is None:
        return before
    for index, item in enumerate(items):
        call.refuse(f"integration_customers.{index}.integration_type")
        if item.get("integration_type") is None:
            raise ValidationFailed.of("integration_type", "value_is_invalid")
    known = {link["lago_id"]: link for link in before}
    links = (_link(call, item, known.get(item.get("id") or "")) for item in items)
    return [link for link in links if link]


def _link(call: Call, item: JSONObject, old: JSONObject | None) -> JSONObject | None:
    given = {key: item[key] for key in _SETTINGS if item.get(key) is not None}
    external_id = item.get("external_customer_id")
    if old is not None:
        return {**old, **given, "external_customer_id": external_id or old["external_customer_id"]}
    kind, code = item["integration_type"], item.get("integration_code")
    if kind not in _CATEGORIES or not code or not _is_declared(call, kind, code):
        return None
    if not (item.get("sync_with_provider") or external_id):
        return None
    made_up = f"{kind}_{call.new_id().replace('-', '')[:12]}"
    return {
        "lago_id": call.new_id(),
        "external_customer_id": external_id or made_up,
        "type": kind,
        "integration_code": code,
        "code": code,
        "is_default": False,
        "category": _CATEGORIES[kind],
        **given,
    }


def _is_declared(call: Call, kind: str, code: str) -> bool:
    declared = list(call.view.oldest_first("integrations"))
    return not declared or any(row["type"] == kind and row["code"] == code for row in declared)


def shown_at_once(before: Row, after: Row) -> Row:
    """Return the customer as its own answer shows it, without links that are made later."""
    old = {link["lago_id"] for link in before["integration_customers"]}
    links = [
        link
        for link in after["integration_customers"]
        if link["lago_id"] in old or link["type"] in _AT_ONCE
    ]
    return {**after, "integration_customers": links}
