"""What organizations and keys may be given: the text of a key, its rights, premium integrations."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from lago_mock.likeness import did_you_mean_one_of

MAX_KEY: Final = 255

KEY_TEXT: Final = f"1 to {MAX_KEY} characters of visible ASCII, none of them a space"
"""What an API key must be for clients to send it."""

INTEGRATIONS: Final = (
    "api_permissions",
    "granular_lifetime_usage",
    "multi_entities_enterprise",
    "multi_entities_pro",
    "projected_usage",
    "revenue_share",
)
"""Premium integrations that something depends on here."""

RESOURCES: Final = (
    "activity_log",
    "add_on",
    "alert",
    "analytic",
    "api_log",
    "applied_coupon",
    "billable_metric",
    "billing_entity",
    "coupon",
    "credit_note",
    "customer",
    "customer_usage",
    "event",
    "feature",
    "fee",
    "invoice",
    "invoice_custom_section",
    "lifetime_usage",
    "order",
    "order_form",
    "organization",
    "payment",
    "payment_method",
    "payment_receipt",
    "payment_request",
    "plan",
    "plan_rate_card",
    "product",
    "product_category",
    "quote",
    "rate_card",
    "security_log",
    "subscription",
    "tax",
    "wallet",
    "wallet_transaction",
    "webhook_endpoint",
    "webhook_jwt_public_key",
)
"""What a key can have rights on (lago-api: app/models/api_key.rb)."""


def is_key(value: object) -> bool:
    """Tell whether this can be an API key."""
    if not isinstance(value, str):
        return False
    return 0 < len(value) <= MAX_KEY and all("!" <= each <= "~" for each in value)


def why_no_integration(name: object) -> str | None:
    """Return what is wrong with the name of a premium integration, None when nothing is."""
    return _unknown("premium integration", name, INTEGRATIONS)


def why_no_resource(name: object) -> str | None:
    """Return what is wrong with the name of what a key has rights on, None when nothing is."""
    return _unknown("resource", name, RESOURCES)


def _unknown(kind: str, name: object, known: Collection[str]) -> str | None:
    if name in known:
        return None
    return f"no {kind} {name}{did_you_mean_one_of(str(name), known)}"
