"""What tests hold in their hands: one organization of a running server."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import datetime, timedelta
from functools import cached_property, partial
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final, Literal, TypedDict, Unpack

from lago_mock.client import AdminClient, AdminError, segment
from lago_mock.likeness import closest
from lago_mock.testing.armed import (
    Broken,
    Error,
    Fault,
    Milliseconds,
    is_met,
    milliseconds,
    why_unmet,
)
from lago_mock.testing.reach import (
    OF_ORGANIZATIONS,
    OF_RULES,
    TOKEN,
    URL,
    Reached,
    environ_of,
    usual_elsewhere,
)
from lago_mock.testing.receiver import LOOPBACK, Receiver, Webhook, verified, waited
from lago_mock.testing.seen import SHOWN, Request, Search, explain, listed, search_for
from lago_mock.wire import JSON, JSONObject

if TYPE_CHECKING:
    from lago_mock.testing.background import BackgroundServer
    from lago_mock.testing.transport import Transport

__all__ = [
    "AdminError",
    "Fault",
    "LagoMock",
    "NewOrganization",
    "OwnSettings",
    "Request",
    "Search",
    "Snapshot",
]

DEFAULT_TIMEOUT: Final = 5.0

_LONGEST_WAIT: Final = 60.0
"""Seconds that one call may wait in the server."""

_REMOVED: Final = (401, 404)
"""How calls of an organization are refused that somebody else has removed."""


class NewOrganization(TypedDict, total=False):
    """What an organization is to be (schema `OrganizationInput`)."""

    name: str
    api_key: str
    fixtures: str
    license: Literal["premium", "free"] | None
    premium_integrations: Sequence[str] | None
    hmac_key: str
    permissions: Mapping[str, Sequence[str]]
    expires_at: str


class OwnSettings(TypedDict, total=False):
    """Settings that an organization can have of its own (schema `SettingsInput`)."""

    license: Literal["premium", "free"]
    validation: Literal["lago", "strict", "off"]
    era: Literal["current", "2023"]
    latency: Mapping[str, Any]
    rate_limit: Mapping[str, Any] | None


class Snapshot:
    """The rows of one moment; as a context manager it gives them back at the end."""

    def __init__(self, admin: AdminClient, name: str) -> None:
        self.name = name
        self._admin = admin

    def restore(self) -> None:
        """Put the rows back to what they were."""
        self._admin.post(f"/snapshots/{segment(self.name)}/restore")

    def remove(self) -> None:
        """Forget them."""
        self._admin.call("DELETE", f"/snapshots/{segment(self.name)}")

    def __enter__(self) -> Snapshot:
        """Return the snapshot."""
        return self

    def __exit__(self, *_: object) -> None:
        """Give the rows back, and forget them."""
        self.restore()
        self.remove()


class LagoMock:
    """One organization of a running server: what to point a client at, and how to steer it.

    The server is that at `url`, or a `server` of this process or of another handle, else that of
    the variable LAGO_MOCK_URL, else one that is started in a thread with these `settings`, which
    are fields of `Settings`. Of a server that runs already only license, era, validation and a
    fixture set by name can be had: they are then the organization's.

    Without an `api_key` an organization is made, which nobody else meets and `close` removes;
    `organization` says what it is to be. `rules` are settings that it has from the beginning, and
    after each `reset`. What the handle itself asks goes through the admin API: it meets no fault,
    waits for nothing, and counts nowhere.

    Raises:
        AdminError: the server refused a call, or there is none; the text says what and why.
        SettingError: there is no such setting, or not with this value.
        TypeError: an `organization` is described, and an `api_key` names one that there is.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        token: str | None = None,
        organization: NewOrganization | None = None,
        rules: OwnSettings | None = None,
        server: BackgroundServer | LagoMock | None = None,
        **settings: Any,
    ) -> None:
        self._began = time.monotonic()
        self._ends = ExitStack()
        try:
            if api_key and organization:
                raise TypeError("an organization that is made has its api_key in `organization`")
            self._server = self._found(url, api_key, token, server, settings)
            self.url = self._server.admin.url
            self.api_key = api_key or self._make_organization(organization or {})
            self._admin = self._server.admin.for_organization(self.api_key)
            usual = (*OF_RULES, *(("license",) if api_key else ()))
            self._rules: JSONObject = {**self._server.usual_in(usual), **(rules or {})}
            self._follow_rules()
        except BaseException:
            self._ends.close()
            raise

    def _found(
        self,
        url: str | None,
        api_key: str | None,
        token: str | None,
        server: BackgroundServer | LagoMock | None,
        settings: Mapping[str, Any],
    ) -> Reached:
        """Return the server that is meant; one that is started stops with this handle."""
        if isinstance(server, LagoMock):
            return server._server.with_usual(settings) if settings else server._server
        token = token or (server.token if server else None) or settings.get("admin_token")
        token = token or os.environ.get(TOKEN)
        url = server.url if server else url or os.environ.get(URL)
        if url:
            certificate = server.certificate if server else None
            admin = AdminClient(url, token=token, certificate=certificate)
            return Reached(admin, token, server, usual_elsewhere(settings))
        from lago_mock.testing.background import BackgroundServer, in_memory

        own = self._ends.enter_context(
            BackgroundServer(in_memory(**{"api_key": api_key, **settings}))
        )
        admin = AdminClient(own.url, token=token, certificate=own.certificate)
        return Reached(admin, token, own)

    def _make_organization(self, described: NewOrganization) -> str:
        organization: JSONObject = {**self._server.usual_in(OF_ORGANIZATIONS), **described}
        with self._naming_sets(organization.get("fixtures")):
            made = self._server.admin.post("/organizations", organization or None)
        self._ends.callback(self._remove_organization, made["id"])
        self.organization_id = made["id"]  # takes the place of the cached property
        return str(made["api_key"])

    def _remove_organization(self, organization_id: str) -> None:
        with _forgiving():
            self._server.admin.call("DELETE", f"/organizations/{organization_id}")

    def _follow_rules(self) -> None:
        if self._rules:
            self._admin.call("PATCH", "/settings", self._rules)

    def _naming_sets(self, wanted: str | None) -> AbstractContextManager[None]:
        return _naming("fixture set", "fixtures_not_found", str(wanted), self._sets)

    def _sets(self) -> list[str]:
        return [each["name"] for each in self._server.admin.get("/fixtures")["fixtures"]]

    def close(self) -> None:
        """Remove the organization that was made, and stop the server that was started."""
        self._ends.close()

    def __enter__(self) -> LagoMock:
        """Return the handle."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    # Where it is

    @property
    def api_url(self) -> str:
        """The URL below which the API stands: what the JavaScript client wants."""
        return f"{self.url}/api/v1"

    @property
    def environ(self) -> dict[str, str]:
        """Variables that lead a process to this organization, laid over those of this process."""
        return {**os.environ, **environ_of(self.url, self.api_key, self._server.token)}

    @property
    def transport(self) -> Transport:
        """A transport for `httpx.AsyncClient` and `httpx.Client` that needs no port.

        Raises:
            RuntimeError: the server runs in another process.
        """
        from lago_mock.testing.transport import Transport

        if self._server.in_process is None:
            raise RuntimeError(f"the server at {self.url} runs elsewhere: call it by its url")
        return Transport(self._server.in_process)

    @cached_property
    def organization_id(self) -> str:
        """The organization's `lago_id`."""
        return str(self._described["id"])

    @cached_property
    def fixtures(self) -> str:
        """The fixture set that the organization had when this was first asked."""
        return str(self._described["fixtures"])

    @property
    def _described(self) -> JSONObject:
        described: JSONObject = self._admin.get("/organizations")["organizations"][0]
        return described

    # Failures to come

    def fail(
        self,
        operation: str | Sequence[str],
        error: Error | None = None,
        *,
        method: str | Sequence[str] | None = None,
        path: str | None = None,
        match: Mapping[str, Any] | None = None,
        status: int | None = None,
        code: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        body: JSON = None,
        connection: Broken | None = None,
        delay_ms: Milliseconds | None = None,
        sequence: Sequence[Mapping[str, Any]] | None = None,
        when: Literal["before", "after"] | None = None,
        times: int | None = 1,
        skip: int | None = None,
        probability: float | None = None,
        seed: int | None = None,
    ) -> Fault:
        """Arm a fault: the next `times` requests for an operation meet it, all for None.

        `operation` is an id, several, or `*`; `method`, `path` and `match` (of `headers`, `query`,
        `body`) narrow it. What happens is an `error` by name, an answer of your own, or a broken
        connection; `when` says whether before the write (as if Lago had refused) or after it (the
        answer is lost). A `sequence` has one outcome for each request; an empty one lets it pass.

        Raises:
            AdminError: it can never happen; the text says why.
        """
        given = {
            "operation": operation if isinstance(operation, str) else list(operation),
            "method": method,
            "path": path,
            "match": match,
            "error": error,
            "status": status,
            "code": code,
            "details": details,
            "headers": headers,
            "body": body,
            "connection": connection,
            "delay_ms": milliseconds(delay_ms),
            "sequence": sequence,
            "when": when,
            "skip": skip,
            "probability": probability,
            "seed": seed,
        }
        described: JSONObject = {name: each for name, each in given.items() if each is not None}
        if sequence is None or times != 1:
            described["times"] = times
        return Fault(self._admin, self._admin.post("/faults", described)["id"])

    def delay(
        self,
        operation: str | Sequence[str],
        milliseconds: Milliseconds,
        *,
        times: int | None = None,
    ) -> Fault:
        """Slow down the requests for an operation, by a time or anywhere between two."""
        return self.fail(operation, delay_ms=milliseconds, times=times)

    def faults(self) -> list[JSONObject]:
        """Return the armed faults and those that are used up (schema `ArmedFault`)."""
        faults: list[JSONObject] = self._admin.get("/faults")["faults"]
        return faults

    # What was asked

    def requests(
        self, operation: str | Sequence[str] = "*", **words: Unpack[Search]
    ) -> list[Request]:
        """Return the requests for an operation, the oldest first.

        Raises:
            AdminError: the server keeps no requests, or there is no such operation.
        """
        return self._find(search_for(operation, words))

    def _find(self, search: JSONObject, wait: float = 0.0) -> list[Request]:
        found = self._admin.post("/requests/find", search, wait)
        return self._kept(found)

    def _kept(self, answer: JSONObject) -> list[Request]:
        if answer["requestJournalDisabled"]:
            raise AdminError(f"{self.url} keeps no requests: its journal_size is 0")
        return [Request.of(entry) for entry in answer["requests"]]

    def unmatched(self) -> list[Request]:
        """Return the requests that no operation answers; `nearest` of each says why not."""
        return self._kept(self._admin.get("/requests/unmatched"))

    def strays(self) -> list[Request]:
        """Return the requests since this handle began that went past its organization.

        They came with no key that the server knows, or with one of the first organization: the key
        that clients have when nobody gave them another.
        """
        return self._astray(self._server.admin.post("/requests/find", self._since_begin()))

    def _since_begin(self) -> JSONObject:
        now = datetime.fromisoformat(self._server.admin.get("/clock")["now"])
        began = now - timedelta(seconds=time.monotonic() - self._began)
        return {"since": began.isoformat()}

    def _astray(self, answer: JSONObject) -> list[Request]:
        found = self._kept(answer)
        others = {each.organization for each in found} - {None, self.organization_id}
        first = {None, self._first_organization() if others else None}
        return [
            each
            for each in found
            if each.organization in first and each.organization != self.organization_id
        ]

    def _first_organization(self) -> str:
        listed: list[JSONObject] = self._server.admin.get("/organizations")["organizations"]
        return str(listed[0]["id"])

    def report(self, most: int = SHOWN) -> str:
        """Return what was asked, in a line each, and what went past this organization."""
        lines = listed(self.requests(), most) or ["no request came"]
        strays = self.strays()
        for each in strays[-most:]:
            lines.append(f"not with this key: {each}")
        return "\n".join(lines)

    def assert_called(
        self,
        operation: str | Sequence[str],
        *,
        times: int | None = None,
        **words: Unpack[Search],
    ) -> list[Request]:
        """Return the requests for an operation.

        Raises:
            AssertionError: there are none, or not as many as `times`; the text says what came.
        """
        __tracebackhide__ = True
        found = self.requests(operation, **words)
        if (len(found) == times) if times is not None else found:
            return found
        raise self._unlike(operation, words, len(found), times)

    def assert_not_called(self, operation: str | Sequence[str], **words: Unpack[Search]) -> None:
        """Make sure that an operation was not asked for.

        Raises:
            AssertionError: it was; the text says by what.
        """
        __tracebackhide__ = True
        self.assert_called(operation, times=0, **words)

    def wait_for(
        self,
        operation: str | Sequence[str],
        *,
        times: int = 1,
        timeout: float = DEFAULT_TIMEOUT,
        **words: Unpack[Search],
    ) -> list[Request]:
        """Return the requests for an operation as soon as there are `times` of them.

        An asynchronous test calls it by `asyncio.to_thread`, or nothing else goes on meanwhile.

        Raises:
            AssertionError: there were fewer after `timeout` seconds; the text says what came.
        """
        __tracebackhide__ = True
        end = time.monotonic() + timeout
        found: list[Request] = []
        while len(found) < times and (rest := end - time.monotonic()) > 0:
            wait = min(rest, _LONGEST_WAIT)
            terms = {"count": times, "timeout_ms": round(wait * 1000)}
            found = self._find({**search_for(operation, words), **terms}, wait)
        if len(found) < times:
            raise self._unlike(operation, words, len(found), times)
        return found

    def _unlike(
        self, operation: str | Sequence[str], words: Search, found: int, wanted: int | None
    ) -> AssertionError:
        text = explain(operation, words, found, wanted, self.requests())
        strays = [f"not with this key: {each}" for each in self.strays()[-SHOWN:]]
        return AssertionError("\n  ".join([text, *strays]))

    def verify(self) -> None:
        """Make sure that every request was for an operation, and that every fault was met.

        Of a server of this process the requests count that came with a key it does not know.

        Raises:
            AssertionError: not so; the text says which, and why.
        """
        __tracebackhide__ = True
        wrong = [f"{each} - no operation answers it" for each in self._lost()]
        unmet = [each for each in self.faults() if not is_met(each)]
        if unmet:
            seen = self.requests()
            wrong += [why_unmet(each, seen) for each in unmet]
        if wrong:
            raise AssertionError("\n".join(wrong))

    def _lost(self) -> list[Request]:
        lost, others = self.unmatched(), []
        if self._server.in_process:  # elsewhere they may be another's
            others = self._kept(self._server.admin.get("/requests/unmatched"))
        if others:
            strays = {each.id for each in self.strays()}
            lost += [each for each in others if each.id in strays]
        return lost

    # Rows

    def customer(self, external_id: str) -> JSONObject:
        """Return a customer as the API shows it.

        Raises:
            AdminError: there is none (404 `customer_not_found`); the text says which there are.
        """
        path = {"external_customer_id": external_id}
        with _naming("customer", "customer_not_found", external_id, self._external_ids):
            customer: JSONObject = self.perform("findCustomer", path=path)["customer"]
        return customer

    def _external_ids(self) -> list[str]:
        return [each["external_id"] for each in self.customers()]

    def customers(self) -> list[JSONObject]:
        """Return all customers as the API shows them, the newest first."""
        found: list[JSONObject] = []
        page: int | None = 1
        while page is not None:
            query = {"page": str(page), "per_page": "1000"}
            answer = self.perform("findAllCustomers", query=query)
            found += answer["customers"]
            page = answer["meta"]["next_page"]
        return found

    def organization(self) -> JSONObject:
        """Return the organization as the API shows it."""
        organization: JSONObject = self.perform("findOrganization")["organization"]
        return organization

    def perform(
        self,
        operation: str,
        body: JSONObject | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> JSONObject:
        """Carry out an operation of the API; no fault, no journal, no key stands in its way.

        Raises:
            AdminError: Lago refuses it; `status` and `body` are Lago's.
        """
        called = {"path": dict(path or {}), "query": dict(query or {}), "body": body or {}}
        with _naming("operation", "operation_not_found", operation, self._operations):
            return self._admin.post(f"/operations/{segment(operation)}", called)

    def _operations(self) -> list[str]:
        return [each["operation"] for each in self._admin.get("/operations")["operations"]]

    def load(self, fixtures: Mapping[str, Any]) -> None:
        """Make rows: sections of a fixture set, played on top of what is there, all or none.

        Raises:
            AdminError: an item is refused; the text says which and why.
            TypeError: the name of a set is given; it is `reset` that goes to one.
        """
        if not isinstance(fixtures, Mapping):
            raise TypeError(f"load takes sections of a set; to go to one call reset({fixtures!r})")
        self._admin.post("/fixtures", {"fixtures": dict(fixtures)})

    def reset(self, fixtures: str | None = None) -> None:
        """Go back to the fixture set, or to another one that the server has.

        Raises:
            AdminError: there is no such set; the text says which there are.
        """
        with self._naming_sets(fixtures):
            self._admin.post("/reset", {"fixtures": fixtures} if fixtures else None)
        self._follow_rules()

    def snapshot(self, name: str | None = None) -> Snapshot:
        """Keep the rows as they are now; as a context manager it gives them back at the end."""
        name = name or f"snapshot-{token_hex(4)}"
        self._admin.call("PUT", f"/snapshots/{segment(name)}")
        return Snapshot(self._admin, name)

    def restore(self, snapshot: Snapshot | str) -> None:
        """Put the rows back to those of a snapshot, or of the one with this name.

        Raises:
            AdminError: there is none (404 `snapshot_not_found`); the text says which there are.
        """
        name = snapshot if isinstance(snapshot, str) else snapshot.name
        with _naming("snapshot", "snapshot_not_found", name, self._snapshots):
            Snapshot(self._admin, name).restore()

    def _snapshots(self) -> list[str]:
        names: list[str] = self._admin.get("/snapshots")["snapshots"]
        return names

    # Webhooks

    def webhooks(self, type: str | None = None, *, state: str | None = None) -> list[JSONObject]:
        """Return the deliveries of a type, the oldest first (schema `Webhook`).

        `state` is pending, retrying, succeeded, failed or refused.
        """
        found = self._admin.get("/webhooks", type=type, state=state)
        deliveries: list[JSONObject] = found["webhooks"]
        return deliveries

    def wait_for_webhook(
        self,
        type: str | None = None,
        *,
        state: str = "succeeded",
        times: int = 1,
        timeout: float = DEFAULT_TIMEOUT,
    ) -> list[JSONObject]:
        """Return the deliveries of a type as soon as so many have come to a state.

        Raises:
            AssertionError: there were fewer after `timeout` seconds; the text says which.
        """
        return waited(self._admin, {"type": type, "state": state}, times, timeout)

    def on_webhook(
        self,
        handler: Callable[[Webhook], object],
        *,
        event_types: Sequence[str] | None = None,
        signature_algo: Literal["jwt", "hmac"] = "jwt",
        host: str = LOOPBACK,
    ) -> Receiver:
        """Have webhooks, of some types or all, handed to a callable of this process.

        When it raises, the delivery has failed. `close`, or the end of a `with` block, ends it. A
        server in a container reaches this machine by another `host`.

        Raises:
            AdminError: there is no such type, or there are ten endpoints already.
        """
        with ExitStack() as failing:
            receiver = failing.enter_context(Receiver(handler, host))
            endpoint: JSONObject = {"webhook_url": receiver.url, "signature_algo": signature_algo}
            if event_types is not None:
                endpoint["event_types"] = list(event_types)
            answer = self.perform("createWebhookEndpoint", {"webhook_endpoint": endpoint})
            failing.pop_all()
        receiver.before_close(partial(self._remove_endpoint, answer["webhook_endpoint"]["lago_id"]))
        return receiver

    def _remove_endpoint(self, lago_id: str) -> None:
        with _forgiving():
            self.perform("destroyWebhookEndpoint", path={"lago_id": lago_id})

    def send_webhook(self, type: str, object: JSONObject | None = None) -> list[JSONObject]:
        """Send a webhook of any of Lago's types now; what its object lacks is an example's.

        Raises:
            AdminError: there is no such type, or the object is not as it has to be.
        """
        given = {"object": object} if object is not None else {}
        deliveries: list[JSONObject] = self._admin.post("/webhooks", {"type": type, **given})[
            "webhooks"
        ]
        return deliveries

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> JSONObject:
        """Return the content of a webhook that this Lago has signed.

        Raises:
            SignatureError: it has not; the text says what is wrong.
        """
        return verified(headers, body, self._admin)

    # Time and settings

    def now(self) -> datetime:
        """Return the time by the organization's clock."""
        return datetime.fromisoformat(self._admin.get("/clock")["now"])

    def freeze(self, instant: datetime | str | None = None) -> None:
        """Stop the clock, at an instant or now; text is a date-time as JSON has it.

        Raises:
            ValueError: the instant has no time zone.
        """
        instant = instant or self.now()
        if isinstance(instant, datetime):
            if instant.tzinfo is None:
                raise ValueError(f"{instant} has no time zone: give tzinfo=UTC")
            instant = instant.isoformat()
        self._admin.call("PUT", "/clock", {"now": instant})

    def advance(self, seconds: float | timedelta) -> None:
        """Move the clock on; one that is frozen stays so."""
        step = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
        self._admin.call("PUT", "/clock", {"advance_seconds": step})

    def unfreeze(self) -> None:
        """Go by real time again."""
        self._admin.call("DELETE", "/clock")

    def settings(self) -> JSONObject:
        """Return the settings that hold for this organization (schema `SettingsInput`)."""
        return self._admin.get("/settings")

    def configure(self, **settings: Unpack[OwnSettings]) -> None:
        """Change settings of this organization; a reset takes them back.

        Raises:
            AdminError: there is no such setting, or not with this value.
        """
        self._admin.call("PATCH", "/settings", dict(settings))

    @contextmanager
    def configured(self, **settings: Unpack[OwnSettings]) -> Iterator[None]:
        """Change settings for the length of a block."""
        before = self.settings()
        self.configure(**settings)
        try:
            yield
        finally:
            given = {name: before[name] for name in settings}
            self._admin.call("PATCH", "/settings", given)


@contextmanager
def _forgiving() -> Iterator[None]:
    """Let it pass that what is to be taken away is gone."""
    try:
        yield
    except AdminError as error:
        if error.status not in _REMOVED:
            raise


@contextmanager
def _naming(kind: str, code: str, wanted: str, known: Callable[[], list[str]]) -> Iterator[None]:
    """Say which there are of a kind, when the one that is wanted is not."""
    try:
        yield
    except AdminError as error:
        if error.body.get("code") != code:
            raise
        text = f"no {kind} {wanted}; {_there(wanted, known())}"
        raise AdminError(text, error.status, error.body) from error


def _there(wanted: str, known: Sequence[str]) -> str:
    """Return the name that was probably meant, or some of those that there are."""
    near = closest(wanted, known)
    if near:
        return f"did you mean {near}?"
    more = ", …" if len(known) > SHOWN else ""
    return f"there {'are ' + ', '.join(known[:SHOWN]) + more if known else 'is none'}"
