"""What an admin operation is given."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from lago_mock.admin.stream import Stream
from lago_mock.errors import NotFound
from lago_mock.faults import Faults
from lago_mock.fixtures import FixtureCompiler
from lago_mock.journal import Journal
from lago_mock.operations import Operations
from lago_mock.sandbox import Sandbox, Scope
from lago_mock.tenants import Tenants
from lago_mock.wire import JSONObject

DONE: Final = MappingProxyType({"status": "ok"})


class Unknown(NotFound):
    """Something that there is not; the body lists in `known` what there is."""

    def __init__(self, code: str, known: Iterable[str]) -> None:
        super().__init__(code)
        self._known = list(known)

    def body(self) -> JSONObject:
        """Return the body with the list last."""
        return {**super().body(), "known": self._known}


@dataclass(frozen=True)
class Server:
    """What the admin operations steer."""

    tenants: Tenants
    operations: Operations
    fixtures: FixtureCompiler
    started: float = field(default_factory=time.monotonic)

    def check_set(self, name: str | None) -> None:
        """Refuse a name that no fixture set has; None is the present one.

        Raises:
            Unknown: 404 `fixtures_not_found`.
        """
        if name is None:
            return
        known = sorted({self.tenants.fixtures.name, *self.fixtures.names()})
        if name not in known:
            raise Unknown("fixtures_not_found", known)


@dataclass(frozen=True)
class AdminCall:
    """One admin operation; `sandbox` is the organization that it acts on, None for the server."""

    server: Server
    sandbox: Sandbox | None
    body: JSONObject
    path: Mapping[str, str]
    query: JSONObject
    headers: Mapping[bytes, bytes]

    @property
    def organization_id(self) -> str | None:
        """The organization that the call acts on, None for the whole server."""
        return self.sandbox.facts.organization_id if self.sandbox else None

    @property
    def scope(self) -> Scope:
        """What the call acts on: an organization, or the whole server."""
        return self.sandbox or self.server.tenants.server

    def faults(self) -> Faults:
        """Return the faults that the call acts on."""
        return self.scope.faults

    def journals(self) -> list[Journal]:
        """Return the journals that the call acts on: one, or all of the server."""
        if self.sandbox:
            return [self.sandbox.journal]
        return [self.server.tenants.server.journal, *(each.journal for each in self.server.tenants)]


Reply = JSONObject | Stream

AdminHandler = Callable[[AdminCall], Reply | Awaitable[Reply]]
"""What an operation does; those that wait are asynchronous, and end when the client goes."""
