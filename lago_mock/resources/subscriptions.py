"""Subscriptions: the plans that a customer has taken.

Rules: lago-api, app/controllers/api/v1/customers/.
"""

from __future__ import annotations

from lago_mock.belongings import as_kept, customer_listing, of_customer
from lago_mock.columns import MOMENT, TEXT
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject


def find_all_customer_subscriptions(call: Call) -> JSONObject:
    """Answer `findAllCustomerSubscriptions`: a page, newest first.

    Raises:
        NotFound: 404 `customer_not_found`, or `billing_entity_not_found`, also for a code that
            stands twice.
    """
    return customer_listing(call, "subscriptions", repeats=False)


_ACTIVE = {
    "if": {"properties": {"status": {"const": "active"}}},
    "then": {
        "required": ["plan_amount_currency"],
        "properties": {
            "current_billing_period_started_at": dict(MOMENT),
            "current_billing_period_ending_at": dict(MOMENT),
        },
    },
}
"""What an active one needs, to be shown as the usage of its present period."""


RESOURCE = Resource(
    name="subscription",
    plural="subscriptions",
    key="lago_id",
    operations={"findAllCustomerSubscriptions": find_all_customer_subscriptions},
    present=as_kept,
    columns=of_customer((_ACTIVE,), external_id=TEXT, status=TEXT),
)
