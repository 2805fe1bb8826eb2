"""Payments: the money that a customer has paid.

Rules: lago-api, app/controllers/api/v1/customers/ and app/contracts/queries/.
"""

from __future__ import annotations

from collections.abc import Iterator

from lago_mock.columns import of_customer
from lago_mock.contract.formats import is_uuid
from lago_mock.errors import Problem
from lago_mock.resource import Call, Resource, customer_listing
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject


def present(_call: Call, row: Row) -> JSONObject:
    """Return the `PaymentObject` of a row: all that it holds but whose it is."""
    return {key: value for key, value in row.items() if key != "customer_id"}


def find_all_customer_payments(call: Call) -> JSONObject:
    """Answer `findAllCustomerPayments`: a page, newest first.

    Raises:
        NotFound: 404 `customer_not_found`.
        ValidationFailed: 422, the filter `invoice_id` is no UUID.
    """
    return customer_listing(call, "payments", tuple(_problems(call)))


def _problems(call: Call) -> Iterator[Problem]:
    given = call.query.get("invoice_id")
    if isinstance(given, list | dict) or given is None:
        return
    if not is_uuid(str(given)):
        yield Problem("invoice_id", "is in invalid format", "format", ("invoice_id",))


RESOURCE = Resource(
    name="payment",
    plural="payments",
    key="lago_id",
    operations={"findAllCustomerPayments": find_all_customer_payments},
    present=present,
    columns=of_customer(),
)
