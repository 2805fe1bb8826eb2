"""Payment provider connections: a type, such as stripe, and a code.

They are made outside the API, so a fixture set declares them.
"""

from __future__ import annotations

from lago_mock.declaration import Declared, declared
from lago_mock.provider_links import PROVIDERS
from lago_mock.resource import Resource

RESOURCE = Resource(
    name="payment_provider",
    plural="payment_providers",
    key="code",
    operations={},
    declare=declared(
        Declared("code"), Declared("type", PROVIDERS), Declared("name", optional=True)
    ),
)
