"""Payments: the money that a customer has paid.

Rules: lago-api, app/controllers/api/v1/customers/ and app/contracts/queries/.
"""

from __future__ import annotations

from collections.abc import Iterator

from lago_mock.belongings import as_kept, customer_listing, of_customer
from lago_mock.contract.formats import is_uuid
from lago_mock.errors import Problem
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject


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
    present=as_kept,
    columns=of_customer(),
)
