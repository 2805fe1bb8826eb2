"""Payment methods: the means of payment that a customer has saved with a provider.

Rules: lago-api, app/controllers/api/v1/customers/.
"""

from __future__ import annotations

from lago_mock.belongings import as_kept, customer_listing, of_customer, require_belonging
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject


def find_all_customers_payment_methods(call: Call) -> JSONObject:
    """Answer `findAllCustomersPaymentMethods`: a page, newest first.

    Raises:
        NotFound: 404 `customer_not_found`.
    """
    return customer_listing(call, "payment_methods")


def destroy_payment_method(call: Call) -> JSONObject:
    """Answer `destroyPaymentMethod`: the payment method as it was.

    Raises:
        NotFound: 404 `customer_not_found` or `payment_method_not_found`.
    """
    row = require_belonging(call, "payment_methods", call.path["lago_id"])
    call.view.discard("payment_methods", row, call.now())
    return {"payment_method": as_kept(call, row)}


def set_as_default(call: Call) -> JSONObject:
    """Answer `paymentMethodSetAsDefault`: the customer's other payment methods are it no more.

    Raises:
        NotFound: 404 `customer_not_found` or `payment_method_not_found`.
    """
    row = require_belonging(call, "payment_methods", call.path["lago_id"])
    for other in call.view.newest_first("payment_methods", owner=row["customer_id"]):
        is_default = other["lago_id"] == row["lago_id"]
        call.view.put("payment_methods", {**other, "is_default": is_default})
    return {"payment_method": as_kept(call, {**row, "is_default": True})}


RESOURCE = Resource(
    name="payment_method",
    plural="payment_methods",
    key="lago_id",
    operations={
        "findAllCustomersPaymentMethods": find_all_customers_payment_methods,
        "destroyPaymentMethod": destroy_payment_method,
        "paymentMethodSetAsDefault": set_as_default,
    },
    present=as_kept,
    columns=of_customer(),
)
