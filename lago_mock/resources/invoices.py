"""Invoices: what a customer was billed.

Rules: lago-api, app/controllers/api/v1/customers/ and app/contracts/queries/.
"""

from __future__ import annotations

from collections.abc import Iterator

from lago_mock.belongings import as_kept, customer_listing, of_customer
from lago_mock.errors import Problem
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject

_STATUSES = ("draft", "finalized", "voided", "failed", "pending")
"""The ones that lists may show; invoices in another status are hidden."""

_PAYMENT_STATUSES = ("pending", "succeeded", "failed")


def find_all_customer_invoices(call: Call) -> JSONObject:
    """Answer `findAllCustomerInvoices`: a page, newest first.

    Raises:
        NotFound: 404 `customer_not_found`, or `billing_entity_not_found`, also for a code that
            stands twice.
        ValidationFailed: 422, a status that there is not, in English sentences.
    """
    problems = (
        *_problems(call, "payment_status", _PAYMENT_STATUSES),
        *_problems(call, "status", _STATUSES),
    )
    return customer_listing(call, "invoices", problems, repeats=False)


def _problems(call: Call, name: str, choices: tuple[str, ...]) -> Iterator[Problem]:
    """Yield what is wrong with a filter: one word or a list, under its name or its plural."""
    given = call.query.get(f"{name}es", call.query.get(name))
    sentence = f"must be one of: {', '.join(choices)}"
    if isinstance(given, list):
        for index, each in enumerate(given):
            if each not in choices:
                yield Problem(name, sentence, "enum", (name, index), str(index))
    elif given is not None and given not in choices:
        yield Problem(name, f"{sentence} or must be an array", "enum", (name,))


RESOURCE = Resource(
    name="invoice",
    plural="invoices",
    key="lago_id",
    operations={"findAllCustomerInvoices": find_all_customer_invoices},
    present=as_kept,
    columns=of_customer(),
)
