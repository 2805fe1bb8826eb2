"""Addresses that a customer is sent to: the portal, and the check-out of a payment provider.

Rules: lago-api, app/services/customer_portal/generate_url_service.rb and
app/services/customers/generate_checkout_url_service.rb.
"""

from __future__ import annotations

from lago_mock.belongings import owner_of
from lago_mock.errors import MethodNotAllowed, ValidationFailed
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject

_NO_CHECKOUT = ("cashfree", "flutterwave")
_NOTHING_TO_SET_UP = frozenset({"crypto", "customer_balance"})
"""Stripe's methods that need no details of the customer."""


def get_customer_portal_url(call: Call) -> JSONObject:
    """Answer `getCustomerPortalUrl`: a new address on each call, good for twelve hours.

    Raises:
        NotFound: 404 `customer_not_found`.
    """
    # Differs from Lago: the portal's address leads to a page of lago-mock's own.
    customer_id, organization_id = owner_of(call)["lago_id"], call.view.organization_id
    token = call.signing.portal_token(customer_id, organization_id, call.clock.now())
    return {"customer": {"portal_url": f"{call.base_url}/customer-portal/{token}"}}


def generate_customer_checkout_url(call: Call) -> JSONObject:
    """Answer `generateCustomerCheckoutURL`; the address is made up and leads nowhere.

    Raises:
        NotFound: 404 `customer_not_found`.
        ValidationFailed: 422 `no_linked_payment_provider`, or nothing to set up with Stripe.
        MethodNotAllowed: 405 `feature_not_supported` by the provider.
    """
    row = owner_of(call)
    provider, linked = row["payment_provider"], row["provider_customer"]
    if not provider or not linked:
        raise ValidationFailed.of("base", "no_linked_payment_provider")
    if provider in _NO_CHECKOUT:
        raise MethodNotAllowed("feature_not_supported")
    if provider == "stripe" and _methods(linked) <= _NOTHING_TO_SET_UP:
        code = "no_payment_methods_to_setup_available"
        raise ValidationFailed.of("provider_payment_methods", code)
    return {
        "customer": {
            "lago_customer_id": row["lago_id"],
            "external_customer_id": row["external_id"],
            "payment_provider": provider,
            "payment_provider_code": row["payment_provider_code"],
            "checkout_url": f"https://checkout.{provider}.example/{call.new_id()}",
        }
    }


def _methods(linked: JSONObject) -> set[str]:
    """Return Stripe's methods; a customer linked with another provider before has none of them."""
    return set(linked.get("provider_payment_methods", ["card"]))


RESOURCE = Resource(
    name="customer_url",
    plural="customer_urls",
    key=None,
    operations={
        "getCustomerPortalUrl": get_customer_portal_url,
        "generateCustomerCheckoutURL": generate_customer_checkout_url,
    },
)
