"""Payment methods: the means of payment that a customer has saved with a provider.

Rules: lago-api, app/controllers/api/v1/customers/.
"""

from __future__ import annotations

from lago_mock.columns import of_customer
from lago_mock.errors import NotFound
from lago_mock.resource import Call, Resource, customer_listing
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject


def present(_call: Call, row: Row) -> JSONObject:
    """Return the `PaymentMethodObject` of a row: all that it holds but whose it is."""
    return {key: value for key, value in row.items() if key != "customer_id"}


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
    row = _require(call)
    call.view.discard("payment_methods", row, call.now())
    return {"payment_method": present(call, row)}


def set_as_default(call: Call) -> JSONObject:
    """Answer `paymentMethodSetAsDefault`: the customer's other payment methods are it no more.

    Raises:
        NotFound: 404 `customer_not_found` or `payment_method_not_found`.
    """
    row = _require(call)
    for other in call.view.oldest_first("payment_methods"):
        if other["customer_id"] == row["customer_id"]:
            is_default = other["lago_id"] == row["lago_id"]
            call.view.put("payment_methods", {**other, "is_default": is_default})
    return {"payment_method": present(call, {**row, "is_default": True})}


def _require(call: Call) -> Row:
    customer = call.require("customers", call.path["external_customer_id"])
    row = call.view.get("payment_methods", call.path["lago_id"])
    if row is None or row["customer_id"] != customer["lago_id"]:
        raise NotFound("payment_method_not_found")
    return row


RESOURCE = Resource(
    name="payment_method",
    plural="payment_methods",
    key="lago_id",
    operations={
        "findAllCustomersPaymentMethods": find_all_customers_payment_methods,
        "destroyPaymentMethod": destroy_payment_method,
        "paymentMethodSetAsDefault": set_as_default,
    },
    present=present,
    columns=of_customer(),
)
