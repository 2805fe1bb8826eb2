"""Integrations with accounting, tax and CRM systems: a type, such as netsuite, and a code.

They are made outside the API, so a fixture set declares them.
"""

from __future__ import annotations

from lago_mock.declaration import Declared, declared
from lago_mock.integration_links import TYPES
from lago_mock.resource import Resource

RESOURCE = Resource(
    name="integration",
    plural="integrations",
    key="code",
    operations={},
    declare=declared(Declared("code"), Declared("type", TYPES), Declared("name", optional=True)),
)
