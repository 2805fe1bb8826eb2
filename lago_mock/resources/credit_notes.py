"""Credit notes: what a customer is owed back.

Rules: lago-api, app/controllers/api/v1/customers/.
"""

from __future__ import annotations

from lago_mock.columns import of_customer
from lago_mock.resource import Call, Resource, customer_listing
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject


def present(_call: Call, row: Row) -> JSONObject:
    """Return the `CreditNoteObject` of a row: all that it holds but whose it is."""
    return {key: value for key, value in row.items() if key != "customer_id"}


def find_all_customer_credit_notes(call: Call) -> JSONObject:
    """Answer `findAllCustomerCreditNotes`: a page, newest first.

    Raises:
        NotFound: 404 `customer_not_found`, or `billing_entity_not_found`, also for a code that
            stands twice.
    """
    return customer_listing(call, "credit_notes", repeats=False)


RESOURCE = Resource(
    name="credit_note",
    plural="credit_notes",
    key="lago_id",
    operations={"findAllCustomerCreditNotes": find_all_customer_credit_notes},
    present=present,
    columns=of_customer(),
)
