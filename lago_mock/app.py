"""The application: here, and nowhere else, all parts are joined."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from lago_mock.admin.call import Server
from lago_mock.admin.endpoint import HANDLERS, AdminEndpoint
from lago_mock.admin.guard import Guard
from lago_mock.clock import Clock, ServerClock
from lago_mock.contract.contract import Contract
from lago_mock.contract.loader import Document, DocumentError, load_document
from lago_mock.cors import Cors
from lago_mock.damage import judge_of
from lago_mock.data import data_folder
from lago_mock.endpoint import Endpoint
from lago_mock.exchange import Parts
from lago_mock.fixtures import FixtureCompiler
from lago_mock.hosts import Hosts
from lago_mock.likeness import closest
from lago_mock.operations import Operations, handlers_of
from lago_mock.pages import Pages
from lago_mock.request import Limits
from lago_mock.resource import Resource, keys_of
from lago_mock.resources import load_resources
from lago_mock.rules import Rules
from lago_mock.settings import Settings, url_at
from lago_mock.signing import key_in
from lago_mock.store.store import Store, StoreUnwritable
from lago_mock.tenants import Tenants
from lago_mock.watch import watch
from lago_mock.webhooks.courier import Courier
from lago_mock.webhooks.targets import Targets
from lago_mock.webhooks.transport import Transport

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
        near = closest(missing, known)
        advice = f"The closest is {near}." if near else ""
        if not foreign:
            raise DocumentError(
                document.file, "", f"the handler of {missing} finds no operation", advice
            )
        told = f"{document.file} has no operation {missing}: it is not served. {advice}"
        _logger.warning("%s", told.rstrip())


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
        SettingError: webhooks may go to what is no target, or the key to sign them is none.
        StoreError: the state file is damaged or in use.
        StoreUnwritable: it cannot be written.
    """
    resources = load_resources()
    courier = _courier(settings)
    private_key = key_in(Path(settings.webhook_key)) if settings.webhook_key else None
    path = Path(settings.openapi) if settings.openapi else None
    contract = load_contract(resources, path, era=settings.era)
    clock = ServerClock(settings.seed)
    compiler = fixture_compiler(contract, resources, clock)
    fixtures = compiler.compile(settings.fixtures)
    store = _open_store(resources, settings)
    restored = bool(store.organizations()) and not settings.reset
    if restored:
        clock.go_on(store.extent())
    tenants = Tenants(
        store,
        clock,
        compiler,
        fixtures,
        _rules(settings),
        settings.journal_size,
        any_key=settings.any_key,
        courier=courier,
        private_key=private_key,
    )
    try:
        tenants.begin(settings.organization_name, settings.api_key, anew=settings.reset)
    except BaseException:
        store.close()
        raise
    eras = partial(_contract_of, resources, path)
    operations = Operations(contract, resources, store, eras)
    server = Server(tenants, operations, compiler)
    return LagoMockApp(_asgi(server, store, settings), server, store, settings, restored)


def _contract_of(resources: Mapping[str, Resource], path: Path | None, era: str) -> Contract:
    return load_contract(resources, path, era=era)


def _courier(settings: Settings) -> Courier:
    targets = Targets(settings.webhook_allow.split(","))
    issuer = settings.public_url or url_at(settings.scheme, settings.host, settings.port)
    return Courier(Transport(targets, settings.webhook_timeout), issuer)


def _rules(settings: Settings) -> Rules:
    return Rules(
        settings.license,
        settings.validation,
        settings.era,
        {"default": settings.latency_ms} if settings.latency_ms else {},
        {} if settings.rate_limit == "hosted" else None,
    )


def _open_store(resources: Mapping[str, Resource], settings: Settings) -> Store:
    keys = keys_of(resources)
    if settings.db == ":memory:":
        return Store(keys)
    return Store.open(
        keys,
        Path(settings.db),
        durable=settings.durability == "disk",
        compact_bytes=settings.compact_bytes,
        judge=judge_of(resources),
    )


def _watch(server: Server, settings: Settings) -> asyncio.Future[tuple[None, None]]:
    """Follow the changes of document and fixture set; what is broken is told and left out."""
    document = Path(settings.openapi) if settings.openapi else data_folder() / "openapi"
    fixtures = server.tenants.fixtures.path
    return asyncio.gather(
        watch([document], partial(_reload, server, document, fixtures_too=False)),
        watch([fixtures], partial(_reload, server, fixtures, fixtures_too=True)),
    )


def _reload(server: Server, path: Path, *, fixtures_too: bool) -> None:
    try:
        server.operations.reload()
        if not server.operations.contract.foreign:
            server.fixtures.use(server.operations.contract)
        if fixtures_too:
            fixtures = server.fixtures.compile(str(path))
            server.tenants.take(fixtures)
            if fixtures.api_key:
                server.tenants.grant(fixtures.api_key)
    except (DocumentError, StoreUnwritable) as error:
        _logger.error("%s; the former one is kept", error)
        return
    server.tenants.forget_answers()
    _logger.info("%s was read again%s", path, "; everything is reset" if fixtures_too else "")


class _Application(Starlette):
    """Starlette's application, but that the API's own paths go straight to the API."""

    def __init__(self, api: Endpoint, **options: Any) -> None:
        super().__init__(**options)
        self._api = api

    # A coroutine function: by that servers and test clients know an application of ASGI 3.
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"].startswith("/api/v1/"):
            await self._api(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _asgi(server: Server, store: Store, settings: Settings) -> Starlette:
    limits = Limits(settings.max_body_bytes, settings.max_header_bytes, settings.max_query_bytes)
    api = Endpoint(Parts(server.tenants, server.operations, limits), Cors(settings.front_url))
    hosts = Hosts(settings.host, (settings.allow_host or "").split(","), settings.public_url)
    pages = Pages(api, server.tenants.portal_customer, hosts)
    guard = Guard(settings.admin_token, hosts, settings.public_url)
    admin = AdminEndpoint(server, load_admin_contract(), limits, guard)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        server.tenants.defer(asyncio.get_running_loop().call_soon)
        watching = _watch(server, settings) if settings.watch else None
        server.tenants.courier.start()
        yield
        server.tenants.courier.stop()
        if watching:
            watching.cancel()
        store.close()

    routes = [
        Mount("/__admin", admin),
        Route("/__admin", admin),
        Mount("/", pages),
    ]
    app = _Application(api, routes=routes, lifespan=lifespan)
    app.router.default = pages  # for what is no path, as in `OPTIONS *`
    return app


def create_app(settings: Settings | None = None) -> Starlette:
    """Return lago-mock as an ASGI application, in memory unless the settings name a file.

    Raises:
        DocumentError: the document or the fixture set is broken.
        SettingError: webhooks may go to what is no target, or the key to sign them is none.
        StoreError: the state file is damaged or in use.
        StoreUnwritable: it cannot be written.
    """
    return build(settings or Settings(db=":memory:")).asgi
