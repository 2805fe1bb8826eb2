"""Billing entities: who bills. The default one is the organization's own and always there.

Rules: lago-api, app/services/billing_entities/ and app/models/billing_entity.rb.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from lago_mock.clock import shown
from lago_mock.columns import MOMENT, SHOWN, TEXT, TEXTS, Columns
from lago_mock.entity import DEFAULT_ENTITY, INITIAL_COLUMNS, initial, new_prefix
from lago_mock.errors import Forbidden, ValidationFailed
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.wire import JSONObject

_PRO_LIMIT = 2
_WITHOUT_LICENSE = 1

_INITIAL: Final = MappingProxyType(
    {
        **INITIAL_COLUMNS,
        "subscription_invoice_issuing_date_anchor": "next_period_start",
        "subscription_invoice_issuing_date_adjustment": "align_with_finalization_date",
        "eu_tax_management": False,
        "tax_ids": [],
        "section_codes": [],
    }
)


def default_entity(organization: Row) -> Row:
    """Return the row of a new organization's default entity, which shares its columns."""
    return {
        **initial(_INITIAL),
        **initial({name: organization[name] for name in INITIAL_COLUMNS}),
        "document_number_prefix": organization["document_number_prefix"],
        "lago_id": DEFAULT_ENTITY,
        "code": organization["billing_entity_code"],
        "name": organization["name"],
        "created_at": organization["created_at"],
        "updated_at": organization["created_at"],
    }


def present(call: Call, row: FrozenRow) -> JSONObject:
    """Return the `BillingEntityObject` of a row, without taxes."""
    is_default = row["lago_id"] == DEFAULT_ENTITY
    return {
        "lago_id": call.view.organization_id if is_default else row["lago_id"],
        "code": row["code"],
        "name": row["name"],
        "default_currency": row["default_currency"],
        "document_locale": row["document_locale"],
        "document_numbering": row["document_numbering"],
        "document_number_prefix": row["document_number_prefix"],
        "finalize_zero_amount_invoice": row["finalize_zero_amount_invoice"],
        "invoice_footer": row["invoice_footer"],
        "invoice_grace_period": row["invoice_grace_period"],
        "subscription_invoice_issuing_date_anchor": row["subscription_invoice_issuing_date_anchor"],
        "subscription_invoice_issuing_date_adjustment": row[
            "subscription_invoice_issuing_date_adjustment"
        ],
        "is_default": is_default,
        "net_payment_term": row["net_payment_term"],
        "address_line1": row["address_line1"],
        "address_line2": row["address_line2"],
        "city": row["city"],
        "state": row["state"],
        "country": row["country"],
        "zipcode": row["zipcode"],
        "email": row["email"],
        "legal_name": row["legal_name"],
        "legal_number": row["legal_number"],
        "tax_identification_number": row["tax_identification_number"],
        "timezone": row["timezone"],
        "email_settings": row["email_settings"],
        "eu_tax_management": row["eu_tax_management"],
        "logo_url": None,
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["updated_at"]),
    }


def _with_taxes(call: Call, row: FrozenRow) -> JSONObject:
    taxes = [
        call.present("taxes", tax) for tax in call.view.oldest_first("taxes") if _applies(tax, row)
    ]
    return {"billing_entity": {**present(call, row), "taxes": taxes}}


def _applies(tax: FrozenRow, entity: FrozenRow) -> bool:
    """Tell whether a tax is one of an entity's; the organization's are those of the default one."""
    if entity["lago_id"] == DEFAULT_ENTITY:
        return bool(tax["applied_to_organization"])
    return tax["lago_id"] in entity["tax_ids"]


def list_billing_entities(call: Call) -> JSONObject:
    """Answer `listBillingEntities`: all of them, the default one first, without pages."""
    rows = call.view.oldest_first("billing_entities")
    return {"billing_entities": [present(call, row) for row in rows]}


def get_billing_entity(call: Call) -> JSONObject:
    """Answer `getBillingEntity`.

    Raises:
        NotFound: 404 `billing_entity_not_found`.
    """
    return _with_taxes(call, call.require("billing_entities", call.path["code"]))


def create_billing_entity(call: Call) -> JSONObject:
    """Answer `createBillingEntity`.

    Raises:
        Forbidden: 403 `feature_unavailable`, the license does not allow another one.
        ValidationFailed: 422; a code that is in use is `value_already_exist`.
    """
    if call.view.count("billing_entities") >= _limit(call):
        raise Forbidden("feature_unavailable")
    call.refuse_all()
    if call.find("billing_entities", call.body["code"]):
        raise ValidationFailed.of("code", "value_already_exist")
    created_at, lago_id = call.now(), call.new_id()
    row = {
        "lago_id": lago_id,
        **initial(_INITIAL),
        "document_number_prefix": new_prefix(call.body["name"], lago_id),
        "created_at": created_at,
        "updated_at": created_at,
    }
    return _saved(call, {**row, **_columns(call.body), "code": call.body["code"]})


def _limit(call: Call) -> float:
    if call.licensed("multi_entities_enterprise"):
        return float("inf")
    return _PRO_LIMIT if call.licensed("multi_entities_pro") else _WITHOUT_LICENSE


def update_billing_entity(call: Call) -> JSONObject:
    """Answer `updateBillingEntity`: only the keys present in the body change, the code never.

    Raises:
        NotFound: 404 `billing_entity_not_found` or `tax_not_found`.
        ValidationFailed: 422.
    """
    row = call.require("billing_entities", call.path["code"])
    call.refuse_all()
    return _saved(call, {**row, **_columns(call.body), "updated_at": call.now()})


def _columns(body: JSONObject) -> JSONObject:
    apart = ("code", "billing_configuration", "tax_codes", "invoice_custom_section_codes")
    given = {key: value for key, value in body.items() if key not in apart}
    return {**given, **body.get("billing_configuration", {})}


def _saved(call: Call, row: Row) -> JSONObject:
    if isinstance(codes := call.body.get("tax_codes"), list):
        taxes = [call.require("taxes", code) for code in codes]
        row["tax_ids"] = [tax["lago_id"] for tax in taxes]
        if row["lago_id"] == DEFAULT_ENTITY:
            _apply_to_organization(call, row["tax_ids"])
    if isinstance(codes := call.body.get("invoice_custom_section_codes"), list):
        row["section_codes"] = codes
    call.view.put("billing_entities", row)
    return _with_taxes(call, row)


def _apply_to_organization(call: Call, tax_ids: list[str]) -> None:
    for tax in call.view.oldest_first("taxes"):
        applies = tax["lago_id"] in tax_ids
        if applies != tax["applied_to_organization"]:
            call.view.put("taxes", {**tax, "applied_to_organization": applies})


RESOURCE = Resource(
    name="billing_entity",
    plural="billing_entities",
    key="code",
    operations={
        "listBillingEntities": list_billing_entities,
        "getBillingEntity": get_billing_entity,
        "createBillingEntity": create_billing_entity,
        "updateBillingEntity": update_billing_entity,
    },
    present=present,
    made_by="createBillingEntity",
    columns=Columns(
        {
            "lago_id": {"anyOf": [{"const": DEFAULT_ENTITY}, {"type": "string", "format": "uuid"}]},
            **dict.fromkeys(_INITIAL, SHOWN),
            "tax_ids": TEXTS,
            "section_codes": TEXTS,
            "code": TEXT,
            "name": SHOWN,
            "document_number_prefix": SHOWN,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        },
        references={"tax_ids": "taxes"},
    ),
)
