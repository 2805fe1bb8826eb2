"""Taxes: rates in percent, found by their code.

Rules: lago-api, app/models/tax.rb and app/services/taxes/.
"""

from __future__ import annotations

from lago_mock.clock import shown
from lago_mock.columns import ID, MOMENT, SHOWN, TEXT, Columns
from lago_mock.errors import ValidationFailed
from lago_mock.listing import listing
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.wire import JSONObject

_COUNTERS = (
    "add_ons_count",
    "customers_count",
    "plans_count",
    "charges_count",
    "commitments_count",
)
"""Kept by the real server for old clients, always zero."""


def present(_call: Call, row: FrozenRow) -> JSONObject:
    """Return the `TaxObject` of a row."""
    return {
        "lago_id": row["lago_id"],
        "name": row["name"],
        "code": row["code"],
        "rate": row["rate"],
        "description": row["description"],
        "applied_to_organization": row["applied_to_organization"],
        **dict.fromkeys(_COUNTERS, 0),
        "created_at": shown(row["created_at"]),
    }


def find_all_taxes(call: Call) -> JSONObject:
    """Answer `findAllTaxes`: a page, newest first."""
    return listing(call, "taxes")


def find_tax(call: Call) -> JSONObject:
    """Answer `findTax`.

    Raises:
        NotFound: 404 `tax_not_found`.
    """
    return {"tax": present(call, call.require("taxes", call.path["code"]))}


def create_tax(call: Call) -> JSONObject:
    """Answer `createTax`.

    Raises:
        ValidationFailed: 422; a code that is in use is `value_already_exist`.
    """
    call.refuse_all()
    defaults = {"description": None, "applied_to_organization": False}
    row = {"lago_id": call.new_id(), **defaults, **call.body, "created_at": call.now()}
    return _saved(call, row)


def update_tax(call: Call) -> JSONObject:
    """Answer `updateTax`: only the keys present in the body change.

    Raises:
        NotFound: 404 `tax_not_found`.
        ValidationFailed: 422; a code that is in use is `value_already_exist`.
    """
    row = call.require("taxes", call.path["code"])
    call.refuse_all()
    return _saved(call, row | call.body)


def _saved(call: Call, row: Row) -> JSONObject:
    other = call.find("taxes", row["code"])
    if other is not None and other["lago_id"] != row["lago_id"]:
        raise ValidationFailed.of("code", "value_already_exist")
    row["applied_to_organization"] = bool(row["applied_to_organization"])
    call.view.put("taxes", row)
    return {"tax": present(call, row)}


def destroy_tax(call: Call) -> JSONObject:
    """Answer `destroyTax`: the tax as it was; customers that had it have it no more.

    Raises:
        NotFound: 404 `tax_not_found`.
    """
    row = call.require("taxes", call.path["code"])
    call.view.discard("taxes", row, call.now())
    return {"tax": present(call, row)}


RESOURCE = Resource(
    name="tax",
    plural="taxes",
    key="code",
    operations={
        "findAllTaxes": find_all_taxes,
        "findTax": find_tax,
        "createTax": create_tax,
        "updateTax": update_tax,
        "destroyTax": destroy_tax,
    },
    present=present,
    made_by="createTax",
    pure=frozenset({"findTax"}),
    columns=Columns(
        {
            "lago_id": ID,
            "name": SHOWN,
            "code": TEXT,
            "rate": SHOWN,
            "description": SHOWN,
            "applied_to_organization": SHOWN,
            "created_at": MOMENT,
        }
    ),
)
