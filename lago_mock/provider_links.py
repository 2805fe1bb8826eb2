"""How a customer is linked to a payment provider, by the body's `billing_configuration`.

Rules: lago-api, app/services/customers/upsert_from_api_service.rb and
app/services/payment_provider_customers/. Connections are made outside the API: a fixture set
declares them, and where it declares none every code counts as connected.
"""

from __future__ import annotations

from lago_mock.contract.values import is_blank
from lago_mock.errors import ValidationFailed
from lago_mock.resource import Call
from lago_mock.store.tables import FrozenRow, Row
from lago_mock.wire import JSONObject

PROVIDERS = ("stripe", "gocardless", "cashfree", "adyen", "flutterwave", "moneyhash")

_METHODS = "provider_payment_methods"
_ALONE = "customer_balance"


def provider_columns(call: Call, row: Row, *, is_new: bool) -> JSONObject:
    """Return the customer's provider columns as the body changes them.

    A new customer gets a provider only with an id of its own there, or when one is to be made.

    Raises:
        ValidationFailed: 422 under `base`: `payment_provider_not_found`, or
            `payment_provider_code_missing` where several are connected and no code is given.
    """
    given = call.body.get("billing_configuration", {})
    provider = given.get("payment_provider")
    if provider is None and not is_new:
        provider = row["payment_provider"]
    is_linked = row["provider_customer"].get("provider_customer_id") is not None
    if provider is not None and _wants_link(given) and not is_linked:
        return _linked(call, given, provider)
    if is_new:
        return {}
    columns = _renamed(given, row) if "payment_provider" in given else {}
    if is_linked and given.get(_METHODS) and "provider_customer" not in columns:
        columns["provider_customer"] = {**row["provider_customer"], _METHODS: given[_METHODS]}
    return columns


def _wants_link(given: JSONObject) -> bool:
    """Tell whether a link is wished for: of `sync_with_provider` any value but false is a yes."""
    sync = given.get("sync_with_provider")
    if sync is not None and sync is not False:
        return True
    return not is_blank(given.get("provider_customer_id") or "")


def _linked(call: Call, given: JSONObject, provider: str) -> JSONObject:
    code = _connected(call, provider, given.get("payment_provider_code"))
    customer_id = given.get("provider_customer_id") or _made_up_id(call, provider)
    customer: JSONObject = {"provider_customer_id": customer_id}
    if provider == "stripe":
        customer[_METHODS] = given.get(_METHODS) or ["card"]
    if "sync_with_provider" in given:
        customer["sync_with_provider"] = given["sync_with_provider"]
    return {
        "payment_provider": provider,
        "payment_provider_code": code,
        "provider_customer": customer,
    }


def _made_up_id(call: Call, provider: str) -> str:
    prefix = "cus" if provider == "stripe" else provider
    return f"{prefix}_{call.new_id().replace('-', '')[:14]}"


def _connected(call: Call, provider: str, code: str | None) -> str:
    """Return the code of the connection that is meant."""
    if provider not in PROVIDERS:
        raise ValidationFailed.of("base", "payment_provider_not_found")
    if not call.view.count("payment_providers"):
        return code or provider
    declared = call.view.oldest_first("payment_providers")
    found = [row["code"] for row in declared if row["type"] == provider]
    if code is not None:
        found = [each for each in found if each == code]
    if not found:
        raise ValidationFailed.of("base", "payment_provider_not_found")
    if len(found) > 1:
        raise ValidationFailed.of("base", "payment_provider_code_missing")
    return str(found[0])


def _renamed(given: JSONObject, row: Row) -> JSONObject:
    """Store a provider's name without looking for a connection, as an update does."""
    provider = given["payment_provider"]
    if provider is None:
        code = None if row["provider_customer"] else row["payment_provider_code"]
        return {"payment_provider": None, "payment_provider_code": code, "provider_customer": {}}
    if provider not in PROVIDERS:
        return {"payment_provider": None}
    code = given.get("payment_provider_code", row["payment_provider_code"])
    return {"payment_provider": provider, "payment_provider_code": code}


def refuse_payment_methods(call: Call, row: Row) -> None:
    """Refuse methods that do not go together on a Stripe customer.

    Raises:
        ValidationFailed: 422 `provider_payment_methods`.
    """
    if row["payment_provider"] != "stripe" or not row["provider_customer"]:
        return
    call.refuse(f"billing_configuration.{_METHODS}")
    methods = call.body.get("billing_configuration", {}).get(_METHODS) or []
    if "link" in methods and "card" not in methods:
        raise ValidationFailed.of(_METHODS, "value_is_invalid")
    if _ALONE in methods and len(set(methods)) > 1:
        sentence = f"{_ALONE} cannot be combined with other payment methods"
        raise ValidationFailed.of(_METHODS, sentence)


def provider_shown(row: FrozenRow) -> JSONObject:
    """Return what `billing_configuration` shows of a provider's customer, null until known."""
    provider = row["payment_provider"]
    if not provider:
        return {}
    shown = {"provider_customer_id": None, _METHODS: None, **row["provider_customer"]}
    if provider != "stripe":
        del shown[_METHODS]
    return shown
