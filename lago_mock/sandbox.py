"""The state of one organization, and of all: rows, faults, journal, and who has which key."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import count

from lago_mock.answer_cache import AnswerCache
from lago_mock.clock import Clock
from lago_mock.faults import Faults
from lago_mock.fixtures import FixtureSet
from lago_mock.journal import Journal
from lago_mock.operations import Facts
from lago_mock.resources.organizations import names_of
from lago_mock.rules import Rules
from lago_mock.signing import Signing
from lago_mock.store.store import Store
from lago_mock.store.tables import Row
from lago_mock.wire import JSONObject

FALLBACK_KEY = "lago-mock-key"


class Sandbox:
    """One organization as requests meet it: everything that a reset takes back."""

    def __init__(
        self,
        organization_id: str,
        clock: Clock,
        signing: Signing,
        rules: Rules,
        journal: Journal,
        answers: AnswerCache,
    ) -> None:
        self.facts = Facts(organization_id, clock, self.licensed, signing, rules)
        self.answers = answers
        self.integrations: list[str] | None = None
        self._rules = rules
        self.faults = Faults()
        self.journal = journal
        self.ended = asyncio.Event()

    def licensed(self, feature: str | bool) -> bool:
        """Tell whether the license covers a premium integration, or, for True, premium itself.

        An organization that lists its integrations has those alone.
        """
        if self._rules.license == "free":
            return False
        return feature is True or self.integrations is None or feature in self.integrations

    def clear(self) -> None:
        """Forget faults and requests, and let go of the calls in flight."""
        self.faults.clear()
        self.journal.clear()
        self.release()

    def release(self) -> None:
        """Wake the calls that wait: what they would have written is not."""
        self.ended.set()
        self.ended = asyncio.Event()


@dataclass(frozen=True)
class Access:
    """What a key opens: an organization, and the rights that it has there.

    `permissions` maps a resource to some of `read` and `write`; None is a key with all rights.
    """

    sandbox: Sandbox
    permissions: Mapping[str, list[str]] | None = None
    expires_at: datetime | None = None

    def forbidden(self, scopes: Iterable[str]) -> str | None:
        """Return the code of the first right that is missing, None when all are there.

        Only the premium integration `api_permissions` makes rights count.
        """
        if self.permissions is None or not self.sandbox.facts.licensed("api_permissions"):
            return None
        for scope in scopes:
            resource, _, mode = scope.partition(":")
            if mode not in self.permissions.get(resource, ()):
                return f"{mode}_action_not_allowed_for_{resource}"
        return None


class Tenants:
    """Every organization by its API keys, and what belongs to the whole server.

    Faults set here hold for every organization, after its own; requests that no key leads
    anywhere stand in this journal.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        fixtures: FixtureSet,
        rules: Rules,
        journal_size: int,
    ) -> None:
        self.rules = rules
        self.initial_rules = replace(rules)
        self.signing = Signing(store.secrets, store.keep_secrets)
        self._store = store
        self.clock = clock
        self._journal_size = journal_size
        self._numbers = count(1)
        self.fixtures = fixtures
        self.faults = Faults()
        self.journal = Journal(journal_size, self._numbers)
        self.ended = asyncio.Event()
        self._by_id: dict[str, Sandbox] = {}
        self._by_key: dict[str, Access] = {}

    def __iter__(self) -> Iterator[Sandbox]:
        return iter(self._by_id.values())

    def begin(self, name: str | None, api_key: str | None, *, anew: bool) -> None:
        """Load the organizations that the store has; make the first one when there is none.

        `anew` goes back to the fixture set although there is one. A key that the first
        organization does not have is added to it.
        """
        if not self._store.organizations():
            self._found(name, api_key)
        elif anew:
            self.reset()
        first = self._store.organizations()[0]
        if api_key and api_key not in _keys(first):
            self._add_key(first, api_key)
        self._index()

    def _found(self, name: str | None, api_key: str | None) -> None:
        row = dict(self.fixtures.organization)
        if name:
            row |= names_of(self.clock, name)
        row["founding"] = {key: row[key] for key in ("name", "slug", "billing_entity_code")}
        row["api_keys"] = self._first_keys(api_key)
        self._give_rows(row)

    def _first_keys(self, api_key: str | None) -> list[JSONObject]:
        """Return the keys of a new organization: the given one goes before the fixture set's."""
        first = api_key or self.fixtures.api_key
        keys: list[JSONObject] = [{"value": first}] if first else []
        keys += self.fixtures.api_keys
        return [
            {"lago_id": self.clock.new_id(), **key} for key in keys or [{"value": FALLBACK_KEY}]
        ]

    def _give_rows(self, row: Row) -> None:
        """Put an organization back to the fixture set, its default billing entity by its name."""
        view = self._store.view(row["lago_id"])
        entity = self.fixtures.rows.row("billing_entities", 1)
        names = {"name": row["name"], "code": row["billing_entity_code"]}
        view.put("organizations", row)
        view.put("billing_entities", {**entity, **names})
        self._store.reset(view, self.fixtures.rows)

    def _add_key(self, row: Row, value: str) -> None:
        view = self._store.view(row["lago_id"])
        keys = [*row["api_keys"], {"lago_id": self.clock.new_id(), "value": value}]
        view.put("organizations", {**row, "api_keys": keys})
        self._store.commit(view)

    def _index(self) -> None:
        self._by_key.clear()
        for row in self._store.organizations():
            sandbox = self._by_id.setdefault(row["lago_id"], self._sandbox(row["lago_id"]))
            sandbox.integrations = row.get("premium_integrations")
            for key in row["api_keys"]:
                self._by_key[key["value"]] = _access(sandbox, key)

    def _sandbox(self, organization_id: str) -> Sandbox:
        return Sandbox(
            organization_id,
            self.clock,
            self.signing,
            self.rules,
            Journal(self._journal_size, self._numbers),
            AnswerCache(partial(self._store.version, organization_id)),
        )

    def access(self, api_key: str | None) -> Access | None:
        """Return what a key opens; None for one that is unknown or expired."""
        access = self._by_key.get(api_key) if api_key else None
        if access and access.expires_at and access.expires_at <= self.clock.now():
            return None
        return access

    def of(self, api_key: str | None) -> Sandbox | None:
        """Return the organization that a key names."""
        access = self.access(api_key)
        return access.sandbox if access else None

    def portal_customer(self, token: str) -> JSONObject | None:
        """Return the customer that a portal token opens, None when it is false or too old."""
        customer_id = self.signing.portal_customer(token, self.clock.now())
        for organization_id in self._by_id if customer_id else ():
            row = self._store.view(organization_id).get("customers", str(customer_id))
            if row is not None:
                return row
        return None

    def first_key(self) -> str:
        """Return the first key of the first organization."""
        return _keys(self._store.organizations()[0])[0]

    def shift(self, settings: Mapping[str, str]) -> None:
        """Change rules for every organization; answers that were kept are made anew."""
        for name, value in settings.items():
            setattr(self.rules, name, value)
        for sandbox in self:
            sandbox.answers.clear()

    def reset(self, sandbox: Sandbox | None = None) -> None:
        """Put one organization, or all, back to the fixture set; each keeps its name and keys.

        Faults and journals are emptied; calls in flight write nothing.
        """
        for row in self._store.organizations():
            if sandbox is None or sandbox.facts.organization_id == row["lago_id"]:
                kept = {key: row[key] for key in ("lago_id", "api_keys", "hmac_key", "founding")}
                self._give_rows({**self.fixtures.organization, **row["founding"], **kept})
        self._index()
        for each in [sandbox] if sandbox else self:
            each.clear()
        if sandbox is None:
            self.faults.clear()
            self.journal.clear()
            self.release()

    def release(self) -> None:
        """Wake every call that waits: what it would have written is not."""
        self.ended.set()
        self.ended = asyncio.Event()
        for sandbox in self:
            sandbox.release()


def _access(sandbox: Sandbox, key: JSONObject) -> Access:
    expires_at = key.get("expires_at")
    expiry = datetime.fromisoformat(expires_at.upper()) if expires_at else None
    return Access(sandbox, key.get("permissions"), expiry)


def _keys(row: Row) -> list[str]:
    return [key["value"] for key in row["api_keys"]]
