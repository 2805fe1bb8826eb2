"""Payment requests: reminders of overdue invoices.

Rules: lago-api, app/controllers/api/v1/customers/.
"""

from __future__ import annotations

from lago_mock.belongings import as_kept, customer_listing, of_customer
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject


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
    present=as_kept,
    columns=of_customer(),
)
