"""Applied coupons: the discounts that a customer has.

Rules: lago-api, app/controllers/api/v1/customers/ and app/services/applied_coupons/.
"""

from __future__ import annotations

from lago_mock.clock import shown
from lago_mock.columns import of_customer
from lago_mock.errors import NotFound
from lago_mock.resource import Call, Resource, customer_listing
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject


def present(_call: Call, row: Row) -> JSONObject:
    """Return the `AppliedCouponObject` of a row: all that it holds but whose it is."""
    return {key: value for key, value in row.items() if key != "customer_id"}


def find_all_customer_applied_coupons(call: Call) -> JSONObject:
    """Answer `findAllCustomerAppliedCoupons`: a page, newest first.

    Raises:
        NotFound: 404 `customer_not_found`.
    """
    return customer_listing(call, "applied_coupons")


def delete_applied_coupon(call: Call) -> JSONObject:
    """Answer `deleteAppliedCoupon`: the applied coupon, terminated; it is listed still.

    Raises:
        NotFound: 404 `customer_not_found` or `applied_coupon_not_found`.
    """
    customer = call.require("customers", call.path["external_customer_id"])
    row = call.view.get("applied_coupons", call.path["applied_coupon_id"])
    if row is None or row["customer_id"] != customer["lago_id"]:
        raise NotFound("applied_coupon_not_found")
    if row["status"] != "terminated":
        row |= {"status": "terminated", "terminated_at": shown(call.now())}
        call.view.put("applied_coupons", row)
    return {"applied_coupon": present(call, row)}


RESOURCE = Resource(
    name="applied_coupon",
    plural="applied_coupons",
    key="lago_id",
    operations={
        "findAllCustomerAppliedCoupons": find_all_customer_applied_coupons,
        "deleteAppliedCoupon": delete_applied_coupon,
    },
    present=present,
    columns=of_customer(),
)
