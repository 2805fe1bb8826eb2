"""Wallets: the prepaid credits of a customer, found by their code within it.

Rules: lago-api, app/controllers/api/v1/customers/ and app/services/wallets/.
"""

from __future__ import annotations

from lago_mock.belongings import as_kept, customer_listing, of_customer, owner_of
from lago_mock.clock import shown
from lago_mock.columns import TEXT_OR_NULL
from lago_mock.errors import NotFound
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import Row, having
from lago_mock.wire import JSONObject


def find_all_customer_wallets(call: Call) -> JSONObject:
    """Answer `findAllCustomerWallets`: a page, newest first, with the terminated ones.

    Raises:
        NotFound: 404 `customer_not_found` or `billing_entity_not_found`.
    """
    return customer_listing(call, "wallets")


def find_customer_wallet(call: Call) -> JSONObject:
    """Answer `findCustomerWallet`.

    Raises:
        NotFound: 404 `customer_not_found` or `wallet_not_found`.
    """
    return {"wallet": as_kept(call, _require(call))}


def destroy_customer_wallet(call: Call) -> JSONObject:
    """Answer `destroyCustomerWallet`: the wallet, terminated; it is found still.

    Raises:
        NotFound: 404 `customer_not_found` or `wallet_not_found`.
    """
    row = _require(call)
    if row["status"] != "terminated":
        row |= {"status": "terminated", "terminated_at": shown(call.now())}
        call.view.put("wallets", row)
    return {"wallet": as_kept(call, row)}


def _require(call: Call) -> Row:
    """Return the newest wallet with this code: of older ones none is active."""
    customer = owner_of(call)
    wanted = having(code=call.path["code"])
    found = call.view.search("wallets", wanted, customer["lago_id"])
    if not found:
        raise NotFound("wallet_not_found")
    return found[0]


RESOURCE = Resource(
    name="wallet",
    plural="wallets",
    key="lago_id",
    operations={
        "findAllCustomerWallets": find_all_customer_wallets,
        "findCustomerWallet": find_customer_wallet,
        "destroyCustomerWallet": destroy_customer_wallet,
    },
    present=as_kept,
    columns=of_customer(code=TEXT_OR_NULL),
)
