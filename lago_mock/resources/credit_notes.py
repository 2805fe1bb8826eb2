"""Credit notes: what a customer is owed back.

Rules: lago-api, app/controllers/api/v1/customers/.
"""

from __future__ import annotations

from lago_mock.belongings import as_kept, customer_listing, of_customer
from lago_mock.resource import Call, Resource
from lago_mock.wire import JSONObject


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
    present=as_kept,
    columns=of_customer(),
)
