"""Payment requests: reminders of overdue invoices.

Rules: lago-api, app/controllers/api/v1/customers/.
"""

from __future__ import annotations

from lago_mock.columns import of_customer
from lago_mock.resource import Call, Resource, customer_listing
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject


def present(_call: Call, row: Row) -> JSONObject:
    """Return the `PaymentRequestObject` of a row: all that it holds but whose it is."""
    return {key: value for key, value in row.items() if key != "customer_id"}


def find_all_customer_payment_requests(call: Call) -> JSONObject:
    """Answer `findAllCustomerPaymentRequests`: a page, newest first.

    Raises:
        NotFound: 404 `customer_not_found` or `billing_entity_not_found`.
    """
    return customer_listing(call, "payment_requests")


RESOURCE = Resource(
    name="payment_request",
    plural="payment_requests",
    key="lago_id",
    operations={"findAllCustomerPaymentRequests": find_all_customer_payment_requests},
    present=present,
    columns=of_customer(),
)
