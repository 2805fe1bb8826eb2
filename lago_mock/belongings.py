"""What belongs to a customer and is found below its path: invoices, wallets, payment methods."""

from __future__ import annotations

from lago_mock.columns import ID, TEXT, Columns, Schema
from lago_mock.errors import NotFound, Problem, ValidationFailed
from lago_mock.listing import listing
from lago_mock.resource import Call
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.wire import JSONObject


def of_customer(rules: tuple[Schema, ...] = (), **more: Schema) -> Columns:
    """Return the columns of what belongs to a customer and is shown as it is kept."""
    needed = {"lago_id": ID, "customer_id": TEXT, **more}
    return Columns(needed, others=True, rules=rules, references={"customer_id": "customers"})


def as_kept(_call: Call, row: FrozenRow) -> JSONObject:
    """Return the object of a row that answers show as it is kept: all but whose it is."""
    return {key: value for key, value in row.items() if key != "customer_id"}


def owner_of(call: Call) -> Row:
    """Return the customer that the path names.

    Raises:
        NotFound: 404 `customer_not_found`.
    """
    return call.require("customers", call.path["external_customer_id"])


def require_belonging(call: Call, collection: str, lago_id: str) -> Row:
    """Return the row with this id that belongs to the customer that the path names.

    Raises:
        NotFound: 404 `customer_not_found`, or `<resource>_not_found`, also for another's.
    """
    customer = owner_of(call)
    row = call.view.get(collection, lago_id)
    if row is None or row["customer_id"] != customer["lago_id"]:
        raise call.not_found(collection)
    return row


def customer_listing(
    call: Call, collection: str, problems: tuple[Problem, ...] = (), *, repeats: bool = True
) -> JSONObject:
    """Answer a page of the rows of the customer that the path names, the newest first.

    `problems` are those of the filters. `repeats` says whether a code may stand twice in
    `billing_entity_codes[]`, which counts where the document gives it to the operation.

    Raises:
        NotFound: 404 `customer_not_found`, or `billing_entity_not_found`.
        ValidationFailed: 422, the problems, or else those of the page.
    """
    customer = owner_of(call)
    named = any(each.name == "billing_entity_codes" for each in call.operation.query)
    given = call.query.get("billing_entity_codes") if named else None
    codes = [str(code) for code in given] if isinstance(given, list) else []
    for code in codes:
        call.require("billing_entities", code)
    if not repeats and len(codes) > len(set(codes)):
        raise NotFound("billing_entity_not_found")
    if problems:
        raise ValidationFailed(problems)
    return listing(call, collection, owner=customer["lago_id"])
