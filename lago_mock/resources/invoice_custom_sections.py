"""Invoice custom sections: texts that stand on invoices.

They are made outside the API, so a fixture set declares them.
"""

from __future__ import annotations

from lago_mock.declaration import Declared, declared
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import FrozenRow
from lago_mock.wire import JSONObject


def present(call: Call, row: FrozenRow) -> JSONObject:
    """Return the `InvoiceCustomSectionObject` of a row."""
    return {
        "lago_id": row["lago_id"],
        "code": row["code"],
        "name": row["name"],
        "description": row["description"],
        "details": row["details"],
        "display_name": row["display_name"],
        "organization_id": call.view.organization_id,
    }


RESOURCE = Resource(
    name="invoice_custom_section",
    plural="invoice_custom_sections",
    key="code",
    operations={},
    present=present,
    declare=declared(
        Declared("code"),
        Declared("name"),
        Declared("description", optional=True),
        Declared("details", optional=True),
        Declared("display_name", optional=True),
    ),
)
