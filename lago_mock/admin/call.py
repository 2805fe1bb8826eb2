"""What an admin operation is given."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from lago_mock.contract.operation import Contract
from lago_mock.faults import Faults
from lago_mock.fixtures import FixtureCompiler
from lago_mock.journal import Journal
from lago_mock.operations import Operations
from lago_mock.sandbox import Sandbox, Tenants
from lago_mock.wire import JSONObject

DONE: Final = MappingProxyType({"status": "ok"})


@dataclass(frozen=True)
class Server:
    """What the admin operations steer; `contract_of` compiles the document for an era."""

    tenants: Tenants
    operations: Operations
    fixtures: FixtureCompiler
    contract_of: Callable[[str], Contract]
    started: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class AdminCall:
    """One admin operation; `sandbox` is the organization that it acts on, None for the server."""

    server: Server
    sandbox: Sandbox | None
    body: JSONObject
    path: Mapping[str, str]
    query: JSONObject

    def faults(self) -> Faults:
        """Return the faults that the call acts on."""
        return (self.sandbox or self.server.tenants).faults

    def journals(self) -> list[Journal]:
        """Return the journals that the call acts on: one, or all of the server."""
        if self.sandbox:
            return [self.sandbox.journal]
        return [self.server.tenants.journal, *(each.journal for each in self.server.tenants)]


AdminHandler = Callable[[AdminCall], JSONObject]
