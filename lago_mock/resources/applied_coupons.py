"""Applied coupons: the discounts that a customer has.

Rules: lago-api, app/controllers/api/v1/customers/ and app/services/applied_coupons/.
"""

from __future__ import annotations

from lago_mock.belongings import as_kept, customer_listing, of_customer, require_belonging
from lago_mock.clock import shown
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject


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
    row = require_belonging(call, "applied_coupons", call.path["applied_coupon_id"])
    if row["status"] != "terminated":
        row |= {"status": "terminated", "terminated_at": shown(call.now())}
        call.view.put("applied_coupons", row)
    return {"applied_coupon": as_kept(call, row)}


RESOURCE = Resource(
    name="applied_coupon",
    plural="applied_coupons",
    key="lago_id",
    operations={
        "findAllCustomerAppliedCoupons": find_all_customer_applied_coupons,
        "deleteAppliedCoupon": delete_applied_coupon,
    },
    present=as_kept,
    columns=of_customer(),
)
