"""The rows as a whole: back to a fixture set, and on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import DONE, AdminCall, AdminHandler
from lago_mock.admin.settings import shift
from lago_mock.errors import NotFound, ValidationFailed
from lago_mock.wire import JSONObject


def reset(call: AdminCall) -> JSONObject:
    """Answer `reset`: rows of the fixture set, no faults, no requests; nothing in flight writes.

    Raises:
        NotFound: 404 `fixtures_not_found`.
        ValidationFailed: 422, only the whole server can take another set.
    """
    tenants = call.server.tenants
    if "fixtures" in call.body:
        if call.sandbox:
            raise ValidationFailed.of("fixtures", "whole_server_only")
        name = call.body["fixtures"]
        if name not in call.server.fixtures.names():
            raise NotFound("fixtures_not_found")
        tenants.fixtures = call.server.fixtures.compile(name)
    tenants.reset(call.sandbox)
    if call.sandbox is None:
        shift(call.server, asdict(tenants.initial_rules))
    return dict(DONE)


def get_store(call: AdminCall) -> JSONObject:
    """Answer `getStore`: where the rows are kept."""
    return call.server.operations.store.about()


def compact_store(call: AdminCall) -> JSONObject:
    """Answer `compactStore`: the state file is written anew, while requests go on.

    Raises:
        StoreUnwritable: 500, the disk refused it; nothing has changed.
    """
    call.server.operations.store.compact()
    return get_store(call)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "reset": reset,
        "getStore": get_store,
        "compactStore": compact_store,
    }
)
