"""The usage of a customer's subscriptions: refusals, and the usage of plans without charges.

Rules: lago-api, app/controllers/api/v1/customers/usage_controller.rb and
app/services/invoices/customer_usage_service.rb.
"""

from __future__ import annotations

from lago_mock.contract.values import is_blank
from lago_mock.errors import Forbidden, MethodNotAllowed, NotFound, ValidationFailed
from lago_mock.listing import meta, page_of
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import FrozenRow, Row, having
from lago_mock.wire import JSONObject

_BY_CHARGE = (
    "charge_id",
    "charge_code",
    "billable_metric_code",
    "filter_by_charge_id",
    "filter_by_charge_code",
    "filter_by_metric_code",
)
_BY_GROUP = ("group", "filter_by_group")
"""Filters of the current usage, by their present and their old names."""


def present(_call: Call, row: FrozenRow) -> JSONObject:
    """Return the `CustomerUsageObject` of an active subscription: no charges, so nothing due."""
    return {
        "from_datetime": row["current_billing_period_started_at"],
        "to_datetime": row["current_billing_period_ending_at"],
        "issuing_date": row["current_billing_period_ending_at"][:10],
        "lago_invoice_id": None,
        "currency": row["plan_amount_currency"],
        "amount_cents": 0,
        "taxes_amount_cents": 0,
        "total_amount_cents": 0,
        "charges_usage": [],
    }


def find_customer_current_usage(call: Call) -> JSONObject:
    """Answer `findCustomerCurrentUsage`.

    Raises:
        NotFound: 404 `resource_not_found` for an unknown customer, a slip of the real server; or
            `charge_not_found`.
        MethodNotAllowed: 405 `no_active_subscription` or `full_usage_not_allowed`.
    """
    subscription = _active_subscription(call)
    by_charge = any(call.query.get(name) for name in _BY_CHARGE)
    by_group = any(call.query.get(name) for name in _BY_GROUP)
    if str(call.query.get("full_usage")).lower() == "true" and not (
        call.licensed("granular_lifetime_usage") and (by_charge or by_group)
    ):
        raise MethodNotAllowed("full_usage_not_allowed")
    if by_charge:
        raise NotFound("charge_not_found")
    return {"customer_usage": present(call, subscription)}


def find_customer_projected_usage(call: Call) -> JSONObject:
    """Answer `findCustomerProjectedUsage`.

    Raises:
        Forbidden: 403 `projected_usage_not_enabled`, before the customer is looked for.
        NotFound: 404 `resource_not_found`, no such customer.
        MethodNotAllowed: 405 `no_active_subscription`.
    """
    if not call.licensed("projected_usage"):
        raise Forbidden("projected_usage_not_enabled")
    usage = present(call, _active_subscription(call))
    return {"customer_projected_usage": {**usage, "projected_amount_cents": 0}}


def _active_subscription(call: Call) -> Row:
    customer = call.find("customers", call.path["external_customer_id"])
    if customer is None:
        raise NotFound("resource_not_found")
    external_id = call.query.get("external_subscription_id")
    wanted = having(external_id=external_id, status="active")
    found = call.view.search("subscriptions", wanted, customer["lago_id"])
    if not found:
        raise MethodNotAllowed("no_active_subscription")
    return found[-1]


def find_all_customer_past_usage(call: Call) -> JSONObject:
    """Answer `findAllCustomerPastUsage`: no period was billed yet, whoever the customer is.

    Raises:
        NotFound: 404 `billable_metric_not_found`.
        ValidationFailed: 422 `value_is_mandatory`, there is no `external_subscription_id`.
    """
    if is_blank(str(call.query.get("external_subscription_id") or "")):
        raise ValidationFailed.of("external_subscription_id", "value_is_mandatory")
    if call.query.get("billable_metric_code"):
        raise NotFound("billable_metric_not_found")
    page, per_page = page_of(call)
    return {"usage_periods": [], "meta": meta(page, per_page, 0)}


RESOURCE = Resource(
    name="customer_usage",
    plural="customer_usage",
    key=None,
    operations={
        "findCustomerCurrentUsage": find_customer_current_usage,
        "findCustomerProjectedUsage": find_customer_projected_usage,
        "findAllCustomerPastUsage": find_all_customer_past_usage,
    },
)
