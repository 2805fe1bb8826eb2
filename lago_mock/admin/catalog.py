"""What there is: versions, health, fixture sets, operations, the document."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import AdminCall, AdminHandler
from lago_mock.clock import timestamp
from lago_mock.version import LAGO_VERSION, __version__
from lago_mock.wire import JSONObject


def get_health(call: AdminCall) -> JSONObject:
    """Answer `getHealth`."""
    return {
        "status": "healthy",
        "message": "lago-mock is ok",
        "version": __version__,
        "uptimeInSeconds": int(time.monotonic() - call.server.started),
        "timestamp": timestamp(call.server.tenants.clock.now()),
    }


def get_version(_call: AdminCall) -> JSONObject:
    """Answer `getVersion`."""
    return {"version": __version__, "lago_version": LAGO_VERSION}


def list_fixtures(call: AdminCall) -> JSONObject:
    """Answer `listFixtures`: the sets that ship, and the present one if it is another."""
    compiler, present = call.server.fixtures, call.server.tenants.fixtures
    names = [name for name in compiler.names() if name != present.name]
    sets = [present, *(compiler.compile(name) for name in names)]
    return {"fixtures": [each.shown() for each in sorted(sets, key=lambda each: each.name)]}


def get_openapi(call: AdminCall) -> JSONObject:
    """Answer `getOpenapi`: the document that is served, bundled."""
    return call.server.operations.contract.whole.tree


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "getHealth": get_health,
        "getVersion": get_version,
        "listFixtures": list_fixtures,
        "getOpenapi": get_openapi,
    }
)
