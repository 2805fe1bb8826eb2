"""The rules that the API follows, read and changed while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Final

from lago_mock.admin.call import AdminCall, AdminHandler, Server
from lago_mock.wire import JSONObject


def get_settings(call: AdminCall) -> JSONObject:
    """Answer `getSettings`."""
    return asdict(call.server.tenants.rules)


def update_settings(call: AdminCall) -> JSONObject:
    """Answer `updateSettings`: they hold at once, for all organizations."""
    shift(call.server, call.body)
    return get_settings(call)


def shift(server: Server, settings: Mapping[str, str]) -> None:
    """Change settings of the whole server; another era takes another contract."""
    era = settings.get("era", server.tenants.rules.era)
    if era != server.tenants.rules.era:
        server.operations.contract = server.contract_of(era)
    server.tenants.shift(settings)


OPERATIONS: Final[Mapping[str, AdminHandler]] = MappingProxyType(
    {
        "getSettings": get_settings,
        "updateSettings": update_settings,
    }
)
