"""The application: here, and nowhere else, all parts are joined."""

from __future__ import annotations

import asyncio
import difflib
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from lago_mock.admin.call import Server
from lago_mock.admin.endpoint import HANDLERS, AdminEndpoint
from lago_mock.clock import Clock, SystemClock
from lago_mock.contract.loader import Document, DocumentError, load_document
from lago_mock.contract.operation import Contract
from lago_mock.cors import Cors
from lago_mock.data import data_folder
from lago_mock.endpoint import Endpoint
from lago_mock.fixtures import FixtureCompiler
from lago_mock.operations import Operations, handlers_of
from lago_mock.pages import Pages
from lago_mock.request import Limits
from lago_mock.resource import Resource
from lago_mock.resources import load_resources
from lago_mock.rules import Rules
from lago_mock.sandbox import Tenants
from lago_mock.settings import Settings
from lago_mock.store.store import Store

_logger = logging.getLogger("lago_mock")


@dataclass(frozen=True)
class LagoMockApp:
    """The ASGI application with what its owner needs of it.

    `restored` tells that the state file was there and was taken instead of the fixture set.
    """

    asgi: Starlette
    server: Server
    store: Store
    settings: Settings
    restored: bool


def load_contract(
    resources: Mapping[str, Resource],
    path: Path | None = None,
    *,
    check: bool = False,
    era: str = "current",
) -> Contract:
    """Return the contract of the document that ships, or of the one at a path.

    Every operation is compiled when it is to be checked, else those that have a handler.

    Raises:
        DocumentError: the document is broken, or the one that ships lacks a handler's operation.
    """
    document = load_document(path or data_folder() / "openapi")
    handled = frozenset(handlers_of(resources))
    _report_missing(document, handled, foreign=path is not None)
    return Contract(document, None if check else handled, foreign=path is not None, era=era)


def _report_missing(document: Document, handled: frozenset[str], *, foreign: bool) -> None:
    known = {operation["operationId"] for _, _, _, operation in document.operations()}
    for missing in sorted(handled - known):
        close = difflib.get_close_matches(missing, known, 1)
        advice = f"The closest is {close[0]}." if close else ""
        if not foreign:
            raise DocumentError(
                document.file, "", f"the handler of {missing} finds no operation", advice
            )
        _logger.warning(
            "%s has no operation %s: it is not served. %s", document.file, missing, advice
        )


def fixture_compiler(
    contract: Contract, resources: Mapping[str, Resource], clock: Clock
) -> FixtureCompiler:
    """Return the compiler of fixture sets, which are written for our own document."""
    own = load_contract(resources, era=contract.era) if contract.foreign else contract
    return FixtureCompiler(data_folder() / "fixtures", own, resources, clock.now())


def load_admin_contract() -> Contract:
    """Return the contract of the admin API."""
    document = load_document(data_folder() / "openapi" / "admin.yaml")
    return Contract(document, frozenset(HANDLERS))


def build(settings: Settings) -> LagoMockApp:
    """Load everything, open the store, and put the application together.

    Raises:
        DocumentError: the document or the fixture set is broken.
        StoreError: the state file is damaged or in use.
        StoreUnwritable: it cannot be written.
    """
    resources = load_resources()
    path = Path(settings.openapi) if settings.openapi else None
    contract = load_contract(resources, path, era=settings.era)
    clock = SystemClock()
    compiler = fixture_compiler(contract, resources, clock)
    fixtures = compiler.compile(settings.fixtures)
    store = _open_store(resources, settings)
    restored = bool(store.organizations()) and not settings.reset
    rules = Rules(settings.license, settings.validation, settings.era)
    tenants = Tenants(store, clock, fixtures, rules, settings.journal_size)
    try:
        tenants.begin(settings.organization_name, settings.api_key, anew=settings.reset)
    except BaseException:
        store.close()
        raise
    operations = Operations(contract, resources, store)
    server = Server(
        tenants, operations, compiler, lambda era: load_contract(resources, path, era=era)
    )
    return LagoMockApp(_asgi(server, store, settings), server, store, settings, restored)


def _open_store(resources: Mapping[str, Resource], settings: Settings) -> Store:
    keys = {resource.plural: resource.key for resource in resources.values()}
    if settings.db == ":memory:":
        return Store(keys)
    return Store.open(
        keys,
        Path(settings.db),
        durable=settings.durability == "disk",
        compact_bytes=settings.compact_bytes,
    )


class _Application(Starlette):
    """Starlette's application, but that the API's own paths go straight to the API."""

    def __init__(self, api: ASGIApp, **options: Any) -> None:
        super().__init__(**options)
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"].startswith("/api/v1/"):
            await self._api(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _asgi(server: Server, store: Store, settings: Settings) -> Starlette:
    limits = Limits(settings.max_body_bytes, settings.max_header_bytes, settings.max_query_bytes)
    api = Endpoint(server.tenants, server.operations, limits, Cors(settings.front_url))
    pages = Pages(api, server.tenants.portal_customer)
    admin = AdminEndpoint(server, load_admin_contract(), limits)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        store.defer(asyncio.get_running_loop().call_soon)
        yield
        store.close()

    routes = [
        Mount("/__admin", admin),
        Mount("/", pages),
    ]
    app = _Application(api, routes=routes, lifespan=lifespan)
    app.router.default = pages  # for what is no path, as in `OPTIONS *`
    return app


def create_app(settings: Settings | None = None) -> Starlette:
    """Return lago-mock as an ASGI application, in memory unless the settings name a file.

    Raises:
        DocumentError: the document or the fixture set is broken.
        StoreError: the state file is damaged or in use.
        StoreUnwritable: it cannot be written.
    """
    return build(settings or Settings(db=":memory:")).asgi
