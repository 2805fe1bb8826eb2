"""Integrations with accounting, tax and CRM systems: a type, such as netsuite, and a code.

They are made outside the API, so a fixture set declares them.
"""

from __future__ import annotations

from lago_mock.declaration import Declared, declared
from lago_mock.integration_links import TYPES
from lago_mock.resource import Call, Resource
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject


def present(_call: Call, row: Row) -> JSONObject:
    """Return the integration as it was declared."""
    return row


RESOURCE = Resource(
    name="integration",
    plural="integrations",
    key="code",
    operations={},
    present=present,
    declare=declared(Declared("code"), Declared("type", TYPES), Declared("name", optional=True)),
)
