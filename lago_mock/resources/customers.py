"""Customers: created or updated by their `external_id`, deleted softly.

Rules: lago-api, app/services/customers/upsert_from_api_service.rb, app/models/customer.rb and
app/serializers/v1/customer_serializer.rb.
"""

from __future__ import annotations

from uuid import NAMESPACE_URL, uuid5

from lago_mock.clock import shown
from lago_mock.columns import ID, MOMENT, NUMBER, PERCENT_OR_NULL, SHOWN, TEXT, TEXTS, Columns
from lago_mock.customer_filters import customer_filter
from lago_mock.entity import DEFAULT_ENTITY
from lago_mock.errors import ValidationFailed
from lago_mock.integration_links import integration_links, refuse_repeated_types, shown_at_once
from lago_mock.listing import listing
from lago_mock.metadata import present_metadata, replaced_metadata
from lago_mock.provider_links import provider_columns, provider_shown, refuse_payment_methods
from lago_mock.resource import Call, Resource, Webhook
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.wire import JSONObject

_SETTINGS = (
    "invoice_grace_period",
    "document_locale",
    "subscription_invoice_issuing_date_anchor",
    "subscription_invoice_issuing_date_adjustment",
)
"""The keys of `billing_configuration` that are columns of the customer."""

_CONFIGURED = (*_SETTINGS, "vat_rate")
"""Those and the one that only an old customer has."""

_NO_ADDRESS = dict.fromkeys(
    ("address_line1", "address_line2", "city", "zipcode", "state", "country")
)

_COLUMNS: JSONObject = {
    "account_type": "customer",
    "name": None,
    "firstname": None,
    "lastname": None,
    "customer_type": None,
    **_NO_ADDRESS,
    "email": None,
    "url": None,
    "phone": None,
    "logo_url": None,
    "legal_name": None,
    "legal_number": None,
    "currency": None,
    "tax_identification_number": None,
    "timezone": None,
    "net_payment_term": None,
    "external_salesforce_id": None,
    "finalize_zero_amount_invoice": "inherit",
    **dict.fromkeys(_SETTINGS),
    "payment_provider": None,
    "payment_provider_code": None,
    "skip_invoice_custom_sections": False,
    "shipping_address": _NO_ADDRESS,
}
"""What a customer has that nothing was said of; null means: as the organization has it."""

_GIVEN = frozenset((*_COLUMNS, "external_id"))
"""The keys of the body that are columns of the customer."""


def present(call: Call, row: FrozenRow) -> JSONObject:
    """Return the `CustomerObjectExtended` of a row."""
    entity = _entity(call, row)
    customer = _shown(call, row, entity)
    customer["applicable_invoice_custom_sections"] = _shown_sections(call, row, entity)
    customer["error_details"] = []
    return customer


def list_item(call: Call, row: FrozenRow) -> JSONObject:
    """Return the customer as lists show it: without sections and error details."""
    return _shown(call, row, _entity(call, row))


def _shown(call: Call, row: FrozenRow, entity: FrozenRow) -> JSONObject:
    return {
        "lago_id": row["lago_id"],
        "billing_entity_code": entity["code"],
        "external_id": row["external_id"],
        "account_type": row["account_type"],
        "name": row["name"],
        "firstname": row["firstname"],
        "lastname": row["lastname"],
        "customer_type": row["customer_type"],
        "sequential_id": row["sequential_id"],
        "slug": row["slug"],
        "created_at": shown(row["created_at"]),
        "updated_at": shown(row["updated_at"]),
        "country": row["country"],
        "address_line1": row["address_line1"],
        "address_line2": row["address_line2"],
        "state": row["state"],
        "zipcode": row["zipcode"],
        "email": row["email"],
        "city": row["city"],
        "url": row["url"],
        "phone": row["phone"],
        "logo_url": row["logo_url"],
        "legal_name": row["legal_name"],
        "legal_number": row["legal_number"],
        "currency": row["currency"],
        "tax_identification_number": row["tax_identification_number"],
        "timezone": row["timezone"],
        "applicable_timezone": row["timezone"] or entity["timezone"],
        "net_payment_term": row["net_payment_term"],
        "external_salesforce_id": row["external_salesforce_id"],
        "finalize_zero_amount_invoice": row["finalize_zero_amount_invoice"],
        "billing_configuration": _billing_configuration(call, row),
        "shipping_address": row["shipping_address"],
        "skip_invoice_custom_sections": row["skip_invoice_custom_sections"],
        "metadata": present_metadata(row["metadata"]),
        "taxes": [
            call.present("taxes", tax)
            for tax_id in row["tax_ids"]
            if (tax := call.view.look("taxes", tax_id))
        ],
        "integration_customers": row["integration_customers"],
    }


def told(call: Call, row: FrozenRow) -> JSONObject:
    """Return the customer as webhooks show it: as lists do, without taxes."""
    shown = list_item(call, row)
    del shown["taxes"]
    return shown


def _entity(call: Call, row: FrozenRow) -> FrozenRow:
    entity = call.view.look("billing_entities", row["billing_entity_id"])
    assert entity is not None, "a customer's billing entity cannot go"
    return entity


def _billing_configuration(call: Call, row: FrozenRow) -> JSONObject:
    configuration = {
        "invoice_grace_period": row["invoice_grace_period"],
        "payment_provider": row["payment_provider"],
        "payment_provider_code": row["payment_provider_code"],
        "document_locale": row["document_locale"],
        "subscription_invoice_issuing_date_anchor": row["subscription_invoice_issuing_date_anchor"],
        "subscription_invoice_issuing_date_adjustment": row[
            "subscription_invoice_issuing_date_adjustment"
        ],
    }
    if call.era == "2023":
        configuration["vat_rate"] = row.get("vat_rate")
    return configuration | provider_shown(row)


def find_all_customers(call: Call) -> JSONObject:
    """Answer `findAllCustomers`: a page, newest first, without the deleted ones.

    Raises:
        NotFound: 404 `billing_entity_not_found`, a code of `billing_entity_codes[]` is unknown.
        ValidationFailed: 422, a filter has a value that it cannot have.
    """
    return listing(call, "customers", customer_filter(call))


def find_customer(call: Call) -> JSONObject:
    """Answer `findCustomer`.

    Raises:
        NotFound: 404 `customer_not_found`; a deleted customer is not found either.
    """
    row = call.require("customers", call.path["external_customer_id"])
    return {"customer": present(call, row)}


def destroy_customer(call: Call) -> JSONObject:
    """Answer `destroyCustomer`: the customer as it was; its `external_id` is free again.

    Raises:
        NotFound: 404 `customer_not_found`.
    """
    row = call.require("customers", call.path["external_customer_id"])
    deleted_at = call.now()
    row = {**row, "updated_at": deleted_at}
    call.view.discard("customers", row, deleted_at)
    return {"customer": present(call, row)}


def create_customer(call: Call) -> JSONObject:
    """Answer `createCustomer`: create the customer, or update the one with the same `external_id`.

    Only the keys present in the body change. The checks stand in Lago's order, and the first
    stage with a problem answers alone.

    Raises:
        NotFound: 404 `billing_entity_not_found` or `tax_not_found`.
        ValidationFailed: 422.
    """
    entity = _billing_entity_id(call)
    call.refuse("metadata")
    call.refuse("finalize_zero_amount_invoice")
    refuse_repeated_types(call)
    _refuse_columns(call)
    found = call.find("customers", call.body["external_id"])
    known = found is not None
    before = found or _blank_customer(call)
    row = {**_columns(before, call.body), **entity, **_tax_ids(call), **_sections(call)}
    if isinstance(call.body.get("metadata"), list):
        row["metadata"] = replaced_metadata(call, before["metadata"])
    # Differs from Lago: a customer refused for its invoice settings, payment provider, locale or
    # integrations is not saved and uses no number; there it is saved all the same.
    _refuse_settings(call)
    row |= provider_columns(call, row, is_new=not known)
    call.refuse("billing_configuration.document_locale")
    refuse_payment_methods(call, row)
    links = integration_links(call, before["integration_customers"])
    if row["account_type"] == "customer":  # partners have no integrations
        row["integration_customers"] = links
    if not known:
        row |= _numbered(call)
    elif _has_changed(before, row):
        row["updated_at"] = call.now()
    call.view.put("customers", row)
    call.notify("customer.updated" if known else "customer.created", row)
    for webhook_type in _made_elsewhere(call, before, row):
        call.notify(webhook_type, row)
    return {"customer": present(call, shown_at_once(before, row))}


def _made_elsewhere(call: Call, before: Row, row: Row) -> list[str]:
    """Return what is told of a customer that the call has made in other programs, too."""
    found = []
    given = call.body.get("billing_configuration", {})
    is_new = row["provider_customer"] and not before["provider_customer"]
    if is_new and not given.get("provider_customer_id"):
        found.append("customer.payment_provider_created")
    old = {link["lago_id"] for link in before["integration_customers"]}
    for link in row["integration_customers"]:
        is_synced = link["lago_id"] not in old and link.get("sync_with_provider")
        if is_synced and link["category"] in ("accounting", "crm"):
            found.append(f"customer.{link['category']}_provider_created")
    return found


def _billing_entity_id(call: Call) -> JSONObject:
    """Return the column that the body's code sets: null and blank mean the default entity."""
    if "billing_entity_code" not in call.body:
        return {}
    code = call.body["billing_entity_code"]
    if code is None or not code.strip():
        return {"billing_entity_id": DEFAULT_ENTITY}
    return {"billing_entity_id": call.id_of("billing_entities", code)}


def _refuse_columns(call: Call) -> None:
    call.refuse(
        "customer_type",
        "account_type",
        "country",
        "shipping_address.country",
        "currency",
        "name",
        "external_id",
        "net_payment_term",
        "timezone",
        "email",
        "skip_invoice_custom_sections",
    )


def _blank_customer(call: Call) -> Row:
    created_at = call.now()
    return {
        "lago_id": call.new_id(),
        **_COLUMNS,
        "billing_entity_id": DEFAULT_ENTITY,
        "metadata": [],
        "tax_ids": [],
        "provider_customer": {},
        "integration_customers": [],
        "section_codes": [],
        "created_at": created_at,
        "updated_at": created_at,
    }


def _numbered(call: Call) -> JSONObject:
    """Return the next number of the organization, deleted customers counted, and the slug of it."""
    number = call.view.next_in_sequence("customers")
    organization = call.view.look("organizations", call.view.organization_id)
    assert organization is not None, "every organization has a row"
    prefix = organization["document_number_prefix"]
    return {"sequential_id": number, "slug": f"{prefix}-{number:03}"}


def _columns(before: Row, body: JSONObject) -> Row:
    """Return the customer as the body changes what is a column of its own."""
    row = {**before}
    for key, value in body.items():
        if key in _GIVEN:
            row[key] = value
    row["shipping_address"] = {**before["shipping_address"], **body.get("shipping_address", {})}
    configuration = body.get("billing_configuration", {})
    for key in _CONFIGURED:
        if key in configuration:
            row[key] = configuration[key]
    return row


def _tax_ids(call: Call) -> JSONObject:
    codes = call.body.get("tax_codes")
    if codes is None:
        return {}
    ids = [call.id_of("taxes", str(code)) for code in codes]
    return {"tax_ids": list(dict.fromkeys(ids))}


def _refuse_settings(call: Call) -> None:
    call.refuse(
        "billing_configuration.subscription_invoice_issuing_date_anchor",
        "billing_configuration.subscription_invoice_issuing_date_adjustment",
        "billing_configuration.invoice_grace_period",
        "billing_configuration.vat_rate",
    )


def _sections(call: Call) -> JSONObject:
    """Return the columns of the sections that the body selects; unknown codes are ignored.

    Where a fixture set declares no section, every code counts as one.

    Raises:
        ValidationFailed: 422, sections are selected and skipped at once.
    """
    codes = call.body.get("invoice_custom_section_codes")
    skip = call.body.get("skip_invoice_custom_sections")
    if skip and codes is not None:
        code = "skip_sections_and_selected_ids_sent_together"
        raise ValidationFailed.of("invoice_custom_sections", code)
    if codes is None:
        return {"section_codes": []} if skip else {}
    known = [code for code in codes if _section(call, code)]
    return {"section_codes": list(dict.fromkeys(known)), "skip_invoice_custom_sections": False}


def _shown_sections(call: Call, row: FrozenRow, entity: FrozenRow) -> list[JSONObject]:
    """Return the customer's own sections, else those of its billing entity."""
    if row["skip_invoice_custom_sections"]:
        return []
    codes = row["section_codes"] or entity["section_codes"]
    sections = (_section(call, code) for code in codes)
    return [call.present("invoice_custom_sections", section) for section in sections if section]


def _section(call: Call, code: str) -> Row | None:
    """Return a declared section; where none is declared, one that is made up."""
    if call.view.count("invoice_custom_sections"):
        return call.find("invoice_custom_sections", code)
    return {
        "lago_id": str(uuid5(NAMESPACE_URL, f"{call.view.organization_id}/{code}")),
        "code": code,
        "name": code,
        **dict.fromkeys(("description", "details", "display_name")),
    }


def _has_changed(before: Row, after: Row) -> bool:
    """Tell whether a column differs; metadata and taxes are rows of their own in Lago."""
    apart = ("metadata", "tax_ids", "provider_customer", "integration_customers", "section_codes")
    return any(before[key] != after[key] for key in before if key not in apart)


_SHIPPING_COLUMNS = {
    "type": "object",
    "required": list(_NO_ADDRESS),
    "properties": {key: {"type": ["string", "null"]} for key in _NO_ADDRESS},
    "additionalProperties": False,
}
_PROVIDER_COLUMNS = {
    "type": "object",
    "properties": {
        "provider_customer_id": {"type": "string"},
        "provider_payment_methods": {"type": "array", "items": {"type": "string"}},
        "sync_with_provider": {"type": ["boolean", "string", "number", "null"]},
    },
    "additionalProperties": False,
}

RESOURCE = Resource(
    name="customer",
    plural="customers",
    key="external_id",
    operations={
        "createCustomer": create_customer,
        "findAllCustomers": find_all_customers,
        "findCustomer": find_customer,
        "destroyCustomer": destroy_customer,
    },
    present=present,
    list_item=list_item,
    webhooks=dict.fromkeys(
        (
            "customer.created",
            "customer.updated",
            "customer.payment_provider_created",
            "customer.accounting_provider_created",
            "customer.crm_provider_created",
        ),
        Webhook("customer", told),
    ),
    made_by="createCustomer",
    pure=frozenset({"findCustomer"}),
    columns=Columns(
        {
            "lago_id": ID,
            "external_id": TEXT,
            **dict.fromkeys(_COLUMNS, SHOWN),
            "shipping_address": _SHIPPING_COLUMNS,
            "billing_entity_id": TEXT,
            "metadata": SHOWN,
            "tax_ids": TEXTS,
            "provider_customer": _PROVIDER_COLUMNS,
            "integration_customers": SHOWN,
            "section_codes": TEXTS,
            "sequential_id": NUMBER,
            "slug": SHOWN,
            "created_at": MOMENT,
            "updated_at": MOMENT,
        },
        optional={"vat_rate": PERCENT_OR_NULL},
        references={"billing_entity_id": "billing_entities", "tax_ids": "taxes"},
    ),
)
