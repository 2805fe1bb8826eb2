"""The organization: the one that the API key names.

Rules: lago-api, app/services/organizations/update_service.rb and app/models/organization.rb.
"""

from __future__ import annotations

import re
import unicodedata

from lago_mock.clock import Clock, precise, shown
from lago_mock.columns import ID, MOMENT, PERCENT_OR_NULL, SHOWN, TEXT, Columns
from lago_mock.entity import DEFAULT_ENTITY, INITIAL_COLUMNS, initial, new_prefix
from lago_mock.errors import Problem, ValidationFailed
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.wire import JSONObject

SLUG_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
"""What chance adds to a slug is of these."""

_SHORTEST_SLUG = 3

_NUMBERINGS = ("per_customer", "per_organization")
_LOGO_KINDS = ("data:image/png", "data:image/jpeg", "data:image/jpg")
_LOGO_BYTES = 800_000

_BILLING = ("invoice_footer", "invoice_grace_period", "document_locale", "vat_rate")


def new_organization(clock: Clock, name: str) -> Row:
    """Return the row of a new organization, with Lago's initial values.

    `billing_entity_code` is the code that its default billing entity is to have.
    """
    lago_id = clock.new_id()
    return {
        "lago_id": lago_id,
        **names_of(clock, name),
        **initial(INITIAL_COLUMNS),
        "created_at": precise(clock.now()),
        "document_number_prefix": new_prefix(name, lago_id),
        "hmac_key": clock.new_id(),
        "api_keys": [],
    }


def names_of(clock: Clock, name: str) -> JSONObject:
    """Return the columns of an organization that its name decides."""
    return {
        "name": name,
        "slug": _slug(clock, name),
        "billing_entity_code": _parameterized(name, "_"),
    }


def _slug(clock: Clock, name: str) -> str:
    slug = _parameterized(name, "-")[:40].strip("-")
    if len(slug) < _SHORTEST_SLUG or slug.isdecimal():
        return f"org-{clock.choose(SLUG_LETTERS, 5)}"
    return slug


def _parameterized(name: str, separator: str) -> str:
    """Return a name in lower-case ASCII words, as Rails' `parameterize` writes it."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9_-]+", separator, plain).strip(separator)


def present(call: Call, row: FrozenRow) -> JSONObject:
    """Return the `OrganizationObject` of a row, without taxes.

    Currency and time zone are those of the default billing entity.
    """
    entity = _entity(call)
    urls = [each["webhook_url"] for each in call.view.oldest_first("webhook_endpoints")]
    configuration = {key: row[key] for key in _BILLING if key in row}
    if call.era == "2023":
        configuration.setdefault("vat_rate", 0.0)
    return {
        "lago_id": row["lago_id"],
        "name": row["name"],
        "slug": row["slug"],
        "default_currency": entity["default_currency"],
        "created_at": shown(row["created_at"]),
        "webhook_url": urls[0] if urls else "",
        "webhook_urls": urls,
        "country": row["country"],
        "address_line1": row["address_line1"],
        "address_line2": row["address_line2"],
        "state": row["state"],
        "zipcode": row["zipcode"],
        "email": row["email"],
        "city": row["city"],
        "legal_name": row["legal_name"],
        "legal_number": row["legal_number"],
        "timezone": entity["timezone"],
        "net_payment_term": row["net_payment_term"],
        "email_settings": row["email_settings"],
        "document_numbering": row["document_numbering"],
        "document_number_prefix": row["document_number_prefix"],
        "tax_identification_number": row["tax_identification_number"],
        "finalize_zero_amount_invoice": row["finalize_zero_amount_invoice"],
        "billing_configuration": configuration,
        "events_store": "postgres",
    }


def _entity(call: Call) -> Row:
    entity = call.view.get("billing_entities", DEFAULT_ENTITY)
    assert entity is not None, "every organization has a default billing entity"
    return entity


def find_organization(call: Call) -> JSONObject:
    """Answer `findOrganization`: the object without `taxes`, which the real server forgets here."""
    return {"organization": present(call, call.organization)}


def find_organization_grpc_token(call: Call) -> JSONObject:
    """Answer `findOrganizationGrpcToken`: a token signed by the server's key, without times."""
    claims = {"organization_id": call.view.organization_id, "aud": "lago-grpc"}
    return {"organization": {"grpc_token": call.signing.token(claims)}}


def update_organization(call: Call) -> JSONObject:
    """Answer `updateOrganization`: only the keys present in the body change, and `taxes` is shown.

    Raises:
        ValidationFailed: 422; of its four stages the first with a problem answers alone.
    """
    _point_webhooks(call)
    _find_slug_taken(call)
    call.refuse(
        "slug",
        "document_numbering",
        "country",
        "billing_configuration",
        "billing_configuration.document_locale",
        "email",
        "billing_configuration.invoice_footer",
        "document_number_prefix",
        "billing_configuration.invoice_grace_period",
        "billing_configuration.vat_rate",
        "net_payment_term",
        "finalize_zero_amount_invoice",
        "email_settings",
        "logo",
    )
    _refuse_logo(call)
    call.refuse("default_currency")
    call.refuse("timezone")
    call.refuse_all()
    row = _changed(call.organization, call.body)
    call.view.put("organizations", row)
    call.view.put("billing_entities", _changed_entity(call, row))
    return {"organization": {**present(call, row), "taxes": _default_taxes(call)}}


def _point_webhooks(call: Call) -> None:
    """Change the organization's first endpoint, or make one."""
    call.refuse("webhook_url")
    url = call.body.get("webhook_url")
    if url is None:
        return
    endpoints = list(call.view.oldest_first("webhook_endpoints"))
    first = min(endpoints, key=lambda each: str(each["lago_id"]), default=None)
    taken = call.find("webhook_endpoints", url)
    if taken and taken != first:
        raise ValidationFailed.of("webhook_url", "value_already_exist")
    # Differs from Lago: the first webhook_url shows in the answer of the PUT that sets it; there
    # from the next read on.
    made = first or {
        "lago_id": call.new_id(),
        "signature_algo": "jwt",
        "name": None,
        "event_types": None,
        "created_at": call.now(),
    }
    call.view.put("webhook_endpoints", {**made, "webhook_url": url})


def _find_slug_taken(call: Call) -> None:
    """Add a slug that another organization has to the problems of its stage."""
    if call.is_slug_taken(call.body.get("slug", "")):
        code = "value_already_exist"
        call.problems.append(Problem("slug", code, code, ("slug",)))


def _refuse_logo(call: Call) -> None:
    """Refuse a logo that is no picture: in 2023 it came as a data URI."""
    logo = call.body.get("logo")
    if logo is None:
        return
    kind, _, data = str(logo).partition(";base64,")
    if kind not in _LOGO_KINDS:
        raise ValidationFailed.of("logo", "invalid_content_type")
    if len(data) * 3 // 4 > _LOGO_BYTES:
        raise ValidationFailed.of("logo", "invalid_size")


def _changed(row: Row, body: JSONObject) -> Row:
    apart = ("billing_configuration", "webhook_url", "logo")
    scalars = {key: value for key, value in body.items() if key not in apart}
    if scalars.get("document_numbering") in (0, 1):
        scalars["document_numbering"] = _NUMBERINGS[int(scalars["document_numbering"])]
    row = row | scalars | body.get("billing_configuration", {})
    if row.get("vat_rate", 0) is None:
        del row["vat_rate"]
    return row


def _changed_entity(call: Call, row: Row) -> Row:
    """Return the default billing entity with what the body says of both."""
    given = {**call.body, **call.body.get("billing_configuration", {})}
    entity = _entity(call)
    shared = {key: row[key] for key in given if key in entity and key in row}
    if row["document_numbering"] == "per_organization" and "document_numbering" in given:
        shared["document_numbering"] = "per_billing_entity"
    return {**entity, **shared, "updated_at": call.now()}


def _default_taxes(call: Call) -> list[JSONObject]:
    taxes = call.view.oldest_first("taxes")
    return [call.present("taxes", tax) for tax in taxes if tax["applied_to_organization"]]


_API_KEY = {
    "type": "object",
    "required": ["lago_id", "value"],
    "properties": {
        "lago_id": {"type": "string"},
        "value": {"type": "string"},
        "name": {"type": ["string", "null"]},
        "expires_at": {"type": ["string", "null"], "format": "date-time"},
        "permissions": {
            "type": ["object", "null"],
            "additionalProperties": {"type": "array", "items": {"enum": ["read", "write"]}},
        },
        "created_at": {"type": "string", "format": "date-time"},
    },
    "additionalProperties": False,
}

RESOURCE = Resource(
    name="organization",
    plural="organizations",
    key="lago_id",
    operations={
        "findOrganization": find_organization,
        "findOrganizationGrpcToken": find_organization_grpc_token,
        "updateOrganization": update_organization,
    },
    present=present,
    pure=frozenset({"findOrganization"}),
    columns=Columns(
        {
            "lago_id": ID,
            **dict.fromkeys(INITIAL_COLUMNS, SHOWN),
            "name": TEXT,
            "slug": TEXT,
            "billing_entity_code": TEXT,
            "default_currency": TEXT,
            "timezone": TEXT,
            "document_number_prefix": SHOWN,
            "created_at": MOMENT,
        },
        optional={
            "hmac_key": TEXT,
            "api_keys": {"type": "array", "items": _API_KEY},
            "vat_rate": PERCENT_OR_NULL,
            "license": {"enum": ["premium", "free", None]},
            "premium_integrations": {"type": ["array", "null"], "items": {"type": "string"}},
        },
    ),
)
